package types

import (
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
)

// Duck is the DuckDB type that holds values of t. Both timestamp types are a
// DuckDB TIMESTAMP: microseconds in UTC for TIMESTAMP, wall clock for the
// other. The binder keeps them apart.
func (t *Type) Duck() string {
	switch t.Kind {
	case Void:
		return "INTEGER"
	case Int:
		return "INTEGER"
	case Decimal:
		return fmt.Sprintf("DECIMAL(%d,%d)", t.Precision, t.Scale)
	case String:
		return "VARCHAR"
	case Binary:
		return "BLOB"
	case TimestampNTZ:
		return "TIMESTAMP"
	case Array:
		return t.Elem.Duck() + "[]"
	case Map:
		return "MAP(" + t.Key.Duck() + ", " + t.Elem.Duck() + ")"
	case Struct:
		parts := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			parts[i] = Quote(f.Name) + " " + f.Type.Duck()
		}
		return "STRUCT(" + strings.Join(parts, ", ") + ")"
	}
	return names[t.Kind]
}

// Quote writes a DuckDB identifier.
func Quote(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

// Arrow is the type that Databricks sends for t.
func (t *Type) Arrow() arrow.DataType {
	switch t.Kind {
	case Void:
		return arrow.Null
	case Boolean:
		return arrow.FixedWidthTypes.Boolean
	case TinyInt:
		return arrow.PrimitiveTypes.Int8
	case SmallInt:
		return arrow.PrimitiveTypes.Int16
	case Int:
		return arrow.PrimitiveTypes.Int32
	case BigInt:
		return arrow.PrimitiveTypes.Int64
	case Float:
		return arrow.PrimitiveTypes.Float32
	case Double:
		return arrow.PrimitiveTypes.Float64
	case Decimal:
		return &arrow.Decimal128Type{Precision: int32(t.Precision), Scale: int32(t.Scale)}
	case Binary:
		return arrow.BinaryTypes.Binary
	case Date:
		return arrow.FixedWidthTypes.Date32
	case Timestamp:
		return &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}
	case TimestampNTZ:
		return &arrow.TimestampType{Unit: arrow.Microsecond}
	case Array:
		return arrow.ListOf(t.Elem.Arrow())
	case Map:
		return arrow.MapOf(t.Key.Arrow(), t.Elem.Arrow())
	case Struct:
		fields := make([]arrow.Field, len(t.Fields))
		for i, f := range t.Fields {
			fields[i] = arrow.Field{Name: f.Name, Type: f.Type.Arrow(), Nullable: !f.NotNull}
		}
		return arrow.StructOf(fields...)
	}
	return arrow.BinaryTypes.String
}
