// Package types models Databricks SQL types: their names, their widening rules, and
// their Arrow types.
//
// It serves both engines.
package types

import (
	"fmt"
	"strings"
)

// Kind is the kind of a type.
type Kind uint8

// The kinds of Databricks types.
const (
	Void Kind = iota
	Boolean
	TinyInt
	SmallInt
	Int
	BigInt
	Float
	Double
	Decimal
	String
	Binary
	Date
	Timestamp
	TimestampNTZ
	Interval
	Array
	Map
	Struct
)

// Type is a Databricks type.
type Type struct {
	Kind Kind
	// Precision and Scale belong to DECIMAL.
	Precision, Scale int
	// Length is the n of VARCHAR(n) and CHAR(n); 0 for STRING.
	Length int
	// Char is true for CHAR(n), false for VARCHAR(n).
	Char bool
	// Key belongs to MAP, Elem to ARRAY and MAP.
	Key, Elem *Type
	Fields    []Field
}

// Field is a member of a STRUCT.
type Field struct {
	Name    string
	Type    *Type
	NotNull bool
	Comment string
}

// The types without parameters.
var (
	VoidType         = &Type{Kind: Void}
	BooleanType      = &Type{Kind: Boolean}
	TinyIntType      = &Type{Kind: TinyInt}
	SmallIntType     = &Type{Kind: SmallInt}
	IntType          = &Type{Kind: Int}
	BigIntType       = &Type{Kind: BigInt}
	FloatType        = &Type{Kind: Float}
	DoubleType       = &Type{Kind: Double}
	StringType       = &Type{Kind: String}
	BinaryType       = &Type{Kind: Binary}
	DateType         = &Type{Kind: Date}
	TimestampType    = &Type{Kind: Timestamp}
	TimestampNTZType = &Type{Kind: TimestampNTZ}
	IntervalType     = &Type{Kind: Interval}
)

// DecimalOf returns DECIMAL(p,s). If p exceeds 38, it is adjusted as in Spark.
func DecimalOf(p, s int) *Type {
	if p > 38 {
		// Keep the integral digits; reduce the scale, to 6 at least.
		digits := p - s
		s = max(38-digits, min(s, 6))
		p = 38
	}
	return &Type{Kind: Decimal, Precision: p, Scale: s}
}

// ArrayOf returns ARRAY<e>.
func ArrayOf(e *Type) *Type { return &Type{Kind: Array, Elem: e} }

// MapOf returns MAP<k,v>.
func MapOf(k, v *Type) *Type { return &Type{Kind: Map, Key: k, Elem: v} }

// StructOf returns STRUCT<fields>.
func StructOf(fields ...Field) *Type { return &Type{Kind: Struct, Fields: fields} }

var names = [...]string{
	"VOID",
	"BOOLEAN",
	"TINYINT",
	"SMALLINT",
	"INT",
	"BIGINT",
	"FLOAT",
	"DOUBLE",
	"DECIMAL",
	"STRING",
	"BINARY",
	"DATE",
	"TIMESTAMP",
	"TIMESTAMP_NTZ",
	"INTERVAL",
	"ARRAY",
	"MAP",
	"STRUCT",
}

// String returns the full type in upper case: DECIMAL(10,2), ARRAY<STRING>.
func (t *Type) String() string {
	switch t.Kind {
	case Decimal:
		return fmt.Sprintf("DECIMAL(%d,%d)", t.Precision, t.Scale)
	case String:
		if t.Length > 0 && t.Char {
			return fmt.Sprintf("CHAR(%d)", t.Length)
		}
		if t.Length > 0 {
			return fmt.Sprintf("VARCHAR(%d)", t.Length)
		}
	case Array:
		return "ARRAY<" + t.Elem.String() + ">"
	case Map:
		return "MAP<" + t.Key.String() + ", " + t.Elem.String() + ">"
	case Struct:
		parts := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			parts[i] = FieldName(f.Name) + ": " + f.Type.String()
		}
		return "STRUCT<" + strings.Join(parts, ", ") + ">"
	}
	return names[t.Kind]
}

// FieldName returns a struct field's name, quoted if SQL requires it.
func FieldName(s string) string {
	for i, r := range s {
		if r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || i > 0 && r >= '0' && r <= '9' {
			continue
		}
		return "`" + strings.ReplaceAll(s, "`", "``") + "`"
	}
	return s
}

// SimpleString returns the form that DESCRIBE and information_schema print: lower
// case, field names not quoted.
func (t *Type) SimpleString() string {
	switch t.Kind {
	case Array:
		return "array<" + t.Elem.SimpleString() + ">"
	case Map:
		return "map<" + t.Key.SimpleString() + "," + t.Elem.SimpleString() + ">"
	case Struct:
		parts := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			parts[i] = f.Name + ":" + f.Type.SimpleString()
		}
		return "struct<" + strings.Join(parts, ",") + ">"
	}
	return strings.ToLower(t.String())
}

// CatalogName returns the type's name for data_type in information_schema.
func (t *Type) CatalogName() string {
	switch t.Kind {
	case TinyInt:
		return "BYTE"
	case SmallInt:
		return "SHORT"
	case BigInt:
		return "LONG"
	case Void:
		return "NULL"
	case String:
		if t.Char {
			return "CHAR"
		}
		return "STRING"
	}
	return names[t.Kind]
}

// Equal reports whether two types are the same, ignoring nullability and comments.
func (t *Type) Equal(u *Type) bool {
	if t.Kind != u.Kind || t.Precision != u.Precision || t.Scale != u.Scale || t.Length != u.Length || t.Char != u.Char {
		return false
	}
	switch t.Kind {
	case Array:
		return t.Elem.Equal(u.Elem)
	case Map:
		return t.Key.Equal(u.Key) && t.Elem.Equal(u.Elem)
	case Struct:
		if len(t.Fields) != len(u.Fields) {
			return false
		}
		for i := range t.Fields {
			if t.Fields[i].Name != u.Fields[i].Name || !t.Fields[i].Type.Equal(u.Fields[i].Type) {
				return false
			}
		}
	}
	return true
}

// Integral reports whether t is a type of whole numbers.
func (t *Type) Integral() bool { return t.Kind >= TinyInt && t.Kind <= BigInt }

// Numeric reports whether t is a type of numbers.
func (t *Type) Numeric() bool { return t.Kind >= TinyInt && t.Kind <= Decimal }

// Fractional reports whether t is FLOAT or DOUBLE.
func (t *Type) Fractional() bool { return t.Kind == Float || t.Kind == Double }

// Temporal reports whether t is a date or a timestamp.
func (t *Type) Temporal() bool { return t.Kind >= Date && t.Kind <= TimestampNTZ }

// Atomic reports whether t is a type without members.
func (t *Type) Atomic() bool { return t.Kind < Array }

// Contains reports whether t or a member of t is of kind k.
func (t *Type) Contains(k Kind) bool {
	if t.Kind == k {
		return true
	}
	if t.Key != nil && t.Key.Contains(k) || t.Elem != nil && t.Elem.Contains(k) {
		return true
	}
	for _, f := range t.Fields {
		if f.Type.Contains(k) {
			return true
		}
	}
	return false
}

// FieldIndex returns the index of a struct field, or -1. The name is not
// case-sensitive.
func (t *Type) FieldIndex(name string) int {
	for i, f := range t.Fields {
		if strings.EqualFold(f.Name, name) {
			return i
		}
	}
	return -1
}

// AsDecimal returns the decimal type that holds every value of an integral type.
func (t *Type) AsDecimal() *Type {
	switch t.Kind {
	case TinyInt:
		return DecimalOf(3, 0)
	case SmallInt:
		return DecimalOf(5, 0)
	case Int:
		return DecimalOf(10, 0)
	case BigInt:
		return DecimalOf(20, 0)
	}
	return t
}

// WithoutLength drops the length of VARCHAR and CHAR, which expressions do not keep.
func (t *Type) WithoutLength() *Type {
	if t.Kind == String {
		return StringType
	}
	return t
}
