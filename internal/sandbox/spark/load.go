package spark

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/copyinto"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/metadata"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/quoting"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/syntax"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/spark/deltalog"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// LoadFile creates or replaces a table with the rows of a local Parquet or CSV
// file, and returns their number. It creates the catalog and the schema if they do
// not exist. A CSV file has a header and RFC 4180 quoting; Spark infers its types.
func (e *Engine) LoadFile(ctx context.Context, table, path string) (_ int64, err error) {
	parts, err := syntax.ParseTableName(table)
	if err != nil {
		return 0, err
	}
	if path, err = filepath.Abs(path); err != nil {
		return 0, fmt.Errorf("read the file to load: %w", err)
	}
	format, err := copyinto.LocalFormat(path)
	if err != nil {
		return 0, err
	}
	s, err := e.openSession(ctx, warehouse.SessionOptions{})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.makeCatalog(ctx, strings.ToLower(parts[0]), ""); err != nil {
		return 0, err
	}
	view := s.newViewName()
	// Spark takes a path for a glob pattern, so the file is linked under a path
	// without special characters.
	dir := filepath.Join(e.opts.DataDir, "copy", strings.ToLower(rand.Text()))
	if err := os.Mkdir(dir, 0o700); err != nil {
		return 0, fmt.Errorf("create a directory for the file to load: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	link := filepath.Join(dir, "file"+extension.FindString(path))
	if err := os.Symlink(path, link); err != nil {
		return 0, fmt.Errorf("link the file to load: %w", err)
	}
	reader := usingClause(format, link)
	name := quoting.Name(e.names.Schema(parts[0], parts[1]), e.names.Table(parts[2]))
	for _, statement := range []string{
		"CREATE SCHEMA IF NOT EXISTS " + quoting.Name(e.names.Schema(parts[0], parts[1])),
		"CREATE OR REPLACE TEMPORARY VIEW " + view + " USING " + reader,
	} {
		if _, err := s.queryTexts(ctx, statement); err != nil {
			return 0, s.databricksError(err, nil)
		}
	}
	mapping, err := s.columnMapping(ctx, view)
	if err != nil {
		return 0, err
	}
	create := "CREATE OR REPLACE TABLE " + name + " COMMENT " + quoting.Text(
		"Loaded from "+filepath.Base(path),
	) + mapping + " AS SELECT * FROM " + view
	if _, err := s.queryTexts(ctx, create); err != nil {
		return 0, s.databricksError(err, nil)
	}
	_, last, err := deltalog.Newest(e.tableDir(parts[0], parts[1], parts[2]))
	if err != nil {
		return 0, err
	}
	return metric(last, "numOutputRows")
}

// columnMapping returns the clause that enables column mapping, if a column's name
// needs it.
func (s *session) columnMapping(ctx context.Context, view string) (string, error) {
	columns, err := s.queryTexts(ctx, "DESCRIBE "+view)
	for _, c := range columns {
		if metadata.NeedsColumnMapping(c[0]) {
			return " TBLPROPERTIES ('delta.columnMapping.mode' = 'name')", nil
		}
	}
	return "", s.databricksError(err, nil)
}

// usingClause returns the USING clause that reads a file.
func usingClause(format, path string) string {
	reader := format + " OPTIONS ('path' " + quoting.Text("file://"+path)
	if format == "CSV" {
		reader += `, 'header' 'true', 'inferSchema' 'true', 'multiLine' 'true', 'escape' '"'`
	}
	return reader + ")"
}
