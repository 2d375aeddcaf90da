package bind

import (
	"fmt"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"
)

func init() {
	s, i := types.StringType, types.IntType
	register("upper", template(s, "upper($1)", s))
	register("lower", template(s, "lower($1)", s))
	register("trim", byArgumentCount(template(s, "trim($1, ' ')", s), template(s, "trim($2, $1)", s, s)))
	register("ltrim", byArgumentCount(template(s, "ltrim($1, ' ')", s), template(s, "ltrim($2, $1)", s, s)))
	register("rtrim", byArgumentCount(template(s, "rtrim($1, ' ')", s), template(s, "rtrim($2, $1)", s, s)))
	register("length", function{min: 1, max: 1, bind: bindLength})
	register("substring substr", byArgumentCount(
		template(s, "dbx_substring($1, $2, 2147483647)", s, i),
		template(s, "dbx_substring($1, $2, $3)", s, i, i)))
	register("left", template(s, "CASE WHEN $2 <= 0 THEN '' ELSE left($1, $2) END", s, i))
	register("right", template(s, "CASE WHEN $2 <= 0 THEN '' ELSE right($1, $2) END", s, i))
	register(
		"replace",
		byArgumentCount(template(s, "replace($1, $2, '')", s, s), template(s, "CASE WHEN $2 = '' THEN $1 ELSE replace($1, $2, $3) END", s, s, s)),
	)
	register("repeat", template(s, "repeat($1, greatest($2, 0))", s, i))
	register("lpad", byArgumentCount(template(s, "lpad($1, $2, ' ')", s, i), template(s, "lpad($1, $2, $3)", s, i, s)))
	register("rpad", byArgumentCount(template(s, "rpad($1, $2, ' ')", s, i), template(s, "rpad($1, $2, $3)", s, i, s)))
	register("startswith", template(types.BooleanType, "starts_with($1, $2)", s, s))
	register("endswith", template(types.BooleanType, "suffix($1, $2)", s, s))
	register("contains", template(types.BooleanType, "contains($1, $2)", s, s))
	register("concat", function{min: 0, max: -1, bind: func(c *call) *Expr { return c.b.concat(c.args) }})
	register("concat_ws", function{min: 1, max: -1, bind: bindConcatWs})
	register("split", template(types.ArrayOf(s), "regexp_split_to_array($1, $2)", s, s))
	register("split_part", template(s, "coalesce(split_part($1, $2, $3), '')", s, s, i))
	register("regexp_extract", byArgumentCount(
		template(s, "regexp_extract($1, $2, 1)", s, s),
		template(s, "regexp_extract($1, $2, $3)", s, s, i)))
	register("base64", function{min: 1, max: 1, bind: bindOnBytes(s, "base64(%s)")})
	register("hex", function{min: 1, max: 1, bind: func(c *call) *Expr {
		if c.args[0].Type.Numeric() {
			return template(s, "upper(to_hex($1))", types.BigIntType).bind(c)
		}
		return bindOnBytes(s, "hex(%s)")(c)
	}})
	register("unhex", template(types.BinaryType, "dbx_unhex($1)", s))
	register("md5", function{min: 1, max: 1, bind: bindHash("md5(%s)")})
	register("sha2", function{min: 2, max: 2, bind: bindSha2})
	register("uuid", function{bind: func(*call) *Expr { return &Expr{SQL: "CAST(uuid() AS VARCHAR)", Type: s} }})
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
