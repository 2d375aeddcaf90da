package spark

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/fixedresult"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/spark/hive"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/spark/rewrite"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/spark/rows"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/spark/sqltype"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/tcli"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// fetchRows is the number of rows per fetch.
const fetchRows = 10_000

// serverTypes are the types that the server's metadata describes completely.
var serverTypes = map[tcli.TTypeId]*types.Type{
	tcli.TTypeId_BOOLEAN_TYPE: types.BooleanType, tcli.TTypeId_TINYINT_TYPE: types.TinyIntType, tcli.TTypeId_SMALLINT_TYPE: types.SmallIntType,
	tcli.TTypeId_INT_TYPE: types.IntType, tcli.TTypeId_BIGINT_TYPE: types.BigIntType, tcli.TTypeId_FLOAT_TYPE: types.FloatType,
	tcli.TTypeId_DOUBLE_TYPE: types.DoubleType, tcli.TTypeId_STRING_TYPE: types.StringType, tcli.TTypeId_BINARY_TYPE: types.BinaryType,
	tcli.TTypeId_DATE_TYPE: types.DateType, tcli.TTypeId_NULL_TYPE: types.VoidType,
	tcli.TTypeId_VARCHAR_TYPE: types.StringType, tcli.TTypeId_CHAR_TYPE: types.StringType,
}

// columnsOfMetadata converts the server's metadata. exact is false if it does not
// determine a column's type.
func columnsOfMetadata(from []*tcli.TColumnDesc) (columns []rows.Column, exact bool) {
	exact = true
	for _, c := range from {
		out := rows.Column{Name: c.ColumnName, Type: types.StringType, Comment: c.GetComment()}
		entry := c.TypeDesc.Types[0].PrimitiveEntry
		switch {
		case serverTypes[entry.Type] != nil:
			out.Type = serverTypes[entry.Type]
		case entry.Type == tcli.TTypeId_DECIMAL_TYPE:
			q := entry.TypeQualifiers.GetQualifiers()
			out.Type = types.DecimalOf(int(q["precision"].GetI32Value()), int(q["scale"].GetI32Value()))
		case entry.Type == tcli.TTypeId_TIMESTAMP_TYPE:
			out.Type, exact = types.TimestampType, false
		default:
			exact = false
		}
		columns = append(columns, out)
	}
	return columns, exact
}

// query executes a statement that returns rows, and streams them.
func (s *session) query(ctx context.Context, st *rewrite.Statement) (warehouse.Result, error) {
	op, err := s.hive.Execute(ctx, st.Text)
	if err != nil {
		return nil, s.databricksError(err, st)
	}
	from, err := op.Schema(ctx)
	if err == nil {
		if columns, exact := columnsOfMetadata(from); exact {
			return s.stream(op, columns, st), nil
		}
	} else if refused := (*hive.ServerError)(nil); !errors.As(err, &refused) {
		s.closeOperation(op)
		return nil, s.databricksError(err, st)
	}
	// The server has not read any row yet, so another statement may replace this one.
	columns, text, err := s.typedQuery(ctx, st)
	if err != nil {
		s.closeOperation(op)
		return nil, s.databricksError(err, st)
	}
	if text != "" {
		s.closeOperation(op)
		if op, err = s.hive.Execute(ctx, text); err != nil {
			return nil, s.databricksError(err, st)
		}
	}
	return s.stream(op, columns, st), nil
}

// jsonOptions make to_json keep microseconds and NULL fields.
const jsonOptions = `map('timestampFormat', "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX", 'timestampNTZFormat', "yyyy-MM-dd'T'HH:mm:ss.SSSSSS", 'ignoreNullFields', 'false')`

// typedQuery asks Spark for the types of a query's columns. If the server would send
// a value incompletely, text is the query that converts such values; else it is empty.
func (s *session) typedQuery(ctx context.Context, st *rewrite.Statement) (columns []rows.Column, text string, err error) {
	source := strings.TrimRight(st.Text, "; \t\r\n")
	found, err := s.queryTexts(ctx, "DESCRIBE QUERY "+source)
	if err != nil {
		return nil, "", err
	}
	nested, wrapped := false, false
	expressions, names := make([]string, len(found)), make([]string, len(found))
	for i, row := range found {
		c := rows.Column{Name: row[0], Comment: row[2]}
		names[i] = fmt.Sprintf("c%d", i)
		expressions[i] = names[i]
		switch kind := row[1]; {
		case sqltype.Nested(kind):
			c.Form, nested = rows.JSON, true
			expressions[i] = "to_json(" + names[i] + ", " + jsonOptions + ")"
		case kind == "variant":
			c.Type, c.Text = types.StringType, "VARIANT"
			expressions[i] = "to_json(" + names[i] + ")"
			wrapped = true
		default:
			if c.Type, err = sqltype.ParseSimple(kind); err != nil {
				return nil, "", err
			}
			if c.Type.Kind == types.Interval {
				c.Text = strings.ToUpper(kind)
			}
			if c.Type.Kind == types.Timestamp && s.location != time.UTC {
				// As text, the repeated hour at the end of daylight saving time is ambiguous.
				c.Form, wrapped = rows.Micros, true
				expressions[i] = "unix_micros(" + names[i] + ")"
			}
		}
		columns = append(columns, c)
	}
	if nested {
		if err := s.setNestedTypes(ctx, source, names, columns); err != nil {
			return nil, "", err
		}
	}
	if nested || wrapped {
		text = "SELECT " + strings.Join(expressions, ", ") + " FROM (\n" + source + "\n) AS sandbox_query(" + strings.Join(names, ", ") + ")"
	}
	return columns, text, nil
}

// setNestedTypes sets the types of nested columns. DESCRIBE QUERY prints their field
// names without quotes, so the types are read from the JSON description of a view.
func (s *session) setNestedTypes(ctx context.Context, query string, names []string, columns []rows.Column) error {
	view := s.newViewName()
	if _, err := s.queryTexts(ctx, "CREATE OR REPLACE TEMPORARY VIEW "+view+" ("+strings.Join(names, ", ")+") AS "+query); err != nil {
		return err
	}
	defer func() { _, _ = s.queryTexts(context.WithoutCancel(ctx), "DROP VIEW "+view) }()
	found, err := s.queryTexts(ctx, "DESCRIBE TABLE EXTENDED "+view+" AS JSON")
	if err != nil {
		return err
	}
	exact, err := sqltype.ParseDescribe(found[0][0])
	if err != nil {
		return err
	}
	for i := range columns {
		if columns[i].Form == rows.JSON {
			columns[i].Type = exact[i].Type
		}
	}
	return nil
}

func (s *session) stream(op *hive.Operation, columns []rows.Column, st *rewrite.Statement) warehouse.Result {
	shown, _ := rows.Describe(columns)
	return &result{session: s, op: op, columns: shown, decoder: rows.NewDecoder(columns, s.location), statement: st}
}

// result streams an operation's rows.
type result struct {
	session   *session
	op        *hive.Operation
	columns   []warehouse.Column
	decoder   *rows.Decoder
	statement *rewrite.Statement
}

// Columns describes the result.
func (r *result) Columns() []warehouse.Column { return r.columns }

// Next reads the next rows.
func (r *result) Next(ctx context.Context) (arrow.RecordBatch, error) {
	set, err := r.op.Fetch(ctx, fetchRows)
	if err != nil {
		return nil, r.session.databricksError(err, r.statement)
	}
	if rows.RowCount(set) == 0 {
		return nil, io.EOF
	}
	return r.decoder.Batch(set)
}

// Close ends the statement.
func (r *result) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	err := r.op.Close(ctx)
	if lost := (*hive.LostError)(nil); errors.As(err, &lost) {
		return nil // already closed
	}
	return err
}

// queryTexts executes a statement of the engine itself and returns its rows as
// text; NULL becomes the empty string.
func (s *session) queryTexts(ctx context.Context, statement string) ([][]string, error) {
	op, err := s.hive.Execute(ctx, statement)
	if err != nil {
		return nil, err
	}
	defer s.closeOperation(op)
	_, values, err := s.readAll(ctx, op)
	if err != nil {
		return nil, err
	}
	out := make([][]string, len(values))
	for i, row := range values {
		out[i] = make([]string, len(row))
		for j, v := range row {
			if v != nil {
				out[i][j] = fmt.Sprint(v)
			}
		}
	}
	return out, nil
}

// readAll reads the small result of a command. Nested values and timestamps stay
// text, as Spark prints them.
func (s *session) readAll(ctx context.Context, op *hive.Operation) ([]fixedresult.Column, [][]any, error) {
	from, err := op.Schema(ctx)
	if err != nil {
		return nil, nil, err
	}
	columns := make([]fixedresult.Column, len(from))
	for i, c := range from {
		columns[i] = fixedresult.Column{Name: c.ColumnName, Type: types.StringType}
		switch c.TypeDesc.Types[0].PrimitiveEntry.Type {
		case tcli.TTypeId_BOOLEAN_TYPE:
			columns[i].Type = types.BooleanType
		case tcli.TTypeId_TINYINT_TYPE, tcli.TTypeId_SMALLINT_TYPE, tcli.TTypeId_INT_TYPE, tcli.TTypeId_BIGINT_TYPE:
			columns[i].Type = types.BigIntType
		}
	}
	var out [][]any
	for {
		set, err := op.Fetch(ctx, fetchRows)
		if err != nil {
			return nil, nil, err
		}
		n := rows.RowCount(set)
		if n == 0 {
			return columns, out, nil
		}
		for i := range n {
			row := make([]any, len(columns))
			for j := range columns {
				row[j] = rows.Value(set.Columns[j], i)
			}
			out = append(out, row)
		}
	}
}
