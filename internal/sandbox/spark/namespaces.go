package spark

import (
	"context"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/fixedresult"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/metadata"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/quoting"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/syntax"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/spark/rewrite"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// answeredShows are the SHOW statements that executeNamespace answers.
var answeredShows = map[string]bool{
	"CATALOGS":   true,
	"SCHEMAS":    true,
	"DATABASES":  true,
	"NAMESPACES": true,
	"TABLES":     true,
	"VIEWS":      true,
	"CURRENT":    true,
}

// sparkSchemas lists the schemas in Spark that belong to this engine.
func (s *session) sparkSchemas(ctx context.Context) ([]string, error) {
	found, err := s.queryTexts(ctx, "SHOW SCHEMAS")
	if err != nil {
		return nil, err
	}
	var out []string
	for _, row := range found {
		if _, _, ok := s.engine.names.Split(row[0]); ok {
			out = append(out, row[0])
		}
	}
	return out, nil
}

// catalogs returns all catalogs with their schemas, sorted. In Spark, a catalog
// exists by its information_schema, which is not among the schemas returned.
func (s *session) catalogs(ctx context.Context) (map[string][]string, error) {
	found, err := s.sparkSchemas(ctx)
	if err != nil {
		return nil, err
	}
	out := map[string][]string{}
	for _, name := range found {
		catalog, schema, _ := s.engine.names.Split(name)
		if out[catalog] == nil {
			out[catalog] = []string{}
		}
		if schema != metadata.InformationSchema {
			out[catalog] = append(out[catalog], schema)
		}
	}
	for _, schemas := range out {
		slices.Sort(schemas)
	}
	return out, nil
}

func (s *session) makeCatalog(ctx context.Context, name, comment string) error {
	schemas := []string{"default"}
	if name != metadata.HiveMetastore {
		schemas = append(schemas, metadata.InformationSchema)
	}
	for _, schema := range schemas {
		if _, err := s.queryTexts(
			ctx,
			"CREATE SCHEMA IF NOT EXISTS "+quoting.Name(s.engine.names.Schema(name, schema))+" COMMENT "+quoting.Text(comment),
		); err != nil {
			return s.databricksError(err, nil)
		}
	}
	return nil
}

// checkCreateSchema makes the checks of CREATE SCHEMA that Spark cannot make: the
// catalog must exist, and information_schema cannot be created.
func (s *session) checkCreateSchema(ctx context.Context, st *rewrite.Statement) error {
	known, err := s.catalogs(ctx)
	if err != nil {
		return s.databricksError(err, st)
	}
	catalog, schema := strings.ToLower(st.Schemas[0][0]), strings.ToLower(st.Schemas[0][1])
	if known[catalog] == nil {
		return sqlerror.CatalogNotFound(st.Schemas[0][0])
	}
	if schema == metadata.InformationSchema && catalog != metadata.HiveMetastore {
		return sqlerror.SchemaExists(catalog, schema)
	}
	return nil
}

// executeNamespace executes the statements about catalogs and the current
// namespace, since Spark has only one catalog.
func (s *session) executeNamespace(ctx context.Context, statement string, params []warehouse.Parameter) (warehouse.Result, error) {
	parsed, err := syntax.Parse(statement, params...)
	if err != nil {
		return nil, err
	}
	known, err := s.catalogs(ctx)
	if err != nil {
		return nil, s.databricksError(err, nil)
	}
	switch st := parsed.(type) {
	case *syntax.Show:
		return s.show(ctx, st, known)
	case *syntax.Use:
		return s.use(ctx, st, known)
	case *syntax.CreateNamespace:
		name := strings.ToLower(st.Name[0])
		switch {
		case len(st.Name) > 1:
			return nil, sqlerror.WrongNameParts("%s has too many parts for a catalog's name.", st.Name...)
		case known[name] == nil && name != metadata.SystemCatalog:
			if err := s.makeCatalog(ctx, name, st.Comment); err != nil {
				return nil, err
			}
		case !st.IfNotExists:
			return nil, sqlerror.CatalogExists(st.Name[0])
		}
		return fixedresult.Empty(), nil
	case *syntax.Drop:
		return s.dropCatalog(ctx, st, known)
	case *syntax.Describe:
		if known[strings.ToLower(st.Name[0])] == nil {
			return nil, sqlerror.CatalogNotFound(st.Name[0])
		}
		return fixedresult.New(metadata.DescribeCatalog, [][]any{{"Catalog Name", strings.ToLower(st.Name[0])}, {"Comment", ""}, {"Owner", user}})
	}
	return nil, sqlerror.Unsupported("this statement about catalogs")
}

func (s *session) dropCatalog(ctx context.Context, st *syntax.Drop, known map[string][]string) (warehouse.Result, error) {
	name := strings.ToLower(st.Name[0])
	if known[name] == nil {
		if st.IfExists {
			return fixedresult.Empty(), nil
		}
		return nil, sqlerror.CatalogNotFound(st.Name[0])
	}
	for _, schema := range known[name] {
		tables, err := s.queryTexts(ctx, "SHOW TABLES IN "+quoting.Name(s.engine.names.Schema(name, schema)))
		if err != nil {
			return nil, s.databricksError(err, nil)
		}
		if !st.Cascade && (schema != "default" || len(tables) > 0) {
			return nil, sqlerror.CatalogNotEmpty(name)
		}
	}
	// The information_schema goes last: until then the catalog exists.
	for _, schema := range append(known[name], metadata.InformationSchema) {
		if _, err := s.queryTexts(ctx, "DROP SCHEMA IF EXISTS "+quoting.Name(s.engine.names.Schema(name, schema))+" CASCADE"); err != nil {
			return nil, s.databricksError(err, nil)
		}
	}
	return fixedresult.Empty(), nil
}

func (s *session) use(ctx context.Context, st *syntax.Use, known map[string][]string) (warehouse.Result, error) {
	to, err := s.namespace().Use(st)
	if err != nil {
		return nil, err
	}
	catalog, schema := strings.ToLower(to.Catalog), strings.ToLower(to.Schema)
	if known[catalog] == nil {
		return nil, sqlerror.CatalogNotFound(catalog)
	}
	if schema != metadata.InformationSchema && !slices.Contains(known[catalog], schema) {
		return nil, sqlerror.SchemaNotFound(catalog, schema)
	}
	if _, err := s.queryTexts(ctx, "USE "+quoting.Name(s.engine.names.Schema(catalog, schema))); err != nil {
		return nil, s.databricksError(err, nil)
	}
	s.catalog, s.schema, s.schemaMissing = catalog, schema, false
	return fixedresult.Empty(), nil
}

func (s *session) show(ctx context.Context, st *syntax.Show, known map[string][]string) (warehouse.Result, error) {
	match := metadata.Matcher(st.Pattern)
	var out [][]any
	switch st.Kind {
	case "CATALOGS":
		names := []string{metadata.SystemCatalog}
		for name := range known {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			if match(name) {
				out = append(out, []any{name})
			}
		}
		return fixedresult.New(metadata.ShowCatalogs, out)
	case "SCHEMAS":
		catalog := s.catalog
		if len(st.In) > 1 {
			return nil, sqlerror.WrongNameParts("SHOW SCHEMAS requires a catalog, but got %s.", st.In...)
		}
		if len(st.In) == 1 {
			catalog = strings.ToLower(st.In[0])
		}
		if known[catalog] == nil && catalog != metadata.SystemCatalog {
			return nil, sqlerror.CatalogNotFound(catalog)
		}
		for _, schema := range known[catalog] {
			if match(schema) {
				out = append(out, []any{schema})
			}
		}
		if catalog != metadata.HiveMetastore && match(metadata.InformationSchema) {
			out = append(out, []any{metadata.InformationSchema})
		}
		return fixedresult.New(metadata.ShowSchemas, out)
	case "TABLES", "VIEWS":
		return s.showTables(ctx, st, match, known)
	}
	return fixedresult.New(metadata.ShowCurrent, [][]any{{s.catalog, s.schema}})
}

// showTables lists a schema's tables and views, and the temporary views.
func (s *session) showTables(
	ctx context.Context,
	st *syntax.Show,
	match func(string) bool,
	known map[string][]string,
) (warehouse.Result, error) {
	catalog, schema := s.catalog, s.schema
	if st.In != nil {
		var err error
		if catalog, schema, err = s.namespace().SchemaName(st.In); err != nil {
			return nil, err
		}
		catalog, schema = strings.ToLower(catalog), strings.ToLower(schema)
	}
	if known[catalog] == nil {
		return nil, sqlerror.CatalogNotFound(catalog)
	}
	if !slices.Contains(known[catalog], schema) {
		return nil, sqlerror.SchemaNotFound(catalog, schema)
	}
	found, err := s.queryTexts(ctx, "SHOW "+st.Kind+" IN "+quoting.Name(s.engine.names.Schema(catalog, schema)))
	if err != nil {
		return nil, s.databricksError(err, nil)
	}
	var out, temporary [][]any
	for _, row := range found {
		name := s.engine.names.Original(row[1])
		switch {
		case strings.HasPrefix(name, ownViewPrefix) || !match(name):
		case row[2] == "true":
			temporary = append(temporary, []any{"", name, true})
		default:
			out = append(out, []any{schema, name, false})
		}
	}
	out = append(out, temporary...)
	if st.Kind == "VIEWS" {
		for i := range out {
			out[i] = append(out[i], false)
		}
	}
	return fixedresult.New(metadata.ShowTables(st.Kind == "VIEWS"), out)
}
