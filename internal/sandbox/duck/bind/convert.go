package bind

import (
	"fmt"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/ducktype"
)

// castMode defines the result of a cast for a value that does not fit.
type castMode string

const (
	castANSI   castMode = "a"
	castLegacy castMode = "l"
	castTry    castMode = "t"
)

func (b *binder) sessionCastMode() castMode {
	if b.env.ANSI {
		return castANSI
	}
	return castLegacy
}

// explicitCast binds a CAST or TRY_CAST.
func (b *binder) explicitCast(e *Expr, t *types.Type, try bool) *Expr {
	m := b.sessionCastMode()
	if try {
		m = castTry
	}
	if !castable(e.Type, t) {
		panic(
			sqlerror.New(
				"DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION",
				"42K09",
				"Cannot resolve \"CAST(%s AS %s)\" due to data type mismatch: cannot cast \"%s\" to \"%s\".",
				e.Name,
				t,
				e.Type,
				t,
			),
		)
	}
	return &Expr{SQL: b.castSQL(e.SQL, e.Type, t, m), Type: t.WithoutLength(), Name: e.Name,
		Nullable: e.Nullable || m != castANSI || e.Type.Kind == types.Void, aggregate: e.aggregate, members: sameMembers(e, t)}
}

func sameMembers(e *Expr, t *types.Type) []member {
	if e.Type.Equal(t) {
		return e.members
	}
	return nil
}

// implicitCast casts to the required type, or panics if Databricks has no such
// implicit cast.
func (b *binder) implicitCast(e *Expr, t *types.Type) *Expr {
	if e.Type.Equal(t) || e.Type.WithoutLength().Equal(t.WithoutLength()) {
		return e
	}
	if e.Type.Kind != types.Void && e.Type.Atomic() != t.Atomic() || !castable(e.Type, t) {
		panic(
			sqlerror.TypeMismatch(
				"Cannot resolve \"%s\" due to data type mismatch: an expression of the \"%s\" type is required, however it has the type \"%s\".",
				e.Name,
				t,
				e.Type,
			),
		)
	}
	out := *e
	out.SQL, out.Type, out.members = b.castSQL(e.SQL, e.Type, t, b.sessionCastMode()), t.WithoutLength(), nil
	return &out
}

// storeCast casts a value to the type of the column that stores it, always in ANSI
// mode.
func (b *binder) storeCast(e *Expr, t *types.Type) string {
	if !castable(e.Type, t) {
		panic(
			sqlerror.New(
				"DELTA_FAILED_TO_MERGE_FIELDS",
				"22005",
				"Failed to merge fields: the value %s of type \"%s\" cannot be stored as \"%s\".",
				e.Name,
				e.Type,
				t,
			),
		)
	}
	sql := b.castSQL(e.SQL, e.Type, t, castANSI)
	if t.Kind == types.String && t.Length > 0 {
		sql = fmt.Sprintf("dbx_limit(%s, %d, %t)", sql, t.Length, t.Char)
	}
	return sql
}

// castable reports whether Databricks can cast one type to the other.
func castable(from, to *types.Type) bool {
	switch {
	case from.Kind == types.Void || to.Kind == types.String:
		return true
	case from.Kind == types.Interval || to.Kind == types.Interval:
		return from.Kind == to.Kind
	case from.Kind == types.String:
		return to.Atomic() && to.Kind != types.Void
	case to.Kind == types.Void:
		return false
	case from.Kind == types.Array && to.Kind == types.Array:
		return castable(from.Elem, to.Elem)
	case from.Kind == types.Map && to.Kind == types.Map:
		return castable(from.Key, to.Key) && castable(from.Elem, to.Elem)
	case from.Kind == types.Struct && to.Kind == types.Struct:
		if len(from.Fields) != len(to.Fields) {
			return false
		}
		for i := range from.Fields {
			if !castable(from.Fields[i].Type, to.Fields[i].Type) {
				return false
			}
		}
		return true
	case !from.Atomic() || !to.Atomic():
		return false
	case from.Kind == types.Binary || to.Kind == types.Binary:
		return from.Kind == to.Kind
	case from.Kind == types.Date:
		return to.Temporal()
	case from.Kind == types.TimestampNTZ:
		return to.Temporal()
	case to.Kind == types.Date || to.Kind == types.TimestampNTZ:
		return from.Temporal()
	}
	return true
}

// castSQL returns the SQL of a cast.
func (b *binder) castSQL(x string, from, to *types.Type, m castMode) string {
	if from.WithoutLength().Equal(to.WithoutLength()) {
		return x
	}
	switch {
	case from.Kind == types.Void:
		return cast("NULL", to)
	case to.Kind == types.String:
		return b.textSQL(x, from)
	case from.Kind == types.String:
		return b.castText(x, to, m)
	case !to.Atomic():
		return b.castNested(x, from, to, m)
	case from.Temporal() || to.Temporal():
		return b.castTemporal(x, from, to)
	}
	return castNumber(x, from, to, m)
}

func (b *binder) castText(x string, to *types.Type, m castMode) string {
	cast := b.castTextByRoutine(x, to, m)
	if own, same := ownCast(x, to); own != "" {
		return "CASE WHEN " + same + " THEN " + own + " ELSE " + cast + " END"
	}
	return cast
}

// ownCast returns DuckDB's cast of a column of texts, and the condition under which its
// result is Spark's, in every mode; "" if there is none. DuckDB's casts accept more texts
// than Spark's and round some, but take a tenth of the time. An expression that is not a
// column would be evaluated several times.
func ownCast(x string, to *types.Type) (own, same string) {
	if !isColumn(x) {
		return "", ""
	}
	own = "TRY_CAST(" + x + " AS " + ducktype.Of(to) + ")"
	switch {
	case to.Integral():
		return own, "CAST(" + own + " AS VARCHAR) = " + x
	case to.Kind == types.Double:
		return own, fmt.Sprintf("isfinite(%[1]s) AND NOT contains(%[2]s, '_') AND NOT contains(%[2]s, '+')", own, x)
	case to.Kind == types.Boolean:
		return x + " = 'true'", x + " IN ('true', 'false')"
	case to.Kind == types.Date:
		return own, fmt.Sprintf("strlen(%[1]s) = 10 AND CAST(%[2]s AS VARCHAR) = %[1]s", x, own)
	case to.Kind == types.Timestamp:
		return own, fmt.Sprintf("strlen(%[1]s) = 27 AND strftime(%[2]s, '%%Y-%%m-%%dT%%H:%%M:%%S.%%fZ') = %[1]s", x, own)
	}
	return "", ""
}

// isColumn reports whether the SQL of an expression is the name of a column.
func isColumn(x string) bool {
	for i := range len(x) {
		c := x[i]
		letter := c >= 'a' && c <= 'z' || c == '_'
		if !letter && (i == 0 || c != '.' && (c < '0' || c > '9')) {
			return false
		}
	}
	return x != ""
}

func (b *binder) castTextByRoutine(x string, to *types.Type, m castMode) string {
	switch {
	case to.Integral():
		return cast(fmt.Sprintf("dbx_int(%s, '%s', '%s')", x, to, m), to)
	case to.Fractional():
		return cast(fmt.Sprintf("dbx_float(%s, '%s', '%s')", x, to, m), to)
	}
	switch to.Kind {
	case types.Decimal:
		return cast(fmt.Sprintf("dbx_decimal(%s, %d, %d, '%s')", x, to.Precision, to.Scale, m), to)
	case types.Boolean:
		return fmt.Sprintf("dbx_bool(%s, '%s')", x, m)
	case types.Date:
		return fmt.Sprintf("(DATE '1970-01-01' + dbx_date(%s, '%s'))", x, m)
	case types.Timestamp:
		return fmt.Sprintf("make_timestamp(dbx_timestamp(%s, %s, '%s'))", x, StringLiteral(b.zone()), m)
	case types.TimestampNTZ:
		return fmt.Sprintf("make_timestamp(dbx_timestamp(%s, '', '%s'))", x, m)
	}
	return "encode(" + x + ")"
}

func castNumber(x string, from, to *types.Type, m castMode) string {
	function := "CAST("
	if m != castANSI {
		function = "TRY_CAST("
	}
	switch {
	case to.Integral() && (from.Fractional() || from.Kind == types.Decimal):
		if m == castLegacy && from.Fractional() {
			return clampToInteger(x, to)
		}
		x = "trunc(" + x + ")"
	case m == castLegacy && to.Integral() && from.Integral() && to.Kind < from.Kind:
		bits := map[types.Kind]int{types.TinyInt: 8, types.SmallInt: 16, types.Int: 32}[to.Kind]
		return cast(
			fmt.Sprintf("(xor(%s & %d, %d) - %d)", cast(x, types.BigIntType), int64(1)<<bits-1, int64(1)<<(bits-1), int64(1)<<(bits-1)),
			to,
		)
	case to.Kind == types.Decimal && from.Fractional():
		return cast(fmt.Sprintf("dbx_decimal(%s, %d, %d, '%s')", "CAST("+x+" AS VARCHAR)", to.Precision, to.Scale, m), to)
	case to.Fractional() && from.Kind == types.Decimal && from.Precision > 15:
		// Casting via text yields the nearest double, as in Java.
		x = "CAST(" + x + " AS VARCHAR)"
	}
	return function + x + " AS " + ducktype.Of(to) + ")"
}

// clampToInteger limits a float to an integer type's range, as Java's casts do.
func clampToInteger(x string, to *types.Type) string {
	low, high := "-9223372036854775808", "9223372036854775807"
	limit := "9.223372036854775807e18"
	if to.Kind != types.BigInt {
		low, high, limit = "-2147483648", "2147483647", "2147483647.0"
	}
	s := fmt.Sprintf(
		"CASE WHEN isnan(%[1]s) THEN 0 WHEN %[1]s >= %[2]s THEN %[3]s WHEN %[1]s <= -%[2]s THEN %[4]s ELSE CAST(trunc(%[1]s) AS BIGINT) END",
		x,
		limit,
		high,
		low,
	)
	wide := types.IntType
	if to.Kind == types.BigInt {
		wide = types.BigIntType
	}
	return castNumber(cast("("+s+")", wide), wide, to, castLegacy)
}

func (b *binder) castTemporal(x string, from, to *types.Type) string {
	switch {
	case from.Temporal() && to.Kind == types.Date:
		return "CAST(" + b.toLocalTime(x, from) + " AS DATE)"
	case from.Temporal() && to.Kind == types.TimestampNTZ:
		return "CAST(" + b.toLocalTime(x, from) + " AS TIMESTAMP)"
	case from.Temporal() && to.Kind == types.Timestamp:
		return b.fromLocalTime("CAST(" + x + " AS TIMESTAMP)")
	case from.Integral():
		return fmt.Sprintf("make_timestamp(CAST(%s AS BIGINT) * 1000000)", x)
	case from.Kind == types.Boolean:
		return fmt.Sprintf("make_timestamp(CAST(%s AS BIGINT))", x)
	case from.Numeric():
		return fmt.Sprintf("make_timestamp(CAST(trunc(%s * 1000000) AS BIGINT))", x)
	case to.Kind == types.Double || to.Kind == types.Float:
		return fmt.Sprintf("CAST(epoch_us(%s) / 1000000 AS %s)", x, ducktype.Of(to))
	case to.Kind == types.Decimal:
		return fmt.Sprintf("CAST(CAST(epoch_us(%s) AS DECIMAL(26,6)) / 1000000 AS %s)", x, ducktype.Of(to))
	}
	return fmt.Sprintf("CAST(floor(epoch_us(%s) / 1000000) AS %s)", x, ducktype.Of(to))
}

// toLocalTime converts a value to the local date and time in the session's zone.
func (b *binder) toLocalTime(x string, t *types.Type) string {
	if t.Kind != types.Timestamp || b.utc() {
		return x
	}
	return fmt.Sprintf("timezone(%s, timezone('UTC', %s))", StringLiteral(b.zone()), x)
}

// fromLocalTime converts a local date and time in the session's zone to a timestamp.
func (b *binder) fromLocalTime(x string) string {
	if b.utc() {
		return x
	}
	return fmt.Sprintf("timezone('UTC', timezone(%s, %s))", StringLiteral(b.zone()), x)
}

func (b *binder) zone() string {
	if b.utc() {
		return "UTC"
	}
	b.location()
	return b.env.Zone
}

func (b *binder) newVariable() string {
	b.aliasCount++
	return fmt.Sprintf("v%d", b.aliasCount)
}

func (b *binder) castNested(x string, from, to *types.Type, m castMode) string {
	switch to.Kind {
	case types.Array:
		v := b.newVariable()
		return fmt.Sprintf("list_transform(%s, lambda %s: %s)", x, v, b.castSQL(v, from.Elem, to.Elem, m))
	case types.Map:
		v := b.newVariable()
		return fmt.Sprintf("map_from_entries(list_transform(map_entries(%s), lambda %s: struct_pack(\"key\" := %s, \"value\" := %s)))",
			x, v, b.castSQL(v+".key", from.Key, to.Key, m), b.castSQL(v+".value", from.Elem, to.Elem, m))
	}
	parts := make([]string, len(to.Fields))
	for i, f := range to.Fields {
		member := fmt.Sprintf("struct_extract(%s, %s)", x, StringLiteral(from.Fields[i].Name))
		parts[i] = ducktype.Quote(f.Name) + " := " + b.castSQL(member, from.Fields[i].Type, f.Type, m)
	}
	return fmt.Sprintf("CASE WHEN %s IS NULL THEN NULL ELSE struct_pack(%s) END", x, strings.Join(parts, ", "))
}

// textSQL converts a value to text as Databricks prints it.
func (b *binder) textSQL(x string, t *types.Type) string {
	switch t.Kind {
	case types.String:
		return x
	case types.Void:
		return "CAST(NULL AS VARCHAR)"
	case types.Float, types.Double:
		return floatText(x, t)
	case types.Timestamp, types.TimestampNTZ:
		return "CAST(" + b.toLocalTime(x, t) + " AS VARCHAR)"
	case types.Binary:
		return "decode(" + x + ")"
	case types.Interval:
		panic(sqlerror.NotOnDuckDB("an INTERVAL as text"))
	case types.Array:
		v := b.newVariable()
		return fmt.Sprintf(
			"CASE WHEN %[1]s IS NULL THEN NULL ELSE concat('[', array_to_string(list_transform(%[1]s, lambda %[2]s: coalesce(%[3]s, 'null')), ', '), ']') END",
			x,
			v,
			b.textSQL(v, t.Elem),
		)
	case types.Map:
		v := b.newVariable()
		return fmt.Sprintf(
			"CASE WHEN %[1]s IS NULL THEN NULL ELSE concat('{', array_to_string(list_transform(map_entries(%[1]s), lambda %[2]s: concat(%[3]s, ' -> ', coalesce(%[4]s, 'null'))), ', '), '}') END",
			x,
			v,
			b.textSQL(v+".key", t.Key),
			b.textSQL(v+".value", t.Elem),
		)
	case types.Struct:
		parts := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			parts[i] = "coalesce(" + b.textSQL(fmt.Sprintf("struct_extract(%s, %s)", x, StringLiteral(f.Name)), f.Type) + ", 'null')"
		}
		return fmt.Sprintf("CASE WHEN %s IS NULL THEN NULL ELSE concat('{', %s, '}') END", x, strings.Join(parts, ", ', ', "))
	}
	return "CAST(" + x + " AS VARCHAR)"
}

// floatText converts a float to text as Java does. For numbers that are neither very
// large nor very small, DuckDB does the same; others are formatted in Go.
func floatText(x string, t *types.Type) string {
	return fmt.Sprintf(
		"CASE WHEN abs(%[1]s) >= 0.001::%[2]s AND abs(%[1]s) < 10000000 OR %[1]s = 0 THEN CAST(%[1]s AS VARCHAR) ELSE dbx_%[3]s_text(%[1]s) END",
		x,
		ducktype.Of(t),
		strings.ToLower(ducktype.Of(t)),
	)
}
