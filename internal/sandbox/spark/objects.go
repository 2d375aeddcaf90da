package spark

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/metadata"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/quoting"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/spark/deltalog"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/spark/hive"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/spark/sqltype"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// tableInfo describes a table or view.
type tableInfo struct {
	catalog, schema, name string
	// kind is MANAGED, EXTERNAL or VIEW.
	kind, format, comment, text string
	created, changed            time.Time
	columns                     []sqltype.Column
}

// tables returns a schema's tables and views, or the one named only.
func (s *session) tables(ctx context.Context, catalog, schema, only string) ([]tableInfo, error) {
	physical := quoting.Name(s.engine.names.Schema(catalog, schema))
	statement := "SHOW TABLES IN " + physical
	if only != "" {
		statement += " LIKE " + quoting.Text(s.engine.names.Table(only))
	}
	found, err := s.queryTexts(ctx, statement)
	if refused := (*hive.ServerError)(nil); errors.As(err, &refused) && strings.Contains(refused.Message, "SCHEMA_NOT_FOUND") {
		return nil, nil // dropped after it was listed
	}
	if err != nil {
		return nil, err
	}
	var out []tableInfo
	for _, row := range found {
		if row[2] == "true" { // temporary
			continue
		}
		t := tableInfo{catalog: catalog, schema: schema, name: s.engine.names.Original(row[1])}
		gone, err := s.describe(ctx, &t)
		if err != nil {
			return nil, err
		}
		if !gone {
			out = append(out, t)
		}
	}
	slices.SortFunc(out, func(a, b tableInfo) int { return strings.Compare(a.name, b.name) })
	return out, nil
}

// describe reads the log of a Delta table, and asks Spark about other tables and
// views.
func (s *session) describe(ctx context.Context, t *tableInfo) (gone bool, err error) {
	newest, last, err := deltalog.Newest(s.engine.tableDir(t.catalog, t.schema, t.name))
	if err == nil {
		t.kind = cmp.Or(newest.Properties[metadata.TypeProperty], "MANAGED")
		t.format, t.comment = cmp.Or(newest.Properties[metadata.FormatProperty], "DELTA"), newest.Description
		t.created, t.changed, t.columns = newest.Created, last.At, newest.Columns
		return false, nil
	}
	found, err := s.queryTexts(
		ctx,
		"DESCRIBE TABLE EXTENDED "+quoting.Name(s.engine.names.Schema(t.catalog, t.schema), s.engine.names.Table(t.name)),
	)
	if refused := (*hive.ServerError)(nil); errors.As(err, &refused) {
		return true, nil // dropped after it was listed, or no longer readable
	}
	if err != nil {
		return false, err
	}
	t.kind, t.created, t.changed = "MANAGED", s.engine.opened, s.engine.opened
	details := false
	for _, row := range found {
		switch {
		case row[0] == "" || strings.HasPrefix(row[0], "# "):
			details = true
		case !details:
			column := sqltype.Column{Name: row[0], Text: row[1], Comment: row[2]}
			if !sqltype.Nested(row[1]) {
				if column.Type, err = sqltype.ParseSimple(row[1]); err != nil {
					return false, err
				}
			}
			t.columns = append(t.columns, column)
		case row[0] == "Type":
			t.kind = row[1]
		case row[0] == "Provider":
			t.format = strings.ToUpper(row[1])
		case row[0] == "Comment":
			t.comment = row[1]
		case row[0] == "View Text":
			t.text = s.engine.names.UserText(row[1])
		}
	}
	if t.kind == "VIEW" {
		t.format = "UNKNOWN_DATA_SOURCE_FORMAT"
	}
	return false, nil
}

// Objects returns all catalogs, schemas, tables and columns.
func (s *session) Objects(ctx context.Context) ([]warehouse.CatalogObject, error) {
	known, err := s.catalogs(ctx)
	if err != nil {
		return nil, s.databricksError(err, nil)
	}
	var out []warehouse.CatalogObject
	for _, catalog := range slices.Sorted(maps.Keys(known)) {
		c := warehouse.CatalogObject{Name: catalog}
		for _, schema := range known[catalog] {
			tables, err := s.tables(ctx, catalog, schema, "")
			if err != nil {
				return nil, s.databricksError(err, nil)
			}
			so := warehouse.SchemaObject{Name: schema}
			for _, t := range tables {
				so.Tables = append(so.Tables, t.tableObject())
			}
			c.Schemas = append(c.Schemas, so)
		}
		out = append(out, c)
	}
	return out, nil
}

func (t tableInfo) tableObject() warehouse.TableObject {
	out := warehouse.TableObject{Name: t.name, Kind: "TABLE", Comment: t.comment}
	if t.kind == "VIEW" {
		out.Kind = "VIEW"
	}
	for _, c := range t.columns {
		text := strings.ToUpper(c.Text)
		if c.Type != nil {
			text = c.Type.String()
		}
		out.Columns = append(out.Columns, warehouse.ColumnObject{Name: c.Name, Type: text, Nullable: !c.NotNull, Comment: c.Comment})
	}
	return out
}
