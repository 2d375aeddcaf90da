// Package sqltype parses types as Spark and Delta write them.
package sqltype

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"
)

// Column is a column of a table or a result.
type Column struct {
	Name    string
	Type    *types.Type
	NotNull bool
	Comment string
	// Text is the type as DESCRIBE prints it, in lower case.
	Text string
}

var named = map[string]*types.Type{
	"void": types.VoidType, "boolean": types.BooleanType,
	"tinyint": types.TinyIntType, "byte": types.TinyIntType, "smallint": types.SmallIntType, "short": types.SmallIntType,
	"int": types.IntType, "integer": types.IntType, "bigint": types.BigIntType, "long": types.BigIntType,
	"float": types.FloatType, "double": types.DoubleType,
	"string": types.StringType, "binary": types.BinaryType, "date": types.DateType,
	"timestamp": types.TimestampType, "timestamp_ltz": types.TimestampType, "timestamp_ntz": types.TimestampNTZType,
}

// ParseSimple parses a type without members: "decimal(10,2)", "interval day". A type
// whose values are sent as text, such as variant, becomes a string type.
func ParseSimple(text string) (*types.Type, error) {
	text = strings.ToLower(strings.TrimSpace(text))
	if t := named[text]; t != nil {
		return t, nil
	}
	word, arguments, _ := strings.Cut(strings.TrimSuffix(text, ")"), "(")
	switch {
	case word == "decimal":
		p, s, _ := strings.Cut(arguments, ",")
		precision, err := strconv.Atoi(strings.TrimSpace(p))
		if err != nil {
			return nil, fmt.Errorf("the type %q has no precision: %w", text, err)
		}
		scale, err := strconv.Atoi(strings.TrimSpace(s))
		if err != nil {
			return nil, fmt.Errorf("the type %q has no scale: %w", text, err)
		}
		return types.DecimalOf(precision, scale), nil
	case strings.HasPrefix(word, "interval"):
		return types.IntervalType, nil
	case word == "variant", strings.HasPrefix(word, "string collate"):
		return types.StringType, nil
	case word == "varchar" || word == "char":
		length, err := strconv.Atoi(arguments)
		if err != nil {
			return nil, fmt.Errorf("the type %q has no length: %w", text, err)
		}
		return &types.Type{Kind: types.String, Length: length, Char: word == "char"}, nil
	}
	return nil, fmt.Errorf("the sandbox does not support Spark's type %q", text)
}

// Nested reports whether a type, as DESCRIBE prints it, has members.
func Nested(text string) bool {
	return strings.HasPrefix(text, "array<") || strings.HasPrefix(text, "map<") || strings.HasPrefix(text, "struct<")
}

// node is a type in the JSON of Delta or of DESCRIBE ... AS JSON, which use different
// keys.
type node struct {
	Name                string
	Field               []field
	Element, Key, Value *node
	Precision, Scale    int
	Length              int
}

type field struct {
	name, comment string
	notNull       bool
	t             *node
}

// UnmarshalJSON parses a type that is a string or an object.
func (n *node) UnmarshalJSON(text []byte) error {
	if len(text) > 0 && text[0] == '"' {
		return json.Unmarshal(text, &n.Name)
	}
	var o struct {
		Type        string
		Name        string
		ElementType *node
		KeyType     *node
		ValueType   *node
		ElementName *node `json:"element_type"`
		KeyName     *node `json:"key_type"`
		ValueName   *node `json:"value_type"`
		Precision   int
		Scale       int
		Length      int
		Fields      []fieldJSON
	}
	if err := json.Unmarshal(text, &o); err != nil {
		return err
	}
	n.Name = o.Type
	if n.Name == "" {
		n.Name = o.Name
	}
	n.Element, n.Key, n.Value = firstNonNil(
		o.ElementType,
		o.ElementName,
	), firstNonNil(
		o.KeyType,
		o.KeyName,
	), firstNonNil(
		o.ValueType,
		o.ValueName,
	)
	n.Precision, n.Scale, n.Length = o.Precision, o.Scale, o.Length
	for _, f := range o.Fields {
		n.Field = append(n.Field, f.field())
	}
	return nil
}

func firstNonNil(a, b *node) *node {
	if a != nil {
		return a
	}
	return b
}

type fieldJSON struct {
	Name     string
	Type     *node
	Nullable bool
	Comment  string
	Metadata struct {
		Comment string
		// Varchar is the type of a CHAR or VARCHAR column, which Spark stores as a string.
		Varchar string `json:"__CHAR_VARCHAR_TYPE_STRING"`
	}
}

func (f fieldJSON) field() field {
	out := field{name: f.Name, comment: f.Comment, notNull: !f.Nullable, t: f.Type}
	if out.comment == "" {
		out.comment = f.Metadata.Comment
	}
	if f.Metadata.Varchar != "" {
		out.t = &node{Name: f.Metadata.Varchar}
	}
	return out
}

func (n *node) sqlType() (*types.Type, error) {
	if n == nil {
		return nil, fmt.Errorf("Spark's schema lacks a type")
	}
	switch n.Name {
	case "array":
		e, err := n.Element.sqlType()
		if err != nil {
			return nil, err
		}
		return types.ArrayOf(e), nil
	case "map":
		k, err := n.Key.sqlType()
		if err != nil {
			return nil, err
		}
		v, err := n.Value.sqlType()
		if err != nil {
			return nil, err
		}
		return types.MapOf(k, v), nil
	case "struct":
		var fields []types.Field
		for _, f := range n.Field {
			t, err := f.t.sqlType()
			if err != nil {
				return nil, err
			}
			fields = append(fields, types.Field{Name: f.name, Type: t, NotNull: f.notNull, Comment: f.comment})
		}
		return types.StructOf(fields...), nil
	case "decimal":
		return types.DecimalOf(n.Precision, n.Scale), nil
	case "varchar", "char":
		return &types.Type{Kind: types.String, Length: n.Length, Char: n.Name == "char"}, nil
	}
	return ParseSimple(n.Name)
}

func columns(fields []fieldJSON) ([]Column, error) {
	out := make([]Column, len(fields))
	for i, one := range fields {
		f := one.field()
		t, err := f.t.sqlType()
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", f.name, err)
		}
		out[i] = Column{Name: f.name, Type: t, NotNull: f.notNull, Comment: f.comment, Text: t.SimpleString()}
		if t.Kind == types.Interval || f.t.Name == "variant" {
			out[i].Text = f.t.Name
		}
	}
	return out, nil
}

// ParseDelta parses the schemaString of a table's metadata.
func ParseDelta(text string) ([]Column, error) {
	var schema struct{ Fields []fieldJSON }
	if err := json.Unmarshal([]byte(text), &schema); err != nil {
		return nil, fmt.Errorf("read a Delta schema: %w", err)
	}
	return columns(schema.Fields)
}

// ParseDescribe parses the output of DESCRIBE ... AS JSON.
func ParseDescribe(text string) ([]Column, error) {
	var described struct{ Columns []fieldJSON }
	if err := json.Unmarshal([]byte(text), &described); err != nil {
		return nil, fmt.Errorf("read DESCRIBE AS JSON: %w", err)
	}
	return columns(described.Columns)
}
