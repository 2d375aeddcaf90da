package bind

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/ducktype"
)

// jsonOptions are the options of to_json.
type jsonOptions struct {
	timestamp, timestampNTZ, date string
	ignoreNulls                   bool
}

// toJSON binds to_json(value [, options]).
func (b *binder) toJSON(c *call) *Expr {
	x := c.args[0]
	if x.Type.Atomic() {
		panic(
			sqlerror.TypeMismatch(
				"Cannot resolve \"to_json(%s)\" due to data type mismatch: Input schema \"%s\" must be a struct, an array, a map or a variant.",
				x.Name,
				x.Type,
			),
		)
	}
	o := jsonOptions{ignoreNulls: true, date: "yyyy-MM-dd",
		timestamp: "yyyy-MM-dd'T'HH:mm:ss.SSSXXX", timestampNTZ: "yyyy-MM-dd'T'HH:mm:ss.SSS"}
	if len(c.args) == 2 {
		o.parse(c.args[1])
	}
	return &Expr{SQL: b.jsonValue(x, o), Type: types.StringType, Nullable: x.Nullable}
}

// parse reads the options from a map of literals.
func (o *jsonOptions) parse(m *Expr) {
	if m.Type.Kind != types.Map || len(m.members) == 0 && m.Type.Key.Kind != types.Void {
		panic(sqlerror.New("INVALID_OPTIONS.NON_MAP_FUNCTION", "42K06", "Invalid options: Must use the `map()` function for options."))
	}
	for _, kv := range m.members {
		if kv.expr.text == nil {
			panic(
				sqlerror.New(
					"INVALID_OPTIONS.NON_STRING_TYPE",
					"42K06",
					"Invalid options: A type of keys and values in `map()` must be string, but got \"%s\".",
					kv.expr.Type,
				),
			)
		}
		v := *kv.expr.text
		switch strings.ToLower(kv.name) {
		case "timestampformat":
			o.timestamp = v
		case "timestampntzformat":
			o.timestampNTZ = v
		case "dateformat":
			o.date = v
		case "ignorenullfields":
			o.ignoreNulls = !strings.EqualFold(v, "false")
		case "timezone":
			panic(sqlerror.NotOnDuckDB("the option timeZone of to_json"))
		default:
			panic(sqlerror.NotOnDuckDB("the option " + kv.name + " of to_json"))
		}
	}
}

// jsonValue converts a value to JSON; NULL stays NULL. The fields of struct(...) are
// converted directly, without building the struct.
func (b *binder) jsonValue(x *Expr, o jsonOptions) string {
	if x.Type.Kind == types.Struct && x.members != nil {
		names, values := make([]string, len(x.members)), make([]string, len(x.members))
		for i, m := range x.members {
			names[i], values[i] = m.name, b.jsonValue(m.expr, o)
		}
		return jsonObject(names, values, o)
	}
	return b.jsonSQL(x.SQL, x.Type, o)
}

func (b *binder) jsonSQL(x string, t *types.Type, o jsonOptions) string {
	if duckJSONMatchesSpark(t) {
		return "CAST(to_json(" + x + ") AS VARCHAR)"
	}
	switch t.Kind {
	case types.Void:
		return "CAST(NULL AS VARCHAR)"
	case types.Boolean, types.TinyInt, types.SmallInt, types.Int, types.BigInt, types.Decimal:
		return "CAST(" + x + " AS VARCHAR)"
	case types.Float, types.Double:
		return fmt.Sprintf("CASE WHEN isfinite(%[1]s) THEN %[2]s ELSE '\"' || dbx_%[3]s_text(%[1]s) || '\"' END",
			x, floatText(x, t), strings.ToLower(ducktype.Of(t)))
	case types.Binary:
		return "('\"' || base64(" + x + ") || '\"')"
	case types.Date:
		return b.jsonTime(x, t, o.date)
	case types.Timestamp:
		return b.jsonTime(x, t, o.timestamp)
	case types.TimestampNTZ:
		return b.jsonTime(x, t, o.timestampNTZ)
	case types.Array:
		v := b.newVariable()
		return b.jsonList(x, "[", "]", fmt.Sprintf("list_transform(%s, lambda %s: coalesce(%s, 'null'))", x, v, b.jsonSQL(v, t.Elem, o)))
	case types.Map:
		v := b.newVariable()
		return b.jsonList(
			x,
			"{",
			"}",
			fmt.Sprintf("list_transform(map_entries(%s), lambda %s: concat(CAST(to_json(%s) AS VARCHAR), ':', coalesce(%s, 'null')))",
				x, v, b.jsonKey(v+".key", t.Key), b.jsonSQL(v+".value", t.Elem, o)),
		)
	case types.Struct:
		names, values := make([]string, len(t.Fields)), make([]string, len(t.Fields))
		for i, f := range t.Fields {
			names[i] = f.Name
			values[i] = b.jsonSQL(fmt.Sprintf("struct_extract(%s, %s)", x, StringLiteral(f.Name)), f.Type, o)
		}
		return fmt.Sprintf("CASE WHEN %s IS NULL THEN NULL ELSE %s END", x, jsonObject(names, values, o))
	}
	panic(sqlerror.TypeMismatch("to_json of the type \"%s\" is not supported.", t))
}

// jsonList joins the members of x. Without coalescing, an empty list would yield NULL.
func (b *binder) jsonList(x, before, after, members string) string {
	return fmt.Sprintf("CASE WHEN %s IS NULL THEN NULL ELSE concat('%s', array_to_string(%s, ','), '%s') END", x, before, members, after)
}

// jsonKey converts a map's key to text. Spark writes dates and times as numbers.
func (b *binder) jsonKey(x string, t *types.Type) string {
	switch t.Kind {
	case types.Date:
		return fmt.Sprintf("CAST(datediff('day', DATE '1970-01-01', %s) AS VARCHAR)", x)
	case types.Timestamp, types.TimestampNTZ:
		return fmt.Sprintf("CAST(epoch_us(%s) AS VARCHAR)", x)
	}
	return b.textSQL(x, t)
}

// jsonTime converts a time to a JSON string. Only some patterns can yield characters
// that need escaping.
func (b *binder) jsonTime(x string, t *types.Type, pattern string) string {
	text := b.formatTime(x, t, pattern)
	if strings.ContainsAny(pattern, "\"\\") {
		return "CAST(to_json(" + text + ") AS VARCHAR)"
	}
	return "('\"' || " + text + " || '\"')"
}

// duckJSONMatchesSpark reports whether DuckDB's to_json writes a type as Spark does,
// including NULLs in arrays and maps.
func duckJSONMatchesSpark(t *types.Type) bool {
	switch t.Kind {
	case types.String:
		return true
	case types.Array:
		return duckJSONMatchesSpark(t.Elem) || t.Elem.Integral() || t.Elem.Kind == types.Boolean
	case types.Map:
		return t.Key.Kind == types.String && (duckJSONMatchesSpark(t.Elem) || t.Elem.Integral() || t.Elem.Kind == types.Boolean)
	}
	return false
}

func jsonObject(names, values []string, o jsonOptions) string {
	if len(names) == 0 {
		return "'{}'"
	}
	parts := make([]string, len(names))
	for i, n := range names {
		key := jsonString(n) + ":"
		if o.ignoreNulls {
			parts[i] = StringLiteral(key) + " || " + values[i]
			continue
		}
		if i > 0 {
			key = "," + key
		}
		parts[i] = StringLiteral(key) + ", coalesce(" + values[i] + ", 'null')"
	}
	if o.ignoreNulls {
		return "concat('{', concat_ws(',', " + strings.Join(parts, ", ") + "), '}')"
	}
	return "concat('{', " + strings.Join(parts, ", ") + ", '}')"
}

// jsonString quotes a string as Jackson does, without escaping <, > and &.
func jsonString(s string) string {
	var out strings.Builder
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // encoding a string cannot fail
	return strings.TrimSuffix(out.String(), "\n")
}
