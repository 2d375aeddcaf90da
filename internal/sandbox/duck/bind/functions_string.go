package bind

import (
	"fmt"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"
)

func init() {
	s, i, bin := types.StringType, types.IntType, types.BinaryType
	for name, sql := range map[string]string{
		"upper ucase": "upper($1)", "lower lcase": "lower($1)",
		"initcap": "dbx_initcap($1)",
	} {
		register(name, template(s, sql, s))
	}
	register("trim", byArgumentCount(template(s, "trim($1, ' ')", s), template(s, "trim($2, $1)", s, s)))
	register("ltrim", byArgumentCount(template(s, "ltrim($1, ' ')", s), template(s, "ltrim($2, $1)", s, s)))
	register("rtrim", byArgumentCount(template(s, "rtrim($1, ' ')", s), template(s, "rtrim($2, $1)", s, s)))
	register("btrim", byArgumentCount(template(s, "trim($1, ' ')", s), template(s, "trim($1, $2)", s, s)))
	register("length len", function{min: 1, max: 1, bind: bindLength})
	register("char_length character_length", template(i, "CAST(length($1) AS INTEGER)", s))
	register("octet_length", function{min: 1, max: 1, bind: func(c *call) *Expr {
		a := c.args[0]
		if a.Type.Kind != types.Binary {
			a = c.b.implicitCast(a, s)
			return &Expr{SQL: "CAST(strlen(" + a.SQL + ") AS INTEGER)", Type: i, Nullable: a.Nullable}
		}
		return &Expr{SQL: "CAST(octet_length(" + a.SQL + ") AS INTEGER)", Type: i, Nullable: a.Nullable}
	}})
	register("bit_length", template(i, "CAST(strlen($1) * 8 AS INTEGER)", s))
	register("substring substr", byArgumentCount(
		template(s, "dbx_substring($1, $2, 2147483647)", s, i),
		template(s, "dbx_substring($1, $2, $3)", s, i, i)))
	register("left", template(s, "CASE WHEN $2 <= 0 THEN '' ELSE left($1, $2) END", s, i))
	register("right", template(s, "CASE WHEN $2 <= 0 THEN '' ELSE right($1, $2) END", s, i))
	register(
		"replace",
		byArgumentCount(template(s, "replace($1, $2, '')", s, s), template(s, "CASE WHEN $2 = '' THEN $1 ELSE replace($1, $2, $3) END", s, s, s)),
	)
	register("translate", template(s, "translate($1, $2, $3)", s, s, s))
	register("repeat", template(s, "repeat($1, greatest($2, 0))", s, i))
	register("space", template(s, "repeat(' ', greatest($1, 0))", i))
	register("lpad", byArgumentCount(template(s, "lpad($1, $2, ' ')", s, i), template(s, "lpad($1, $2, $3)", s, i, s)))
	register("rpad", byArgumentCount(template(s, "rpad($1, $2, ' ')", s, i), template(s, "rpad($1, $2, $3)", s, i, s)))
	register("instr", template(i, "CAST(instr($1, $2) AS INTEGER)", s, s))
	register("position locate charindex", byArgumentCount(
		template(i, "CAST(instr($2, $1) AS INTEGER)", s, s),
		template(
			i,
			"CASE WHEN $3 < 1 THEN 0 WHEN instr(substr($2, $3), $1) = 0 THEN 0 ELSE CAST(instr(substr($2, $3), $1) + $3 - 1 AS INTEGER) END",
			s,
			s,
			i,
		),
	))
	register("startswith", template(types.BooleanType, "starts_with($1, $2)", s, s))
	register("endswith", template(types.BooleanType, "suffix($1, $2)", s, s))
	register("contains", template(types.BooleanType, "contains($1, $2)", s, s))
	register("ascii", template(i, "CASE WHEN $1 = '' THEN 0 ELSE ascii($1) END", s))
	register("chr char", template(s, "CASE WHEN $1 < 0 THEN '' ELSE chr(CAST($1 % 256 AS INTEGER)) END", types.BigIntType))
	register("concat", function{min: 0, max: -1, bind: func(c *call) *Expr { return c.b.concat(c.args) }})
	register("concat_ws", function{min: 1, max: -1, bind: bindConcatWs})
	register("split", function{min: 2, max: 3, bind: bindSplit})
	register("split_part", template(s, "coalesce(split_part($1, $2, $3), '')", s, s, i))
	register("rlike regexp_like regexp", template(types.BooleanType, "regexp_matches($1, $2)", s, s))
	register("like", template(types.BooleanType, `($1 LIKE $2 ESCAPE '\')`, s, s))
	register("ilike", template(types.BooleanType, `($1 ILIKE $2 ESCAPE '\')`, s, s))
	register("regexp_replace", template(s, "regexp_replace($1, $2, dbx_replacement($3), 'g')", s, s, s))
	register(
		"regexp_extract",
		byArgumentCount(template(s, "regexp_extract($1, $2, 1)", s, s), function{min: 3, max: 3, bind: func(c *call) *Expr {
			return template(s, "regexp_extract($1, $2, $3)", s, s, i).bind(c)
		}}),
	)
	register("regexp_count", template(i, "CAST(len(regexp_extract_all($1, $2)) AS INTEGER)", s, s))
	register("levenshtein", template(i, "CAST(levenshtein($1, $2) AS INTEGER)", s, s))
	register("format_number", template(s, "format('{:,.' || CAST($2 AS VARCHAR) || 'f}', $1)", types.DoubleType, i))
	register("base64", function{min: 1, max: 1, bind: bindOnBytes(s, "base64(%s)")})
	register("unbase64", template(bin, "dbx_unbase64($1)", s))
	register("hex", function{min: 1, max: 1, bind: func(c *call) *Expr {
		if c.args[0].Type.Numeric() {
			return template(s, "upper(to_hex($1))", types.BigIntType).bind(c)
		}
		return bindOnBytes(s, "hex(%s)")(c)
	}})
	register("unhex", template(bin, "dbx_unhex($1)", s))
	register("md5", function{min: 1, max: 1, bind: bindHash("md5(%s)")})
	register("sha sha1", function{min: 1, max: 1, bind: bindHash("sha1(%s)")})
	register("sha2", function{min: 2, max: 2, bind: bindSha2})
	register("encode", function{min: 2, max: 2, bind: bindCharset("encode(%s)", s, bin)})
	register("decode", function{min: 2, max: 2, bind: bindCharset("decode(%s)", bin, s)})
	register("string", function{min: 1, max: 1, bind: func(c *call) *Expr { return c.b.explicitCast(c.args[0], s, false) }})
	register("uuid", function{bind: func(*call) *Expr { return &Expr{SQL: "CAST(uuid() AS VARCHAR)", Type: s} }})
	register("get_json_object", template(s, "dbx_json_path($1, $2)", s, s))
	register("to_json", function{min: 1, max: 2, bind: func(c *call) *Expr { return c.b.toJSON(c) }})
}

func bindLength(c *call) *Expr {
	a := c.args[0]
	if a.Type.Kind == types.Binary {
		return &Expr{SQL: "CAST(octet_length(" + a.SQL + ") AS INTEGER)", Type: types.IntType, Nullable: a.Nullable}
	}
	a = c.b.implicitCast(a, types.StringType)
	return &Expr{SQL: "CAST(length(" + a.SQL + ") AS INTEGER)", Type: types.IntType, Nullable: a.Nullable}
}

// bindOnBytes binds a function of bytes, which accepts strings too.
func bindOnBytes(ret *types.Type, sql string) func(c *call) *Expr {
	return func(c *call) *Expr {
		a := c.args[0]
		if a.Type.Kind != types.Binary {
			a = c.b.implicitCast(c.b.implicitCast(a, types.StringType), types.BinaryType)
		}
		return &Expr{SQL: fmt.Sprintf(sql, a.SQL), Type: ret, Nullable: a.Nullable}
	}
}

// bindHash binds a hash function. DuckDB hashes the UTF-8 bytes of a string.
func bindHash(sql string) func(c *call) *Expr {
	return func(c *call) *Expr {
		a := c.args[0]
		if a.Type.Kind != types.Binary {
			a = c.b.implicitCast(a, types.StringType)
		}
		return &Expr{SQL: fmt.Sprintf(sql, a.SQL), Type: types.StringType, Nullable: a.Nullable}
	}
}

func bindSha2(c *call) *Expr {
	bits := c.args[1]
	if bits.text != nil && (*bits.text == "256" || *bits.text == "0") {
		return bindHash("sha256(%s)")(c)
	}
	n := c.b.implicitCast(bits, types.IntType).SQL
	return bindOnBytes(types.StringType, "dbx_sha2(%s, "+n+")")(c)
}

func bindCharset(sql string, from, to *types.Type) func(c *call) *Expr {
	return func(c *call) *Expr {
		name := c.args[1].text
		if name == nil || !strings.EqualFold(*name, "utf-8") && !strings.EqualFold(*name, "utf8") {
			panic(sqlerror.Unsupported(c.name + " with a charset other than UTF-8"))
		}
		a := c.b.implicitCast(c.args[0], from)
		return &Expr{SQL: fmt.Sprintf(sql, a.SQL), Type: to, Nullable: a.Nullable}
	}
}

// bindConcatWs binds concat_ws, which joins strings and arrays of strings without
// their NULLs.
func bindConcatWs(c *call) *Expr {
	sep := c.b.implicitCast(c.args[0], types.StringType)
	parts := []string{sep.SQL}
	for _, a := range c.args[1:] {
		if a.Type.Kind == types.Array {
			a = c.b.losslessCast(a, types.ArrayOf(types.StringType))
			parts = append(parts, fmt.Sprintf("CASE WHEN len(%[1]s) > 0 THEN array_to_string(%[1]s, %[2]s) END", a.SQL, sep.SQL))
			continue
		}
		parts = append(parts, c.b.implicitCast(a, types.StringType).SQL)
	}
	if len(parts) == 1 {
		return &Expr{SQL: "CASE WHEN " + sep.SQL + " IS NULL THEN NULL ELSE '' END", Type: types.StringType, Nullable: sep.Nullable}
	}
	return &Expr{SQL: "concat_ws(" + strings.Join(parts, ", ") + ")", Type: types.StringType, Nullable: sep.Nullable}
}

// bindSplit binds split, by a regular expression.
func bindSplit(c *call) *Expr {
	s := types.StringType
	if len(c.args) == 3 {
		panic(sqlerror.Unsupported("split with a limit"))
	}
	a, p := c.b.implicitCast(c.args[0], s), c.b.implicitCast(c.args[1], s)
	return &Expr{SQL: fmt.Sprintf("regexp_split_to_array(%s, %s)", a.SQL, p.SQL), Type: types.ArrayOf(s), Nullable: a.Nullable}
}
