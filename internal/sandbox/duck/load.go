package duck

import (
	"context"
	"path/filepath"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/copyinto"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/metadata"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sparkcsv"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/syntax"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/bind"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/catalog"
)

// LoadFile creates or replaces a table with the rows of a local Parquet or CSV file, and
// returns their number. It creates the catalog and the schema if they do not exist. A CSV
// file has a header and RFC 4180 quoting; its types are inferred as Spark infers them.
func (e *Engine) LoadFile(ctx context.Context, table, path string) (int64, error) {
	parts, err := syntax.ParseTableName(table)
	if err != nil {
		return 0, err
	}
	s := &session{
		engine:  e,
		catalog: "main",
		schema:  "default",
		views:   map[string]*catalog.View{},
		ansi:    true,
		zone:    "UTC",
		conf:    map[string]string{},
	}
	for _, create := range []*syntax.CreateNamespace{
		{Catalog: true, Name: parts[:1], IfNotExists: true},
		{Name: parts[:2], IfNotExists: true},
	} {
		if _, err := s.createNamespace(ctx, s.env(nil), create); err != nil {
			return 0, err
		}
	}
	env := s.env(nil)
	n := tableName{parts[0], parts[1], parts[2], parts}
	var inserted int64
	err = e.write(ctx, []string{n.key()}, func(t *txn) error {
		env.Snapshot = t.before
		source, err := t.stageLocal(path)
		if err != nil {
			return err
		}
		old := t.before.Table(n.catalog, n.schema, n.table)
		if old != nil && old.View != nil {
			return notTableError(old, "loading a file")
		}
		d := tableDefinition{properties: map[string]string{}, comment: "Loaded from " + filepath.Base(path)}
		for _, c := range source.columns {
			d.columns = append(d.columns, catalog.Column{Name: c.Name, Type: c.Type})
			if metadata.NeedsColumnMapping(c.Name) {
				d.properties["delta.columnMapping.mode"] = "name"
			}
		}
		v, err := t.newVersion(env, old, d, "CREATE OR REPLACE TABLE AS SELECT")
		if err != nil {
			return err
		}
		if err := t.createPhysical(v); err != nil {
			return err
		}
		q := &bind.Query{SQL: source.sql, Columns: source.columns}
		if inserted, err = t.insertRows(env, v, q, sameOrder(len(v.Columns)), nextRow(old)); err != nil {
			return err
		}
		return t.publish(n, old, v, inserted)
	})
	return inserted, err
}

// stageLocal reads a local file, whose extension determines the format.
func (t *txn) stageLocal(path string) (*stagedRows, error) {
	format, err := copyinto.LocalFormat(path)
	if err != nil {
		return nil, err
	}
	if format == "PARQUET" {
		return t.stageLocalParquet([]string{path})
	}
	o, err := sparkcsv.ParseOptions(map[string]string{"header": "true", "inferSchema": "true", "multiLine": "true", "escape": `"`})
	if err != nil {
		return nil, err
	}
	source, file := copyinto.LocalFile(path, format)
	return t.stageCSV(source, []copyinto.File{file}, o, nil)
}
