package spark

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/copyinto"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/fixedresult"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/quoting"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sparkcsv"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/syntax"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/spark/deltalog"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/spark/rewrite"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/spark/sqltype"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// copyMark begins the user metadata of a commit that COPY INTO made. What
// follows are the files it loaded: they are recorded in the commit that loads
// them, or not at all.
const copyMark = "sandbox copy into: "

// copyInto stands in for COPY INTO, which Spark does not have. The files are fetched
// here; reading, casting and writing them is Spark's.
func (s *session) copyInto(
	ctx context.Context,
	statement string,
	tokens []syntax.Token,
	params []warehouse.Parameter,
) (warehouse.Result, error) {
	parsed, err := syntax.Parse(statement)
	if err != nil {
		return nil, err
	}
	st, ok := parsed.(*syntax.CopyInto)
	switch {
	case !ok:
		return nil, sqlerror.Unsupported("this form of COPY")
	case st.Validate:
		return nil, sqlerror.Unsupported("COPY INTO with VALIDATE")
	}
	options, err := readOptions(st)
	if err != nil {
		return nil, err
	}
	target, err := s.complete(st.Table)
	if err != nil {
		return nil, err
	}
	c := &copying{session: s, statement: st, target: target, items: selected(statement, tokens, st), options: options}
	if c.metadata, _, err = deltalog.Newest(s.engine.tableDir(target.Catalog, target.Schema, target.Name)); err != nil {
		// Spark says what is wrong with the name.
		if _, sparkErr := s.queryTexts(ctx, "DESCRIBE DETAIL "+c.name()); sparkErr != nil {
			return nil, s.failure(sparkErr, &rewrite.Statement{Tables: []rewrite.Table{target}})
		}
		return nil, sqlerror.Unsupported("COPY INTO a table that has a location of its own")
	}
	fresh, err := c.files(ctx)
	if err != nil {
		return nil, err
	}
	names := []string{"num_affected_rows", "num_inserted_rows", "num_skipped_corrupt_files"}
	if len(fresh) == 0 {
		return fixedresult.Counts(names, 0, 0, 0)
	}
	inserted, err := c.load(ctx, fresh, params)
	if err != nil {
		return nil, err
	}
	return fixedresult.Counts(names, inserted, inserted, 0)
}

// readOptions refuses what COPY INTO refuses before it looks at any file.
func readOptions(st *syntax.CopyInto) (copyinto.Options, error) {
	options, err := copyinto.ParseOptions(st.Copy)
	if err == nil {
		err = copyinto.CheckFormat(st.Format)
	}
	switch {
	case err != nil:
		return options, err
	case st.Format == "AVRO":
		return options, sqlerror.Unsupported("FILEFORMAT = AVRO")
	case st.Format != "CSV":
		return options, nil
	}
	// Spark ignores options that it does not know. Spark reports
	// any other fault of an option.
	var unknown *warehouse.Error
	if _, err := sparkcsv.ParseOptions(copyinto.FormatOptions(st)); errors.As(err, &unknown) &&
		unknown.Class == "CF_UNKNOWN_OPTION_KEYS_ERROR" {
		return options, unknown
	}
	return options, nil
}

// complete gives a table's name its catalog and schema.
func (s *session) complete(parts []string) (rewrite.Table, error) {
	catalog, schema, name, err := s.namespace().Table(parts)
	return rewrite.Table{Catalog: catalog, Schema: schema, Name: name, Parts: len(parts)}, err
}

// selected is the select list of FROM (SELECT ... FROM 's3://...'), as written.
func selected(statement string, tokens []syntax.Token, st *syntax.CopyInto) string {
	if st.Items == nil {
		return "*"
	}
	depth, start := 0, -1
	for i, t := range tokens {
		switch {
		case t.Kind == syntax.Op && t.Text == "(":
			depth++
		case t.Kind == syntax.Op && t.Text == ")":
			depth--
		case t.Kind != syntax.Word || depth != 1:
		case start < 0 && t.Upper == "SELECT" && tokens[i-1].Text == "(":
			start = t.End
		case start >= 0 && t.Upper == "FROM":
			return statement[start:t.Start]
		}
	}
	return "*"
}

// copying is one COPY INTO.
type copying struct {
	*session
	statement *syntax.CopyInto
	target    rewrite.Table
	items     string
	options   copyinto.Options
	source    *copyinto.Source
	metadata  *deltalog.Metadata
	// local are the files where Spark reads them, with their addresses.
	local map[string]string
}

func (c *copying) name() string {
	return quoting.Name(c.engine.names.Schema(c.target.Catalog, c.target.Schema), c.engine.names.Table(c.target.Name))
}

// option reads an option by name, without regard to case.
func option(options []syntax.Property, name string) string {
	for _, o := range options {
		if strings.EqualFold(o.Key, name) {
			return o.Value
		}
	}
	return ""
}

func isTrue(text string) bool { return strings.EqualFold(text, "true") }

// loadedBefore returns the files that the table has ever loaded: Databricks keeps them
// beside the table's log, which CREATE OR REPLACE does not begin anew.
func (c *copying) loadedBefore() (map[string]bool, error) {
	dir := c.engine.tableDir(c.target.Catalog, c.target.Schema, c.target.Name)
	versions, err := deltalog.Versions(dir)
	if err != nil {
		return nil, err
	}
	out := map[string]bool{}
	for _, v := range versions {
		commit, err := deltalog.Read(dir, v)
		if err != nil {
			return nil, err
		}
		text, ok := strings.CutPrefix(commit.UserMetadata, copyMark)
		if !ok {
			continue
		}
		var files []string
		if err := json.Unmarshal([]byte(text), &files); err != nil {
			return nil, fmt.Errorf("version %d of %s has a mark that cannot be read: %w", v, dir, err)
		}
		for _, f := range files {
			out[f] = true
		}
	}
	return out, nil
}

// load reads the files with Spark and inserts them in one commit.
func (c *copying) load(ctx context.Context, files []copyinto.File, params []warehouse.Parameter) (_ int64, err error) {
	dir := filepath.Join(c.engine.opts.DataDir, "copy", strings.ToLower(rand.Text()))
	if err := os.Mkdir(dir, 0o700); err != nil {
		return 0, fmt.Errorf("make a folder for the files to copy: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := c.fetch(ctx, dir, files); err != nil {
		return 0, err
	}
	if err := c.sameHeaders(dir); err != nil {
		return 0, err
	}
	view := c.temporary()
	c.local = map[string]string{}
	for i, f := range files {
		c.local["file://"+localName(dir, i, f)] = f.URL()
	}
	if _, err := c.queryTexts(ctx, c.viewStatement(view, dir)); err != nil {
		return 0, c.copyFailure(err)
	}
	defer func() { _, _ = c.queryTexts(context.WithoutCancel(ctx), "DROP VIEW "+view) }()
	columns, err := c.queryTexts(ctx, "DESCRIBE "+view)
	switch {
	case err != nil:
		return 0, c.copyFailure(err)
	case len(columns) == 0:
		return 0, c.source.NoFiles()
	}
	query, err := c.query(ctx, view, params)
	if err != nil {
		return 0, err
	}
	mark := make([]string, len(files))
	for i, f := range files {
		mark[i] = f.URL()
	}
	text, err := json.Marshal(mark)
	if err != nil {
		return 0, err
	}
	restore, err := c.with(ctx, map[string]string{
		"spark.databricks.delta.commitInfo.userMetadata":  copyMark + string(text),
		"spark.databricks.delta.schema.autoMerge.enabled": fmt.Sprint(c.options.MergeSchema),
	})
	defer restore()
	if err != nil {
		return 0, c.failure(err, nil)
	}
	began := time.Now().Truncate(time.Millisecond) // as commits are dated
	if _, err := c.queryTexts(ctx, "INSERT INTO "+c.name()+" BY NAME "+query); err != nil {
		return 0, c.copyFailure(err)
	}
	commit, err := c.committed(ctx, c.target, began)
	if err != nil {
		return 0, err
	}
	if commit == nil || commit.UserMetadata != copyMark+string(text) {
		return 0, fmt.Errorf("COPY INTO %s ended well, yet its commit is not in the table's log", c.name())
	}
	return metric(commit, "numOutputRows")
}

// with makes settings for the statements until restore.
func (c *copying) with(ctx context.Context, settings map[string]string) (restore func(), err error) {
	restore = func() {
		for key := range settings {
			_, _ = c.queryTexts(context.WithoutCancel(ctx), "RESET "+key)
		}
	}
	for key, value := range settings {
		if _, err := c.queryTexts(ctx, "SET "+key+"="+quoting.Name(value)); err != nil {
			return restore, err
		}
	}
	return restore, nil
}

// copyOnly are options of COPY INTO's formats that Spark's readers do not have.
var copyOnly = []string{"mergeSchema", "ignoreCorruptFiles", "ignoreMissingFiles", "path", "recursiveFileLookup"}

func (c *copying) viewStatement(view, dir string) string {
	options := []string{"'path' " + quoting.Text("file://"+dir), "'recursiveFileLookup' 'true'"}
	for _, o := range c.statement.Options {
		textual := c.statement.Format == "CSV" || c.statement.Format == "JSON" || c.statement.Format == "TEXT"
		if i := slices.IndexFunc(copyOnly, func(k string) bool { return strings.EqualFold(k, o.Key) }); i < 0 || i == 0 && !textual {
			options = append(options, quoting.Text(o.Key)+" "+quoting.Text(o.Value))
		}
	}
	return "CREATE OR REPLACE TEMPORARY VIEW " + view + " USING " + strings.ToLower(
		c.statement.Format,
	) + " OPTIONS (" + strings.Join(
		options,
		", ",
	) + ")"
}

// query is the SELECT over the files, and checks its columns against the
// table's.
func (c *copying) query(ctx context.Context, view string, params []warehouse.Parameter) (string, error) {
	source := view
	if name := c.statement.Source.Name; name != "" {
		source += " AS " + quoting.Name(name)
	}
	text := "SELECT " + c.items + " FROM " + source
	tokens, err := syntax.Lex(text)
	if err != nil {
		return "", err
	}
	st, err := c.rewrite(ctx, text, tokens, params)
	if err != nil {
		return "", err
	}
	found, err := c.queryTexts(ctx, "DESCRIBE QUERY "+st.Text)
	if err != nil {
		return "", c.copyFailure(err)
	}
	query := st.Text
	if names := c.statement.Columns; names != nil {
		if len(names) != len(found) {
			return "", sqlerror.InsertArity(len(names), len(found), c.shownName())
		}
		query = "SELECT * FROM (" + query + ") AS v(" + quoteAll(names) + ")"
		for i := range found {
			found[i][0] = names[i]
		}
	}
	return query, c.checkTypes(found)
}

func quoteAll(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = quoting.Name(n)
	}
	return strings.Join(quoted, ", ")
}

func (c *copying) shownName() string {
	return quoting.Name(strings.ToLower(c.target.Catalog), strings.ToLower(c.target.Schema), strings.ToLower(c.target.Name))
}

// checkTypes refuses what COPY INTO does not cast by itself. INSERT would.
func (c *copying) checkTypes(found [][]string) error {
	for _, row := range found {
		i := slices.IndexFunc(c.metadata.Columns, func(t sqltype.Column) bool { return strings.EqualFold(t.Name, row[0]) })
		if i < 0 || sqltype.Nested(row[1]) || !c.metadata.Columns[i].Type.Atomic() {
			continue
		}
		from, err := sqltype.Simple(row[1])
		if err != nil {
			return err
		}
		if !types.Wider(from, c.metadata.Columns[i].Type) {
			return sqlerror.FailedToMerge(c.metadata.Columns[i].Name, row[0], c.metadata.Columns[i].Type, from)
		}
	}
	return nil
}

// copyFailure names the failures that COPY INTO has classes of its own for.
func (c *copying) copyFailure(err error) error {
	err = c.failure(err, nil)
	var e *warehouse.Error
	if !errors.As(err, &e) {
		return err
	}
	for file, url := range c.local {
		// Paths are written with two slashes or with none.
		e.Message = strings.ReplaceAll(strings.ReplaceAll(e.Message, file, url), "file:"+strings.TrimPrefix(file, "file://"), url)
	}
	switch e.Class {
	case "DELTA_METADATA_MISMATCH":
		return copyinto.SchemaMismatch(c.shownName(), "")
	case "UNABLE_TO_INFER_SCHEMA":
		return c.source.NoFiles()
	}
	return err
}
