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

// copyCommitPrefix begins the user metadata of a commit by COPY INTO. The JSON
// list of the loaded files follows, so that they are recorded in the commit that
// loads them.
const copyCommitPrefix = "sandbox copy into: "

// copyInto executes COPY INTO, which Spark does not have. The engine downloads the
// files; Spark reads, casts and writes them.
func (s *session) copyInto(
	ctx context.Context,
	statement string,
	tokens []syntax.Token,
	params []warehouse.Parameter,
) (warehouse.Result, error) {
	parsed, err := syntax.Parse(statement, params...)
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
	target, err := s.qualify(st.Table)
	if err != nil {
		return nil, err
	}
	c := &copyJob{session: s, statement: st, target: target, selectList: selectListText(statement, tokens, st), options: options}
	if c.metadata, _, err = deltalog.Newest(s.engine.tableDir(target.Catalog, target.Schema, target.Name)); err != nil {
		// Spark's error says what is wrong with the name.
		if _, sparkErr := s.queryTexts(ctx, "DESCRIBE DETAIL "+c.name()); sparkErr != nil {
			return nil, s.databricksError(sparkErr, &rewrite.Statement{Tables: []rewrite.Table{target}})
		}
		return nil, sqlerror.Unsupported("COPY INTO a table outside of the warehouse directory")
	}
	fresh, err := c.filesToLoad(ctx)
	if err != nil {
		return nil, err
	}
	names := []string{"num_affected_rows", "num_inserted_rows", "num_skipped_corrupt_files"}
	if len(fresh) == 0 {
		return fixedresult.Counts(names, 0, 0, 0)
	}
	inserted, err := c.loadFiles(ctx, fresh, params)
	if err != nil {
		return nil, err
	}
	return fixedresult.Counts(names, inserted, inserted, 0)
}

// readOptions parses the options, and refuses those that COPY INTO refuses.
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
	// Spark ignores unknown options; it reports all other errors in options itself.
	var unknown *warehouse.Error
	if _, err := sparkcsv.ParseOptions(copyinto.FormatOptions(st)); errors.As(err, &unknown) &&
		unknown.Class == "CF_UNKNOWN_OPTION_KEYS_ERROR" {
		return options, unknown
	}
	return options, nil
}

// qualify adds the session's catalog and schema to a table's name.
func (s *session) qualify(parts []string) (rewrite.Table, error) {
	catalog, schema, name, err := s.namespace().Table(parts)
	return rewrite.Table{Catalog: catalog, Schema: schema, Name: name, Parts: len(parts)}, err
}

// selectListText returns the select list of FROM (SELECT ... FROM 's3://...'), as written.
func selectListText(statement string, tokens []syntax.Token, st *syntax.CopyInto) string {
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

// copyJob is the execution of one COPY INTO.
type copyJob struct {
	*session
	statement  *syntax.CopyInto
	target     rewrite.Table
	selectList string
	options    copyinto.Options
	source     *copyinto.Source
	metadata   *deltalog.Metadata
	// urlOfLocalFile maps the address under which Spark reads a file to the file's URL.
	urlOfLocalFile map[string]string
}

func (c *copyJob) name() string {
	return quoting.Name(c.engine.names.Schema(c.target.Catalog, c.target.Schema), c.engine.names.Table(c.target.Name))
}

// optionValue returns the value of an option; names are not case-sensitive.
func optionValue(options []syntax.Property, name string) string {
	for _, o := range options {
		if strings.EqualFold(o.Key, name) {
			return o.Value
		}
	}
	return ""
}

func isTrue(text string) bool { return strings.EqualFold(text, "true") }

// loadedBefore returns every file that the table has ever loaded. CREATE OR REPLACE
// does not forget them: Databricks keeps them beside the table's log.
func (c *copyJob) loadedBefore() (map[string]bool, error) {
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
		text, ok := strings.CutPrefix(commit.UserMetadata, copyCommitPrefix)
		if !ok {
			continue
		}
		var files []string
		if err := json.Unmarshal([]byte(text), &files); err != nil {
			return nil, fmt.Errorf("read the list of loaded files in the user metadata of version %d of %s: %w", v, dir, err)
		}
		for _, f := range files {
			out[f] = true
		}
	}
	return out, nil
}

// loadFiles reads the files with Spark and inserts their rows in one commit.
func (c *copyJob) loadFiles(ctx context.Context, files []copyinto.File, params []warehouse.Parameter) (_ int64, err error) {
	dir := filepath.Join(c.engine.opts.DataDir, "copy", strings.ToLower(rand.Text()))
	if err := os.Mkdir(dir, 0o700); err != nil {
		return 0, fmt.Errorf("create a directory for the files to copy: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := c.fetch(ctx, dir, files); err != nil {
		return 0, err
	}
	if err := c.checkHeaders(dir); err != nil {
		return 0, err
	}
	view := c.newViewName()
	c.urlOfLocalFile = map[string]string{}
	for i, f := range files {
		c.urlOfLocalFile["file://"+localName(dir, i, f)] = f.URL()
	}
	if _, err := c.queryTexts(ctx, c.viewStatement(view, dir)); err != nil {
		return 0, c.copyError(err)
	}
	defer func() { _, _ = c.queryTexts(context.WithoutCancel(ctx), "DROP VIEW "+view) }()
	columns, err := c.queryTexts(ctx, "DESCRIBE "+view)
	switch {
	case err != nil:
		return 0, c.copyError(err)
	case len(columns) == 0:
		return 0, c.source.NoFiles()
	}
	query, err := c.selectStatement(ctx, view, params)
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
	restore, err := c.withSettings(ctx, map[string]string{
		"spark.databricks.delta.commitInfo.userMetadata":  copyCommitPrefix + string(text),
		"spark.databricks.delta.schema.autoMerge.enabled": fmt.Sprint(c.options.MergeSchema),
	})
	defer restore()
	if err != nil {
		return 0, c.databricksError(err, nil)
	}
	began := time.Now().Truncate(time.Millisecond) // the resolution of commit times
	if _, err := c.queryTexts(ctx, "INSERT INTO "+c.name()+" BY NAME "+query); err != nil {
		return 0, c.copyError(err)
	}
	commit, err := c.lastCommit(ctx, c.target, began)
	if err != nil {
		return 0, err
	}
	if commit == nil || commit.UserMetadata != copyCommitPrefix+string(text) {
		return 0, fmt.Errorf("COPY INTO %s succeeded, but its commit is not in the table's log", c.name())
	}
	return metric(commit, "numOutputRows")
}

// withSettings sets session settings, which restore resets.
func (c *copyJob) withSettings(ctx context.Context, settings map[string]string) (restore func(), err error) {
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

// copyOnlyOptions are the format options that Spark's readers do not have.
var copyOnlyOptions = []string{"mergeSchema", "ignoreCorruptFiles", "ignoreMissingFiles", "path", "recursiveFileLookup"}

func (c *copyJob) viewStatement(view, dir string) string {
	options := []string{"'path' " + quoting.Text("file://"+dir), "'recursiveFileLookup' 'true'"}
	for _, o := range c.statement.Options {
		textual := c.statement.Format == "CSV" || c.statement.Format == "JSON" || c.statement.Format == "TEXT"
		if i := slices.IndexFunc(copyOnlyOptions, func(k string) bool { return strings.EqualFold(k, o.Key) }); i < 0 || i == 0 && !textual {
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

// selectStatement returns the SELECT over the files. It checks the columns against
// those of the table.
func (c *copyJob) selectStatement(ctx context.Context, view string, params []warehouse.Parameter) (string, error) {
	source := view
	if name := c.statement.Source.Name; name != "" {
		source += " AS " + quoting.Name(name)
	}
	text := "SELECT " + c.selectList + " FROM " + source
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
		return "", c.copyError(err)
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

func (c *copyJob) shownName() string {
	return quoting.Name(strings.ToLower(c.target.Catalog), strings.ToLower(c.target.Schema), strings.ToLower(c.target.Name))
}

// checkTypes refuses the casts that COPY INTO refuses and INSERT would do.
func (c *copyJob) checkTypes(found [][]string) error {
	for _, row := range found {
		i := slices.IndexFunc(c.metadata.Columns, func(t sqltype.Column) bool { return strings.EqualFold(t.Name, row[0]) })
		if i < 0 || sqltype.Nested(row[1]) || !c.metadata.Columns[i].Type.Atomic() {
			continue
		}
		from, err := sqltype.ParseSimple(row[1])
		if err != nil {
			return err
		}
		if !types.FitsWithoutLoss(from, c.metadata.Columns[i].Type) {
			return sqlerror.FailedToMerge(c.metadata.Columns[i].Name, row[0], c.metadata.Columns[i].Type, from)
		}
	}
	return nil
}

// copyError converts an error, with COPY INTO's own error classes.
func (c *copyJob) copyError(err error) error {
	err = c.databricksError(err, nil)
	var e *warehouse.Error
	if !errors.As(err, &e) {
		return err
	}
	for file, url := range c.urlOfLocalFile {
		// Spark writes paths with two slashes or with none.
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
