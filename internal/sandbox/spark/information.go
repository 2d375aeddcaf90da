package spark

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/metadata"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/quoting"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/syntax"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/spark/rewrite"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// user is the creator and owner of every object.
const user = "sandbox@example.com"

// informationFilter is the one schema or table that a statement selects from
// information_schema; empty fields select all. The others are then not listed.
type informationFilter struct{ schema, table string }

// filterOf returns the schema and table with which the statement compares
// table_schema and table_name. It returns the empty filter if the statement holds a
// keyword, such as OR, by which rows could pass without the comparison.
func filterOf(tokens []syntax.Token, params []warehouse.Parameter) (q informationFilter) {
	where, marks, named := -1, 0, 0
	values := rewrite.NewParameters(params)
	literal := map[int]string{}
	for i, t := range tokens {
		switch {
		case t.Kind == syntax.StringToken:
			literal[i] = t.Text
		case t.Kind == syntax.Op && t.Text == "?":
			if v := values.Positional(marks); v != nil {
				literal[i] = *v
			}
			marks++
		case strings.EqualFold(t.Text, metadata.InformationSchema):
			named++
		case t.Kind != syntax.Word:
		case t.Upper == "WHERE" && where < 0:
			where = i
		case t.Upper == "WHERE",
			t.Upper == "OR",
			t.Upper == "NOT",
			t.Upper == "CASE",
			t.Upper == "JOIN",
			t.Upper == "UNION",
			t.Upper == "EXCEPT",
			t.Upper == "INTERSECT",
			t.Upper == "IN",
			t.Upper == "EXISTS",
			t.Upper == "WITH":
			return informationFilter{}
		}
	}
	if where < 0 || named != 1 {
		return informationFilter{}
	}
	for i := where; i < len(tokens); i++ {
		name := tokens[i].Upper
		if name != "TABLE_SCHEMA" && name != "TABLE_NAME" {
			continue
		}
		at := i + 1
		if isOp(tokens, at, ")") {
			at++
		}
		if !isOp(tokens, at, "=") {
			continue
		}
		if at++; at+1 < len(tokens) && tokens[at].Upper == "LOWER" && isOp(tokens, at+1, "(") {
			at += 2
		}
		value, ok := literal[at]
		// The literal must be the whole operand.
		if next := at + 1; !ok || next < len(tokens) && tokens[next].Kind == syntax.Op && tokens[next].Text != ")" && tokens[next].Text != ";" {
			continue
		}
		if name == "TABLE_SCHEMA" {
			q.schema = strings.ToLower(value)
		} else {
			q.table = strings.ToLower(value)
		}
	}
	return q
}

func isOp(tokens []syntax.Token, i int, text string) bool {
	return i < len(tokens) && tokens[i].Kind == syntax.Op && tokens[i].Text == text
}

// informationQuery returns a query in parentheses that produces the rows of a
// relation of information_schema.
func (s *session) informationQuery(ctx context.Context, catalog, relation string, ask informationFilter) (string, error) {
	catalog, relation = strings.ToLower(catalog), strings.ToLower(relation)
	known, err := s.catalogs(ctx)
	if err != nil {
		return "", s.databricksError(err, nil)
	}
	if metadata.Relation(relation) == nil || catalog != metadata.SystemCatalog && known[catalog] == nil || catalog == metadata.HiveMetastore {
		return "", sqlerror.TableNotFound(catalog, metadata.InformationSchema, relation)
	}
	var values [][]string
	for _, name := range slices.Sorted(maps.Keys(known)) {
		if name == metadata.HiveMetastore || catalog != metadata.SystemCatalog && name != catalog {
			continue
		}
		more, err := s.informationRows(ctx, relation, name, known[name], ask)
		if err != nil {
			return "", s.databricksError(err, nil)
		}
		values = append(values, more...)
	}
	return relationQuery(metadata.Relation(relation), values), nil
}

func relationQuery(columns []metadata.RelationColumn, values [][]string) string {
	items, names := make([]string, len(columns)), make([]string, len(columns))
	for i, c := range columns {
		names[i] = fmt.Sprintf("c%d", i)
		items[i] = "CAST(" + names[i] + " AS " + c.Type.String() + ") AS " + c.Name
	}
	filter := ""
	if len(values) == 0 {
		filter = " WHERE false"
		values = [][]string{slices.Repeat([]string{"NULL"}, len(columns))}
	}
	listed := make([]string, len(values))
	for i, row := range values {
		listed[i] = "(" + strings.Join(row, ", ") + ")"
	}
	return "(SELECT " + strings.Join(
		items,
		", ",
	) + " FROM VALUES " + strings.Join(
		listed,
		", ",
	) + " AS v(" + strings.Join(
		names,
		", ",
	) + ")" + filter + ")"
}

// textOrNull returns a string literal, or NULL for the empty string.
func textOrNull(text string) string {
	if text == "" {
		return "NULL"
	}
	return quoting.Text(text)
}

func timestampLiteral(t time.Time) string { return fmt.Sprintf("timestamp_micros(%d)", t.UnixMicro()) }

func (s *session) informationRows(
	ctx context.Context,
	relation, catalog string,
	schemas []string,
	ask informationFilter,
) ([][]string, error) {
	c, owner, opened := quoting.Text(catalog), quoting.Text(user), timestampLiteral(s.engine.opened)
	var out [][]string
	switch relation {
	case "catalogs":
		return [][]string{{c, owner, "NULL", opened, owner, opened, owner}}, nil
	case "information_schema_catalog_name":
		return [][]string{{c}}, nil
	case "column_masks", "row_filters", "table_tags", "column_tags",
		"table_constraints", "key_column_usage", "referential_constraints", "constraint_column_usage", "constraint_table_usage":
		return nil, nil // Spark has neither policies nor tags nor keys
	case "schemata":
		for _, schema := range schemas {
			comment, err := s.schemaComment(ctx, catalog, schema)
			if err != nil {
				return nil, err
			}
			out = append(out, []string{c, quoting.Text(schema), owner, textOrNull(comment), opened, owner, opened, owner})
		}
		return append(
			out,
			[]string{c, quoting.Text(metadata.InformationSchema), "'System user'", "NULL", opened, "'System user'", opened, "'System user'"},
		), nil
	}
	for _, schema := range schemas {
		if ask.schema != "" && schema != ask.schema {
			continue
		}
		tables, err := s.tables(ctx, catalog, schema, ask.table)
		if err != nil {
			return nil, err
		}
		for _, t := range tables {
			out = append(out, t.informationRows(relation)...)
		}
	}
	return out, nil
}

func (s *session) schemaComment(ctx context.Context, catalog, schema string) (string, error) {
	found, err := s.queryTexts(ctx, "DESCRIBE SCHEMA "+quoting.Name(s.engine.names.Schema(catalog, schema)))
	for _, row := range found {
		if row[0] == "Comment" {
			return row[1], err
		}
	}
	return "", err
}

func (t tableInfo) informationRows(relation string) [][]string {
	name := []string{quoting.Text(t.catalog), quoting.Text(t.schema), quoting.Text(t.name)}
	owner := quoting.Text(user)
	switch relation {
	case "tables":
		insertable := "'YES'"
		if t.kind == "VIEW" {
			insertable = "'NO'"
		}
		return [][]string{
			append(
				name,
				quoting.Text(t.kind),
				insertable,
				"'PRESERVE'",
				owner,
				textOrNull(t.comment),
				timestampLiteral(t.created),
				owner,
				timestampLiteral(t.changed),
				owner,
				textOrNull(t.format),
				"NULL",
			),
		}
	case "views":
		if t.kind != "VIEW" {
			return nil
		}
		return [][]string{append(name, textOrNull(t.text), "'NONE'", "'NO'", "'NO'", "NULL")}
	}
	out := make([][]string, len(t.columns))
	for i, c := range t.columns {
		length, precision, radix, scale, kind := "NULL", "NULL", "NULL", "NULL", strings.ToUpper(c.Text)
		if word, _, nested := strings.Cut(kind, "<"); nested {
			kind = word
		}
		if c.Type != nil {
			kind = c.Type.CatalogName()
			switch {
			case c.Type.Kind == types.Decimal:
				precision, radix, scale = fmt.Sprint(c.Type.Precision), "10", fmt.Sprint(c.Type.Scale)
			case c.Type.Kind == types.String && c.Type.Length > 0:
				length = fmt.Sprint(c.Type.Length)
			}
		}
		nullable := "'YES'"
		if c.NotNull {
			nullable = "'NO'"
		}
		out[i] = append(slices.Clone(name), quoting.Text(c.Name), fmt.Sprint(i+1), "NULL", nullable, quoting.Text(c.Text), quoting.Text(kind),
			length, "NULL", precision, radix, scale, "NULL", "'NO'", "'YES'", "NULL", textOrNull(c.Comment))
	}
	return out
}
