package bind

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sparkvalue"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/syntax"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/ducktype"
)

// StringLiteral returns a DuckDB string. SQL text cannot contain NUL, so a string with
// NUL is composed with chr(0).
func StringLiteral(s string) string {
	if !strings.Contains(s, "\x00") {
		return "'" + strings.ReplaceAll(s, "'", "''") + "'"
	}
	parts := strings.Split(s, "\x00")
	for i, p := range parts {
		parts[i] = "'" + strings.ReplaceAll(p, "'", "''") + "'"
	}
	return "concat(" + strings.Join(parts, ", chr(0), ") + ")"
}

func cast(sql string, t *types.Type) string { return "CAST(" + sql + " AS " + ducktype.Of(t) + ")" }

func (b *binder) stringLiteral(s string) *Expr {
	return &Expr{SQL: StringLiteral(s), Type: types.StringType, Name: s, text: &s, literal: true}
}

func (b *binder) null() *Expr {
	return &Expr{SQL: "NULL", Type: types.VoidType, Name: "NULL", Nullable: true, literal: true}
}

// number binds a numeric literal. Its type is the smallest of INT, BIGINT and DECIMAL
// that holds it; DECIMAL if it has a point; DOUBLE if it has an exponent.
func (b *binder) number(text string) *Expr {
	body, suffix := text, ""
	for _, s := range []string{"BD", "L", "S", "Y", "F", "D"} {
		if strings.HasSuffix(text, s) {
			body, suffix = strings.TrimSuffix(text, s), s
			break
		}
	}
	t := literalType(body, suffix)
	if t == nil {
		panic(
			sqlerror.New(
				"INVALID_NUMERIC_LITERAL_RANGE",
				"22003",
				"Numeric literal %s is outside the valid range for its type. Please adjust the value accordingly.",
				text,
			),
		)
	}
	value := body
	if !t.Integral() {
		value = StringLiteral(body)
	}
	return &Expr{SQL: cast(value, t), Type: t, Name: numberName(body, t), text: &body, literal: true}
}

// numberName returns a number as it appears in a generated column name.
func numberName(body string, t *types.Type) string {
	if t.Fractional() {
		if f, ok := sparkvalue.ParseJavaFloat(body, 64); ok {
			return sparkvalue.FormatFloat(f, map[bool]int{true: 64, false: 32}[t.Kind == types.Double])
		}
	}
	return body
}

func literalType(body, suffix string) *types.Type {
	fits := func(bits int, t *types.Type) *types.Type {
		if _, err := strconv.ParseInt(body, 10, bits); err != nil {
			return nil
		}
		return t
	}
	switch suffix {
	case "L":
		return fits(64, types.BigIntType)
	case "S":
		return fits(16, types.SmallIntType)
	case "Y":
		return fits(8, types.TinyIntType)
	case "F":
		return types.FloatType
	case "D":
		return types.DoubleType
	}
	if suffix == "" && strings.ContainsAny(body, "E") {
		return types.DoubleType
	}
	if suffix == "" && !strings.Contains(body, ".") {
		if t := fits(32, types.IntType); t != nil {
			return t
		}
		if t := fits(64, types.BigIntType); t != nil {
			return t
		}
	}
	p, s, ok := sparkvalue.DecimalShape(body)
	if !ok || p > 38 || s > 38 {
		return nil
	}
	return types.DecimalOf(max(p, s), s)
}

func (b *binder) typed(x syntax.Typed) *Expr {
	invalid := func() *Expr {
		panic(sqlerror.New("INVALID_TYPED_LITERAL", "42604", "The value of the typed literal \"%s\" is invalid: '%s'.", x.Type, x.Value))
	}
	switch x.Type.Kind {
	case types.Date:
		days, ok := sparkvalue.ParseDate(x.Value)
		if !ok {
			return invalid()
		}
		return &Expr{SQL: dateSQL(days), Type: x.Type, Name: "DATE '" + x.Value + "'", literal: true}
	default:
		// A TIMESTAMP literal without a zone is in the session's zone.
		loc := time.UTC
		if x.Type.Kind == types.Timestamp {
			loc = b.location()
		}
		micros, zoned, ok := sparkvalue.ParseTimestamp(x.Value, loc, b.env.Now)
		if !ok || x.Type.Kind == types.TimestampNTZ && zoned {
			return invalid()
		}
		return &Expr{SQL: timestampSQL(micros), Type: x.Type, Name: x.Type.String() + " '" + x.Value + "'", literal: true}
	}
}

func dateSQL(days int64) string {
	return fmt.Sprintf("(DATE '1970-01-01' + CAST(%d AS INTEGER))", days)
}

func timestampSQL(micros int64) string {
	return fmt.Sprintf("make_timestamp(CAST(%d AS BIGINT))", micros)
}

func bytesSQL(v []byte) string { return "unhex('" + hex.EncodeToString(v) + "')" }

func (b *binder) location() *time.Location {
	if b.utc() {
		return time.UTC
	}
	loc, err := sparkvalue.Zone(b.env.Zone)
	if err != nil {
		panic(
			sqlerror.New(
				"INVALID_CONF_VALUE.TIME_ZONE",
				"22022",
				"The value '%s' in the config \"spark.sql.session.timeZone\" is invalid. Cannot resolve the given timezone.",
				b.env.Zone,
			),
		)
	}
	return loc
}

func (b *binder) utc() bool {
	switch strings.ToUpper(b.env.Zone) {
	case "", "UTC", "ETC/UTC", "Z", "GMT", "+00:00":
		return true
	}
	return false
}

// param binds a parameter's value as a typed literal.
func (b *binder) param(p *syntax.Param) *Expr {
	v, err := p.Value(b.env.Params)
	panicOnError(err)
	return b.paramValue(v.Type, v.Value)
}

func (b *binder) paramValue(typeName string, value *string) *Expr {
	t := types.StringType
	if typeName != "" {
		var err error
		if strings.HasPrefix(strings.ToUpper(typeName), "INTERVAL") {
			panic(sqlerror.NotOnDuckDB("a parameter of type INTERVAL"))
		}
		if t, err = syntax.ParseType(typeName); err != nil {
			panicOnError(err)
		}
	}
	if t.Kind == types.Decimal && value != nil && !strings.Contains(typeName, "(") {
		// DECIMAL without a size takes the size of the value.
		if p, s, ok := sparkvalue.DecimalShape(*value); ok {
			t = types.DecimalOf(max(p, s), s)
		}
	}
	if value == nil || t.Kind == types.Void {
		return &Expr{SQL: cast("NULL", t), Type: t, Name: "NULL", Nullable: true, literal: true}
	}
	e := b.stringLiteral(*value)
	if t.Kind == types.String {
		return e
	}
	ansi := b.env.ANSI
	b.env.ANSI = true
	defer func() { b.env.ANSI = ansi }()
	out := *b.explicitCast(e, t, false)
	out.Name, out.text, out.literal = *value, value, true
	return &out
}
