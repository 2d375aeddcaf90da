package duck

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/copyinto"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/fixedresult"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sparkcsv"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/syntax"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/bind"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/catalog"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/ducktype"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// copyInto executes COPY INTO: it loads the files that the table has not loaded yet, in
// one commit.
func (s *session) copyInto(ctx context.Context, env *bind.Env, st *syntax.CopyInto) (warehouse.Result, error) {
	options, err := copyinto.ParseOptions(st.Copy)
	if err != nil {
		return nil, err
	}
	if st.Validate {
		return nil, sqlerror.Unsupported("COPY INTO ... VALIDATE")
	}
	format, err := parseFormat(st)
	if err != nil {
		return nil, err
	}
	source, err := copyinto.NewSource(s.engine.opts.Objects, st)
	if err != nil {
		return nil, err
	}
	files, err := source.List(ctx)
	if err != nil {
		return nil, err
	}
	var inserted, corrupt int64
	err = s.changeTable(ctx, env, st.Table, func(t *txn, tab *catalog.Table) (*catalog.Version, int64, error) {
		pending := files
		if !options.Force {
			if pending, err = t.notLoaded(tab, files); err != nil || len(pending) == 0 {
				return nil, 0, err
			}
		}
		rows, err := t.stageFiles(source, pending, format)
		if err != nil {
			return nil, 0, err
		}
		corrupt = rows.corrupt
		q := &bind.Query{SQL: rows.sql, Columns: rows.columns}
		if len(st.Items) > 0 {
			if q, err = bind.SelectItems(env, st.Items, q, st.Source.Name); err != nil {
				return nil, 0, err
			}
		}
		v := t.nextVersion(env, tab, "COPY INTO", map[string]string{"mode": "Append", "partitionBy": "[]", "statsOnLoad": "false"})
		if options.MergeSchema {
			if err := t.mergeSchema(v, q); err != nil {
				return nil, 0, err
			}
		}
		match, err := copyColumns(st, q, v, tab.FullName())
		if err != nil {
			return nil, 0, err
		}
		if inserted, err = t.insertRows(env, v, q, match, tab.NextRow); err != nil {
			return nil, 0, err
		}
		v.Metrics = map[string]string{"numFiles": "1", "numOutputRows": strconv.FormatInt(inserted, 10)}
		return v, inserted, t.recordLoaded(tab, pending)
	})
	if err != nil {
		return nil, err
	}
	return fixedresult.Counts([]string{"num_affected_rows", "num_inserted_rows", "num_skipped_corrupt_files"}, inserted, inserted, corrupt)
}

// copyColumns matches the files' columns to the table's by name. Without a SELECT there
// are no casts, so a type that does not fit is an error.
func copyColumns(st *syntax.CopyInto, q *bind.Query, v *catalog.Version, table string) ([]int, error) {
	if len(v.Columns) == 0 {
		return nil, copyinto.SchemaMismatch(table, "")
	}
	to := v.Columns
	if st.Columns != nil {
		if len(st.Columns) != len(q.Columns) {
			return nil, sqlerror.InsertArity(len(st.Columns), len(q.Columns), table)
		}
		q.Columns = slices.Clone(q.Columns)
		for i, c := range st.Columns {
			q.Columns[i].Name = c
		}
	}
	match, err := bind.MatchByName(q, to, table)
	if err != nil {
		return nil, copyinto.SchemaMismatch(table, err.Error())
	}
	for i, c := range to {
		if match[i] < 0 {
			continue
		}
		from := q.Columns[match[i]].Type
		if !types.FitsWithoutLoss(from, c.Type) && !from.WithoutLength().Equal(c.Type.WithoutLength()) {
			return nil, sqlerror.FailedToMerge(c.Name, q.Columns[match[i]].Name, c.Type, from)
		}
	}
	return match, nil
}

// mergeSchema adds the columns that the table lacks.
func (t *txn) mergeSchema(v *catalog.Version, q *bind.Query) error {
	mapped := strings.EqualFold(v.Properties["delta.columnMapping.mode"], "name")
	for _, c := range q.Columns {
		if catalog.FindColumn(v.Columns, c.Name) >= 0 {
			continue
		}
		col := catalog.Column{Name: c.Name, Type: c.Type, Phys: fmt.Sprintf("k%d", v.NextColumn)}
		if err := checkColumn(col, v.Columns, mapped); err != nil {
			return err
		}
		if _, err := t.exec("ALTER TABLE %s ADD COLUMN %s %s", v.Phys, col.Phys, ducktype.Of(col.Type)); err != nil {
			return err
		}
		v.Columns = append(v.Columns, col)
		v.NextColumn++
	}
	return nil
}

// notLoaded returns the files that the table has not loaded yet.
func (t *txn) notLoaded(tab *catalog.Table, files []copyinto.File) ([]copyinto.File, error) {
	rows, err := t.conn.QueryContext(t.ctx, "SELECT file FROM sandbox_files WHERE id = ?", tab.ID)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	loaded := map[string]bool{}
	for rows.Next() {
		var f string
		if err := rows.Scan(&f); err != nil {
			return nil, err
		}
		loaded[f] = true
	}
	return copyinto.NotLoaded(files, loaded), rows.Err()
}

func (t *txn) recordLoaded(tab *catalog.Table, files []copyinto.File) error {
	for _, f := range files {
		if _, err := t.conn.ExecContext(t.ctx, "INSERT INTO sandbox_files VALUES (?, ?)", tab.ID, f.URL()); err != nil {
			return err
		}
	}
	return nil
}

// stagedRows are the rows of files, in a temporary table.
type stagedRows struct {
	table   string
	sql     string
	columns []bind.Column
	corrupt int64
}

// fileFormat is the format of files: Parquet, or CSV with options.
type fileFormat struct {
	parquet bool
	csv     sparkcsv.Options
	// reads holds the columns that the SELECT names, in lower case; nil means all.
	reads map[string]bool
}

// parseFormat parses FILEFORMAT and FORMAT_OPTIONS.
func parseFormat(st *syntax.CopyInto) (fileFormat, error) {
	var f fileFormat
	options := copyinto.FormatOptions(st)
	if err := copyinto.CheckFormat(st.Format); err != nil {
		return f, err
	}
	switch st.Format {
	case "CSV":
		var err error
		f.csv, err = sparkcsv.ParseOptions(options)
		f.reads = columnsRead(st.Items)
		return f, err
	case "PARQUET":
		for k := range options {
			if !strings.EqualFold(k, "mergeSchema") {
				return f, sqlerror.Unsupported("the Parquet option " + k)
			}
		}
		f.parquet = true
		return f, nil
	}
	return f, sqlerror.Unsupported("FILEFORMAT = " + st.Format)
}

// stageFiles reads files into a temporary table.
func (t *txn) stageFiles(source *copyinto.Source, files []copyinto.File, f fileFormat) (*stagedRows, error) {
	if f.parquet {
		return t.stageParquet(source, files)
	}
	return t.stageCSV(source, files, f.csv, f.reads)
}

// columnsRead returns the columns that a SELECT names; nil if it reads all.
func columnsRead(items []syntax.SelectItem) map[string]bool {
	if len(items) == 0 {
		return nil
	}
	reads := map[string]bool{}
	for _, item := range items {
		if syntax.VisitNames(item.X, func(parts []string) {
			for _, p := range parts {
				reads[lower(p)] = true
			}
		}) {
			return nil
		}
	}
	return reads
}
