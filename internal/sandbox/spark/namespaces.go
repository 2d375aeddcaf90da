package spark

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/quoting"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/syntax"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/spark/rewrite"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/spark/rows"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

const (
	hiveMetastore     = "hive_metastore"
	informationSchema = "information_schema"
	systemCatalog     = "system"
)

// shown are the SHOW statements that are answered here.
var shown = map[string]bool{"CATALOGS": true, "SCHEMAS": true, "DATABASES": true, "NAMESPACES": true, "TABLES": true, "VIEWS": true, "CURRENT": true}

// physical lists the schemas of Spark that are this engine's.
func (s *session) physical(ctx context.Context) ([]string, error) {
	found, err := s.texts(ctx, "SHOW SCHEMAS")
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

// catalogs lists all catalogs with their schemas, sorted. The schema that marks
// a catalog, its information_schema, is in Spark but not in the lists.
func (s *session) catalogs(ctx context.Context) (map[string][]string, error) {
	found, err := s.physical(ctx)
	if err != nil {
		return nil, err
	}
	out := map[string][]string{}
	for _, name := range found {
		catalog, schema, _ := s.engine.names.Split(name)
		if out[catalog] == nil {
			out[catalog] = []string{}
		}
		if schema != informationSchema {
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
	if name != hiveMetastore {
		schemas = append(schemas, informationSchema)
	}
	for _, schema := range schemas {
		if _, err := s.texts(ctx, "CREATE SCHEMA IF NOT EXISTS "+quoting.Name(s.engine.names.Schema(name, schema))+" COMMENT "+quoting.Text(comment)); err != nil {
			return s.failure(err, nil)
		}
	}
	return nil
}

// schemaCanBeMade checks what Spark cannot know of CREATE SCHEMA.
func (s *session) schemaCanBeMade(ctx context.Context, st *rewrite.Statement) error {
	known, err := s.catalogs(ctx)
	if err != nil {
		return s.failure(err, st)
	}
	catalog, schema := strings.ToLower(st.Schemas[0][0]), strings.ToLower(st.Schemas[0][1])
	if known[catalog] == nil {
		return sqlerror.CatalogNotFound(st.Schemas[0][0])
	}
	if schema == informationSchema && catalog != hiveMetastore {
		return sqlerror.New("SCHEMA_ALREADY_EXISTS", "42P06", "Cannot create schema %s because it already exists. Choose a different name, drop the existing schema, or add the IF NOT EXISTS clause to tolerate pre-existing schema.", quoting.Name(catalog, schema))
	}
	return nil
}

// pattern makes a test of SHOW's patterns: * is any text, | is or, and case
// does not matter.
func pattern(p *string) func(string) bool {
	if p == nil {
		return func(string) bool { return true }
	}
	alternatives := strings.Split(*p, "|")
	for i, a := range alternatives {
		parts := strings.Split(strings.TrimSpace(a), "*")
		for j := range parts {
			parts[j] = regexp.QuoteMeta(parts[j])
		}
		alternatives[i] = strings.Join(parts, ".*")
	}
	return regexp.MustCompile("(?is)^(?:" + strings.Join(alternatives, "|") + ")$").MatchString
}

// namespaces answers the statements about catalogs, which Spark has one of.
func (s *session) namespaces(ctx context.Context, statement string) (warehouse.Result, error) {
	parsed, err := syntax.Parse(statement)
	if err != nil {
		return nil, err
	}
	known, err := s.catalogs(ctx)
	if err != nil {
		return nil, s.failure(err, nil)
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
			return nil, sqlerror.New("REQUIRES_SINGLE_PART_NAMESPACE", "42K05", "%s has too many parts for a catalog's name.", quoting.Name(st.Name...))
		case known[name] == nil && name != systemCatalog:
			if err := s.makeCatalog(ctx, name, st.Comment); err != nil {
				return nil, err
			}
		case !st.IfNotExists:
			return nil, sqlerror.New("CATALOG_ALREADY_EXISTS", "42710", "Catalog '%s' already exists.", st.Name[0])
		}
		return nothing()
	case *syntax.Drop:
		return s.dropCatalog(ctx, st, known)
	case *syntax.Describe:
		if known[strings.ToLower(st.Name[0])] == nil {
			return nil, sqlerror.CatalogNotFound(st.Name[0])
		}
		return rows.NewStatic(rows.Strings("info_name", "info_value"), [][]any{{"Catalog Name", strings.ToLower(st.Name[0])}, {"Comment", ""}, {"Owner", user}})
	}
	return nil, sqlerror.Unsupported("this statement about catalogs")
}

func (s *session) dropCatalog(ctx context.Context, st *syntax.Drop, known map[string][]string) (warehouse.Result, error) {
	name := strings.ToLower(st.Name[0])
	if known[name] == nil {
		if st.IfExists {
			return nothing()
		}
		return nil, sqlerror.CatalogNotFound(st.Name[0])
	}
	for _, schema := range known[name] {
		tables, err := s.texts(ctx, "SHOW TABLES IN "+quoting.Name(s.engine.names.Schema(name, schema)))
		if err != nil {
			return nil, s.failure(err, nil)
		}
		if !st.Cascade && (schema != "default" || len(tables) > 0) {
			return nil, sqlerror.New("CATALOG_NOT_EMPTY", "2BP01", "Cannot drop the catalog %s because it contains schemas. Use CASCADE to drop them too.", quoting.Name(name))
		}
	}
	// The mark goes last: until then the catalog is there.
	for _, schema := range append(known[name], informationSchema) {
		if _, err := s.texts(ctx, "DROP SCHEMA IF EXISTS "+quoting.Name(s.engine.names.Schema(name, schema))+" CASCADE"); err != nil {
			return nil, s.failure(err, nil)
		}
	}
	return nothing()
}

func (s *session) use(ctx context.Context, st *syntax.Use, known map[string][]string) (warehouse.Result, error) {
	catalog, schema := s.catalog, "default"
	switch {
	case st.Catalog && len(st.Name) == 1:
		catalog = strings.ToLower(st.Name[0])
	case !st.Catalog && len(st.Name) == 1:
		schema = strings.ToLower(st.Name[0])
	case !st.Catalog && len(st.Name) == 2:
		catalog, schema = strings.ToLower(st.Name[0]), strings.ToLower(st.Name[1])
	default:
		return nil, sqlerror.New("REQUIRES_SINGLE_PART_NAMESPACE", "42K05", "USE requires a name of one or two parts, but got %s.", quoting.Name(st.Name...))
	}
	if known[catalog] == nil {
		return nil, sqlerror.CatalogNotFound(catalog)
	}
	if schema != informationSchema && !slices.Contains(known[catalog], schema) {
		return nil, sqlerror.SchemaNotFound(catalog, schema)
	}
	if _, err := s.texts(ctx, "USE "+quoting.Name(s.engine.names.Schema(catalog, schema))); err != nil {
		return nil, s.failure(err, nil)
	}
	s.catalog, s.schema = catalog, schema
	return nothing()
}

func (s *session) show(ctx context.Context, st *syntax.Show, known map[string][]string) (warehouse.Result, error) {
	match := pattern(st.Pattern)
	var out [][]any
	switch st.What {
	case "CATALOGS":
		names := []string{systemCatalog}
		for name := range known {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			if match(name) {
				out = append(out, []any{name})
			}
		}
		return rows.NewStatic(rows.Strings("catalog"), out)
	case "SCHEMAS":
		catalog := s.catalog
		if len(st.In) > 1 {
			return nil, sqlerror.New("REQUIRES_SINGLE_PART_NAMESPACE", "42K05", "SHOW SCHEMAS requires a catalog, but got %s.", quoting.Name(st.In...))
		}
		if len(st.In) == 1 {
			catalog = strings.ToLower(st.In[0])
		}
		if known[catalog] == nil && catalog != systemCatalog {
			return nil, sqlerror.CatalogNotFound(catalog)
		}
		for _, schema := range known[catalog] {
			if match(schema) {
				out = append(out, []any{schema})
			}
		}
		if catalog != hiveMetastore && match(informationSchema) {
			out = append(out, []any{informationSchema})
		}
		return rows.NewStatic(rows.Strings("databaseName"), out)
	case "TABLES", "VIEWS":
		return s.showTables(ctx, st, match, known)
	}
	return rows.NewStatic(rows.Strings("catalog", "namespace"), [][]any{{s.catalog, s.schema}})
}

// showTables lists a schema's tables and views, and the temporary views.
func (s *session) showTables(ctx context.Context, st *syntax.Show, match func(string) bool, known map[string][]string) (warehouse.Result, error) {
	catalog, schema := s.catalog, s.schema
	switch len(st.In) {
	case 0:
	case 1:
		schema = strings.ToLower(st.In[0])
	case 2:
		catalog, schema = strings.ToLower(st.In[0]), strings.ToLower(st.In[1])
	default:
		return nil, sqlerror.New("REQUIRES_SINGLE_PART_NAMESPACE", "42K05", "%s has too many parts for a schema's name.", quoting.Name(st.In...))
	}
	if known[catalog] == nil {
		return nil, sqlerror.CatalogNotFound(catalog)
	}
	if !slices.Contains(known[catalog], schema) {
		return nil, sqlerror.SchemaNotFound(catalog, schema)
	}
	found, err := s.texts(ctx, "SHOW "+st.What+" IN "+quoting.Name(s.engine.names.Schema(catalog, schema)))
	if err != nil {
		return nil, s.failure(err, nil)
	}
	var out, temporary [][]any
	for _, row := range found {
		name := s.engine.names.Original(row[1])
		switch {
		case strings.HasPrefix(name, ownView) || !match(name):
		case row[2] == "true":
			temporary = append(temporary, []any{"", name, true})
		default:
			out = append(out, []any{schema, name, false})
		}
	}
	out = append(out, temporary...)
	flag := rows.Column{Name: "isTemporary", Type: types.BooleanType}
	if st.What == "TABLES" {
		return rows.NewStatic(append(rows.Strings("database", "tableName"), flag), out)
	}
	for i := range out {
		out[i] = append(out[i], false)
	}
	return rows.NewStatic(append(rows.Strings("namespace", "viewName"), flag, rows.Column{Name: "isMaterialized", Type: types.BooleanType}), out)
}
