package front

import (
	"context"
	"io"
	"regexp"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// listing is the result of a metadata call. Its columns are strings and
// integers, as JDBC and ODBC define them.
type listing struct {
	columns []warehouse.Column
	rows    [][]any
	done    bool
}

// newListing takes column names. A column is a STRING unless its type follows its
// name ("ORDINAL_POSITION INT").
func newListing(columns ...string) *listing {
	l := &listing{}
	for _, column := range columns {
		name, sqlType, ok := strings.Cut(column, " ")
		if !ok {
			sqlType = "STRING"
		}
		t := arrow.DataType(arrow.BinaryTypes.String)
		switch sqlType {
		case "SMALLINT":
			t = arrow.PrimitiveTypes.Int16
		case "INT":
			t = arrow.PrimitiveTypes.Int32
		}
		l.columns = append(l.columns, warehouse.Column{
			Name: name, Type: sqlType, Arrow: arrow.Field{Name: name, Type: t, Nullable: true},
		})
	}
	return l
}

// add appends a row of strings, ints and nils; missing trailing columns are NULL.
func (l *listing) add(values ...any) { l.rows = append(l.rows, values) }

func (l *listing) Columns() []warehouse.Column { return l.columns }

func (l *listing) Close() error { return nil }

func (l *listing) Next(context.Context) (arrow.RecordBatch, error) {
	if l.done || len(l.rows) == 0 {
		return nil, io.EOF
	}
	l.done = true
	fields := make([]arrow.Field, len(l.columns))
	for i, c := range l.columns {
		fields[i] = c.Arrow
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(fields, nil))
	defer b.Release()
	for _, row := range l.rows {
		for i := range l.columns {
			var value any
			if i < len(row) {
				value = row[i]
			}
			appendValue(b.Field(i), value)
		}
	}
	return b.NewRecordBatch(), nil
}

func appendValue(b array.Builder, value any) {
	switch v := value.(type) {
	case string:
		if s, ok := b.(*array.StringBuilder); ok {
			s.Append(v)
			return
		}
	case int:
		switch n := b.(type) {
		case *array.Int16Builder:
			n.Append(int16(v))
			return
		case *array.Int32Builder:
			n.Append(int32(v))
			return
		}
	}
	b.AppendNull()
}

// patternMatcher returns the test for a JDBC pattern: % matches any text, _ any
// character, and a backslash escapes. Matching ignores case. No pattern, an empty
// one, and * match everything.
func patternMatcher(p *string) func(string) bool {
	if p == nil || *p == "" || *p == "*" {
		return func(string) bool { return true }
	}
	var expr strings.Builder
	expr.WriteString("(?is)^")
	for runes := []rune(*p); len(runes) > 0; runes = runes[1:] {
		switch {
		case runes[0] == '\\' && len(runes) > 1:
			runes = runes[1:]
			expr.WriteString(regexp.QuoteMeta(string(runes[0])))
		case runes[0] == '%':
			expr.WriteString(".*")
		case runes[0] == '_':
			expr.WriteString(".")
		default:
			expr.WriteString(regexp.QuoteMeta(string(runes[0])))
		}
	}
	return regexp.MustCompile(expr.String() + "$").MatchString
}

// identifierMatcher returns the test for one name; without a name, every name
// matches.
func identifierMatcher(name *string) func(string) bool {
	return func(s string) bool { return name == nil || *name == "" || strings.EqualFold(s, *name) }
}
