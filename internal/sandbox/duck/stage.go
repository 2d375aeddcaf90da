package duck

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	duckdb "github.com/duckdb/duckdb-go/v2"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/copyinto"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sparkcsv"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/bind"
)

// stageCSV reads CSV files into a temporary table of strings, and infers the columns'
// types if the options ask for it. reads holds the columns that the statement reads; if
// some are missing, the number of values is not checked, as in Spark.
func (t *txn) stageCSV(source *copyinto.Source, files []copyinto.File, o sparkcsv.Options, reads map[string]bool) (*stagedRows, error) {
	out := &stagedRows{table: t.newStagingName()}
	var names []string
	pruned := false
	var app *duckdb.Appender
	var infer *sparkcsv.Inferrer
	defer func() {
		if app != nil {
			_ = app.Close() // after an error; otherwise it is closed below
		}
	}()
	var values []driver.Value
	write := func(row []string) error {
		if infer != nil {
			infer.Add(row)
		}
		if len(row) != len(names) && !pruned {
			switch o.Mode {
			case sparkcsv.FailFast:
				return sparkcsv.Malformed(row, o.Sep)
			case sparkcsv.DropMalformed:
				return nil
			}
		}
		for i := range values {
			values[i] = nil
			if i < len(row) && !o.IsNull(row[i]) {
				values[i] = []byte(row[i]) // DuckDB would cut a string at a NUL
			}
		}
		return app.AppendRow(values...)
	}
	start := func(first []string) error {
		names = sparkcsv.Header(first, o)
		values = make([]driver.Value, len(names))
		pruned = reads != nil && slices.ContainsFunc(names, func(n string) bool { return !reads[lower(n)] })
		if o.InferSchema {
			infer = sparkcsv.NewInferrer(o, len(names))
		}
		cols := make([]string, len(names))
		for i := range names {
			cols[i] = fmt.Sprintf("c%d VARCHAR", i)
		}
		if _, err := t.exec("CREATE TEMP TABLE %s (%s)", withoutSchema(out.table), strings.Join(cols, ", ")); err != nil {
			return err
		}
		return t.conn.Raw(func(c any) error {
			conn, ok := c.(driver.Conn)
			if !ok {
				return fmt.Errorf("want a DuckDB connection, got a %T", c)
			}
			var err error
			app, err = duckdb.NewAppender(conn, "temp", "main", withoutSchema(out.table))
			return err
		})
	}
	for _, f := range files {
		if err := t.readCSV(source, f, o, func() bool { return app == nil }, start, write); err != nil {
			return nil, err
		}
	}
	if app == nil {
		return nil, source.NoFiles()
	}
	err := app.Close()
	app = nil
	if err != nil {
		return nil, fmt.Errorf("stage the rows of CSV files: %w", err)
	}
	ts := make([]*types.Type, len(names))
	for i := range ts {
		ts[i] = types.StringType
	}
	if infer != nil {
		ts = infer.Types()
	}
	return out, out.project(names, ts)
}

// readCSV passes a file's records to write. The first record of all files goes to start,
// which names the columns.
func (t *txn) readCSV(
	source *copyinto.Source,
	f copyinto.File,
	o sparkcsv.Options,
	first func() bool,
	start, write func([]string) error,
) error {
	r, err := openDecompressed(t.ctx, source, f)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	records := sparkcsv.NewReader(r, o)
	for n := 0; ; n++ {
		row, err := records.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return copyinto.Unreadable(f.URL(), err)
		}
		if n%1024 == 0 && t.ctx.Err() != nil {
			return t.ctx.Err()
		}
		if first() {
			if err := start(row); err != nil {
				return err
			}
		}
		if n == 0 && o.Header {
			continue
		}
		if err := write(row); err != nil {
			return copyinto.Unreadable(f.URL(), err)
		}
	}
}

// project sets the names and the casts of a staging table's columns.
func (s *stagedRows) project(names []string, ts []*types.Type) error {
	parts := make([]string, len(names))
	for i, n := range names {
		value, err := bind.CastParsedText(fmt.Sprintf("c%d", i), ts[i])
		if err != nil {
			return err
		}
		parts[i] = fmt.Sprintf("%s AS c%d", value, i)
		s.columns = append(s.columns, bind.Column{Name: n, Type: ts[i], Nullable: true})
	}
	s.sql = fmt.Sprintf("SELECT %s FROM %s", strings.Join(parts, ", "), s.table)
	return nil
}

// stageParquet downloads Parquet files to the scratch directory and stages them.
func (t *txn) stageParquet(source *copyinto.Source, files []copyinto.File) (*stagedRows, error) {
	dir, err := os.MkdirTemp(t.engine.scratch, "parquet-")
	if err != nil {
		return nil, fmt.Errorf("create a directory for Parquet files: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	paths := make([]string, len(files))
	for i, f := range files {
		paths[i] = filepath.Join(dir, fmt.Sprintf("%06d.parquet", i))
		if err := t.download(source, f, paths[i]); err != nil {
			return nil, err
		}
	}
	return t.stageLocalParquet(paths)
}

func (t *txn) download(source *copyinto.Source, f copyinto.File, path string) error {
	r, err := source.Open(t.ctx, f)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	w, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write a Parquet file to the scratch directory: %w", err)
	}
	_, err = io.Copy(w, r)
	if e := w.Close(); err == nil {
		err = e
	}
	if err != nil {
		return copyinto.Unreadable(f.URL(), err)
	}
	return nil
}

// stageLocalParquet reads local Parquet files into a temporary table.
func (t *txn) stageLocalParquet(paths []string) (*stagedRows, error) {
	list := make([]string, len(paths))
	for i, p := range paths {
		list[i] = quoteText(p)
	}
	source := "read_parquet([" + strings.Join(list, ", ") + "], union_by_name = true)"
	names, ts, values, err := t.parquetColumns(source)
	if err != nil {
		return nil, err
	}
	out := &stagedRows{table: t.newStagingName()}
	into := make([]string, len(names))
	for i, n := range names {
		into[i] = fmt.Sprintf("%s AS c%d", values[i], i)
		out.columns = append(out.columns, bind.Column{Name: n, Type: ts[i], Nullable: true})
	}
	if _, err := t.exec("CREATE TEMP TABLE %s AS SELECT %s FROM %s", withoutSchema(out.table), strings.Join(into, ", "), source); err != nil {
		return nil, err
	}
	out.sql = "SELECT * FROM " + out.table
	return out, nil
}
