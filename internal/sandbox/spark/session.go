package spark

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/fixedresult"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/quoting"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/syntax"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/spark/hive"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/spark/rewrite"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// session is a Spark session with Databricks' namespace. It executes one statement at
// a time.
type session struct {
	engine          *Engine
	hive            *hive.Session
	catalog, schema string
	// schemaMissing is true while the first schema does not exist.
	schemaMissing bool
	// location is the session's time zone, in which Spark prints timestamps.
	location *time.Location
	settings map[string]string
	// viewCount numbers the views that the engine creates for itself.
	viewCount int
	// cluster is set for a session of a cluster.
	cluster bool
}

// namespace returns the current catalog and schema, which complete short names.
func (s *session) namespace() syntax.Namespace {
	return syntax.Namespace{Catalog: s.catalog, Schema: s.schema}
}

func (e *Engine) openSession(ctx context.Context, o warehouse.SessionOptions) (*session, error) {
	client, err := e.connect(ctx, sessionWait)
	if err != nil {
		return nil, err
	}
	s := &session{engine: e, catalog: "main", schema: "default", location: time.UTC, settings: map[string]string{}, cluster: o.Cluster}
	if o.Catalog != "" {
		s.catalog = strings.ToLower(o.Catalog)
	}
	if o.Schema != "" {
		s.schema = strings.ToLower(o.Schema)
	}
	conf := map[string]string{useDatabase: e.names.Schema(s.catalog, s.schema)}
	for key, value := range o.Conf {
		name, err := s.recordSetting(key, value)
		if err != nil {
			return nil, err
		}
		if name != "" {
			conf["set:hiveconf:"+name] = value
		}
	}
	s.hive, err = client.OpenSession(ctx, conf)
	if schemaNotFound(err) {
		// A client may open the session to create the schema.
		s.schemaMissing = true
		delete(conf, useDatabase)
		if s.hive, err = client.OpenSession(ctx, conf); err == nil {
			err = s.checkCatalog(ctx)
		}
	}
	if err != nil {
		return nil, s.databricksError(err, nil)
	}
	return s, nil
}

const useDatabase = "use:database"

func schemaNotFound(err error) bool {
	var refused *hive.ServerError
	return errors.As(err, &refused) && strings.Contains(refused.Message, "SCHEMA_NOT_FOUND")
}

// checkCatalog closes a session whose catalog does not exist.
func (s *session) checkCatalog(ctx context.Context) error {
	known, err := s.catalogs(ctx)
	if err == nil && known[s.catalog] == nil {
		err = sqlerror.CatalogNotFound(s.catalog)
	}
	if err != nil {
		return errors.Join(err, s.Close())
	}
	return nil
}

// enterSchema enters the session's schema if it was missing and exists now.
func (s *session) enterSchema(ctx context.Context) error {
	if !s.schemaMissing {
		return nil
	}
	_, err := s.queryTexts(ctx, "USE "+quoting.Name(s.engine.names.Schema(s.catalog, s.schema)))
	if schemaNotFound(err) {
		return nil
	}
	s.schemaMissing = err != nil
	return err
}

// createsUnqualified reports whether a statement creates a table or view in the
// session's schema.
func createsUnqualified(tokens []syntax.Token, st *rewrite.Statement) bool {
	if first := tokens[0].Upper; first != "CREATE" && first != "REPLACE" || len(st.Tables) == 0 || st.Tables[0].Parts != 1 {
		return false
	}
	return !slices.ContainsFunc(tokens[:min(4, len(tokens))], func(t syntax.Token) bool { return t.Upper == "TEMPORARY" || t.Upper == "TEMP" })
}

// closeTimeout bounds calls that must succeed even after ctx has ended.
const closeTimeout = 10 * time.Second

// Close ends the session. A lost session needs no call.
func (s *session) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	err := s.hive.Close(ctx)
	var lost *hive.LostError
	if errors.As(err, &lost) {
		return nil
	}
	return err
}

// Execute runs one statement.
func (s *session) Execute(ctx context.Context, statement string, params []warehouse.Parameter) (warehouse.Result, error) {
	tokens, err := syntax.Lex(statement)
	if err != nil {
		// Spark reports the syntax error.
		return s.query(ctx, &rewrite.Statement{Text: statement})
	}
	if err := s.enterSchema(ctx); err != nil {
		return nil, s.databricksError(err, nil)
	}
	first, second := tokens[0].Upper, ""
	if len(tokens) > 1 {
		second = tokens[1].Upper
	}
	switch {
	case tokens[0].Kind == syntax.EOF:
		return nil, sqlerror.New("PARSE_EMPTY_STATEMENT", "42617", "Syntax error, unexpected empty statement.")
	case first == "SHOW" && answeredShows[second],
		first == "USE",
		second == "CATALOG" && (first == "CREATE" || first == "DROP" || strings.HasPrefix(first, "DESC")):
		return s.executeNamespace(ctx, statement, params)
	case first == "SET" || first == "RESET":
		return s.executeSet(ctx, statement)
	case first == "COPY":
		return s.copyInto(ctx, statement, tokens, params)
	case unsupported[first] || first == "SHOW" && second == "TABLE" || first == "ALTER" && second == "CATALOG":
		return nil, sqlerror.Unsupported(first + " " + second)
	}
	st, err := s.rewrite(ctx, statement, tokens, params)
	if err != nil {
		return nil, err
	}
	if s.schemaMissing && createsUnqualified(tokens, st) {
		return nil, sqlerror.SchemaNotFound(s.catalog, s.schema)
	}
	switch {
	case isQuery(tokens):
		return s.query(ctx, st)
	case strings.HasPrefix(first, "DESC") && (second == "HISTORY" || second == "DETAIL") && len(st.Tables) == 1:
		return s.history(ctx, st, second)
	case first == "CREATE" && len(st.Schemas) == 1:
		if err := s.checkCreateSchema(ctx, st); err != nil {
			return nil, err
		}
	case (first == "CREATE" || first == "REPLACE") && deepCloneAt(tokens) >= 0:
		return s.deepClone(ctx, st, tokens)
	case first == "TRUNCATE":
		return s.truncate(ctx, st)
	case first == "INSERT", first == "WITH", (first == "CREATE" || first == "REPLACE") && createsAs(tokens):
		return s.insert(ctx, st)
	}
	return s.command(ctx, st)
}

// truncate executes TRUNCATE TABLE, which open-source Delta does not have.
func (s *session) truncate(ctx context.Context, st *rewrite.Statement) (warehouse.Result, error) {
	if len(st.Tables) != 1 {
		return s.command(ctx, st)
	}
	t := st.Tables[0]
	if _, err := s.queryTexts(
		ctx,
		"DELETE FROM "+quoting.Name(s.engine.names.Schema(t.Catalog, t.Schema), s.engine.names.Table(t.Name)),
	); err != nil {
		return nil, s.databricksError(err, st)
	}
	return fixedresult.Empty(), nil
}

// unsupported are statements of Databricks that mean something else to Spark.
var unsupported = map[string]bool{"GRANT": true, "REVOKE": true, "DECLARE": true, "CALL": true, "EXECUTE": true, "BEGIN": true}

func (s *session) rewrite(
	ctx context.Context,
	statement string,
	tokens []syntax.Token,
	params []warehouse.Parameter,
) (*rewrite.Statement, error) {
	ask := filterOf(tokens, params)
	return rewrite.Rewrite(statement, tokens, rewrite.Env{
		Names: s.engine.names, Catalog: s.catalog, Schema: s.schema, Parameters: rewrite.NewParameters(params), Cluster: s.cluster,
		Information: func(catalog, relation string) (string, error) { return s.informationQuery(ctx, catalog, relation, ask) },
	})
}

// isQuery reports whether a statement is a query. WITH may also begin an INSERT.
func isQuery(tokens []syntax.Token) bool {
	switch tokens[0].Upper {
	case "SELECT", "VALUES", "FROM", "TABLE", "(":
		return true
	case "WITH":
		depth := 0
		for _, t := range tokens {
			switch {
			case t.Kind == syntax.Op && t.Text == "(":
				depth++
			case t.Kind == syntax.Op && t.Text == ")":
				depth--
			case depth == 0 && t.Upper == "INSERT" && t.Kind == syntax.Word:
				return false
			}
		}
		return true
	}
	return false
}

// createsAs reports whether a CREATE TABLE is one AS SELECT.
func createsAs(tokens []syntax.Token) bool {
	table, depth := false, 0
	for i, t := range tokens {
		switch {
		case t.Kind == syntax.Op && t.Text == "(":
			depth++
		case t.Kind == syntax.Op && t.Text == ")":
			depth--
		case i < 4 && t.Upper == "VIEW":
			return false
		case i < 4 && t.Upper == "TABLE":
			table = true
		case depth == 0 && t.Upper == "AS" && t.Kind == syntax.Word:
			return table && tokens[i-1].Upper != "VERSION" && tokens[i-1].Upper != "TIMESTAMP"
		}
	}
	return false
}

// command executes a statement that is not a query.
func (s *session) command(ctx context.Context, st *rewrite.Statement) (warehouse.Result, error) {
	op, err := s.hive.Execute(ctx, st.Text)
	if err != nil {
		return nil, s.databricksError(err, st)
	}
	defer s.closeOperation(op)
	columns, values, err := s.readAll(ctx, op)
	if err != nil {
		return nil, s.databricksError(err, st)
	}
	// The server returns this column for statements that return nothing.
	if len(columns) == 1 && columns[0].Name == "Result" && len(values) == 0 {
		return fixedresult.Empty(), nil
	}
	for _, row := range values {
		for i, v := range row {
			if text, ok := v.(string); ok {
				row[i] = s.withUserNames(st, text)
			}
		}
	}
	return fixedresult.New(columns, values)
}

// withUserNames replaces Spark's names in a command's output by the user's.
func (s *session) withUserNames(st *rewrite.Statement, text string) string {
	if text == "spark_catalog" && len(st.Tables) > 0 {
		return st.Tables[0].Catalog
	}
	if catalog, schema, ok := s.engine.names.Split(text); ok && !strings.Contains(text, ".") {
		_ = catalog
		return schema
	}
	return s.engine.names.UserText(text)
}

// closeOperation closes an operation that is no longer read.
func (s *session) closeOperation(op *hive.Operation) {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	_ = op.Close(ctx) // closing the session closes the operation too
}

// newViewName returns a name for a view that the engine creates for itself.
func (s *session) newViewName() string {
	s.viewCount++
	return fmt.Sprintf("%s%d", ownViewPrefix, s.viewCount)
}

// ownViewPrefix begins the names of views that are hidden from users.
const ownViewPrefix = "sandbox_own_view_"
