package duck

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/copyinto"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sparkcsv"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/bind"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/native"
)

// csvStage reads CSV files into a temporary table of texts.
type csvStage struct {
	txn     *txn
	options sparkcsv.Options
	// reads holds the columns that the statement reads; nil means all.
	reads map[string]bool
	table string
	names []string
	// pruned means that the statement does not read all columns. The number of values is
	// not checked then, as in Spark.
	pruned bool
	infer  *sparkcsv.Inferrer
	rows   *native.TextAppender
}

// stageCSV reads CSV files into a temporary table of texts, and infers the columns' types
// if the options ask for it.
func (t *txn) stageCSV(source *copyinto.Source, files []copyinto.File, o sparkcsv.Options, reads map[string]bool) (*stagedRows, error) {
	out := &stagedRows{table: t.newStagingName()}
	s := &csvStage{txn: t, options: o, reads: reads, table: withoutSchema(out.table)}
	defer func() {
		if s.rows != nil {
			_ = s.rows.Close() // after an error; otherwise it is closed below
		}
	}()
	for _, f := range files {
		if err := s.read(source, f); err != nil {
			return nil, err
		}
	}
	if s.rows == nil {
		return nil, source.NoFiles()
	}
	err := s.rows.Close()
	s.rows = nil
	if err != nil {
		return nil, fmt.Errorf("stage the rows of CSV files: %w", err)
	}
	ts := make([]*types.Type, len(s.names))
	for i := range ts {
		ts[i] = types.StringType
	}
	if s.infer != nil {
		ts = s.infer.Types()
	}
	return out, out.project(s.names, ts)
}

// read reads the records of a file. The first record of all files names the columns.
func (s *csvStage) read(source *copyinto.Source, f copyinto.File) error {
	r, err := openDecompressed(s.txn.ctx, source, f)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	records := sparkcsv.NewReader(r, s.options)
	for n := 0; ; n++ {
		row, err := records.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return copyinto.Unreadable(f.URL(), err)
		}
		if n%1024 == 0 && s.txn.ctx.Err() != nil {
			return s.txn.ctx.Err()
		}
		if s.rows == nil {
			if err := s.start(row); err != nil {
				return err
			}
		}
		if n == 0 && s.options.Header {
			continue
		}
		if err := s.write(row); err != nil {
			return copyinto.Unreadable(f.URL(), err)
		}
	}
}

// start creates the table, whose columns the first record names.
func (s *csvStage) start(first [][]byte) (err error) {
	s.names = sparkcsv.Header(texts(first), s.options)
	s.pruned = s.reads != nil && slices.ContainsFunc(s.names, func(n string) bool { return !s.reads[lower(n)] })
	if s.options.InferSchema {
		s.infer = sparkcsv.NewInferrer(s.options, len(s.names))
	}
	columns := make([]string, len(s.names))
	for i := range columns {
		columns[i] = fmt.Sprintf("c%d VARCHAR", i)
	}
	if _, err := s.txn.exec("CREATE TEMP TABLE %s (%s)", s.table, strings.Join(columns, ", ")); err != nil {
		return err
	}
	s.rows, err = native.NewTextAppender(s.txn.conn, s.table, len(columns))
	return err
}

// write appends a record to the table.
func (s *csvStage) write(row [][]byte) error {
	if s.infer != nil {
		s.infer.Add(texts(row))
	}
	if len(row) != len(s.names) && !s.pruned {
		switch s.options.Mode {
		case sparkcsv.FailFast:
			return sparkcsv.Malformed(row, s.options.Sep)
		case sparkcsv.DropMalformed:
			return nil
		}
	}
	for i := range s.names {
		if i < len(row) && !s.options.IsNull(row[i]) {
			s.rows.Set(i, row[i])
		} else {
			s.rows.SetNull(i)
		}
	}
	return s.rows.EndRow()
}

func texts(values [][]byte) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = string(v)
	}
	return out
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
