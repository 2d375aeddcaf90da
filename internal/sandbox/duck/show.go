package duck

import (
	"context"
	"fmt"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/fixedresult"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/metadata"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/syntax"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/bind"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/catalog"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// show executes SHOW.
func (s *session) show(env *bind.Env, st *syntax.Show) (warehouse.Result, error) {
	match := metadata.Matcher(st.Pattern)
	var out [][]any
	switch st.Kind {
	case "CATALOGS":
		for _, c := range catalog.Sorted(env.Snapshot.Catalogs) {
			if match(c.Name) {
				out = append(out, []any{c.Name})
			}
		}
		if match(metadata.SystemCatalog) {
			out = append(out, []any{metadata.SystemCatalog})
		}
		return fixedresult.New(metadata.ShowCatalogs, out)
	case "SCHEMAS":
		return s.showSchemas(env, st, match)
	case "TABLES", "VIEWS":
		return s.showTables(env, st, match)
	case "COLUMNS":
		cols, err := columnsOf(env, st.In)
		if err != nil {
			return nil, err
		}
		for _, c := range cols {
			out = append(out, []any{c.Name})
		}
		return fixedresult.New(fixedresult.Strings("col_name"), out)
	case "TBLPROPERTIES":
		return s.showProperties(env, st)
	case "CURRENT":
		return fixedresult.New(metadata.ShowCurrent, [][]any{{env.Catalog, env.Schema}})
	}
	return nil, sqlerror.NotOnDuckDB("SHOW " + st.Kind)
}

func (s *session) showSchemas(env *bind.Env, st *syntax.Show, match func(string) bool) (warehouse.Result, error) {
	name := env.Catalog
	if len(st.In) == 1 {
		name = st.In[0]
	} else if len(st.In) > 1 {
		return nil, sqlerror.WrongNameParts("SHOW SCHEMAS requires a catalog, but got %s.", st.In...)
	}
	if strings.EqualFold(name, metadata.SystemCatalog) {
		return fixedresult.New(metadata.ShowSchemas, [][]any{{metadata.InformationSchema}})
	}
	c, err := env.Snapshot.Catalog(name)
	if err != nil {
		return nil, err
	}
	var out [][]any
	for _, sc := range catalog.Sorted(c.Schemas) {
		if match(sc.Name) {
			out = append(out, []any{sc.Name})
		}
	}
	if c.Name != metadata.HiveMetastore && match(metadata.InformationSchema) {
		out = append(out, []any{metadata.InformationSchema})
	}
	return fixedresult.New(metadata.ShowSchemas, out)
}

// showTables lists the tables and views of a schema, and the temporary views.
func (s *session) showTables(env *bind.Env, st *syntax.Show, match func(string) bool) (warehouse.Result, error) {
	catalogName, schema := env.Catalog, env.Schema
	if st.In != nil {
		var err error
		if catalogName, schema, err = env.Namespace().SchemaName(st.In); err != nil {
			return nil, err
		}
	}
	if strings.EqualFold(schema, metadata.InformationSchema) {
		return s.showInformationSchema(env, catalogName, st, match)
	}
	sc, err := env.Snapshot.Schema(catalogName, schema)
	if err != nil {
		return nil, err
	}
	var out [][]any
	for _, t := range catalog.Sorted(sc.Tables) {
		if match(t.Name) && (st.Kind == "TABLES" || t.View != nil) {
			out = append(out, []any{sc.Name, t.Name, false})
		}
	}
	for _, k := range sortedKeys(env.TempViews) {
		if match(k) {
			out = append(out, []any{"", k, true})
		}
	}
	if st.Kind == "VIEWS" {
		for i := range out {
			out[i] = append(out[i], false)
		}
	}
	return fixedresult.New(metadata.ShowTables(st.Kind == "VIEWS"), out)
}

// showInformationSchema lists the relations of information_schema, which are views.
func (s *session) showInformationSchema(
	env *bind.Env,
	catalogName string,
	st *syntax.Show,
	match func(string) bool,
) (warehouse.Result, error) {
	if !strings.EqualFold(catalogName, metadata.SystemCatalog) {
		if _, err := env.Snapshot.Catalog(catalogName); err != nil {
			return nil, err
		}
	}
	cols := metadata.ShowTables(st.Kind == "VIEWS")
	var out [][]any
	for _, n := range metadata.Relations() {
		if match(n) {
			out = append(out, []any{metadata.InformationSchema, n, false, false}[:len(cols)])
		}
	}
	return fixedresult.New(cols, out)
}

func (s *session) showProperties(env *bind.Env, st *syntax.Show) (warehouse.Result, error) {
	tab, err := env.Table(st.In)
	if err != nil {
		return nil, err
	}
	cols := fixedresult.Strings("key", "value")
	p := map[string]string{}
	for k, v := range tab.Properties() {
		p[k] = v
	}
	if tab.View == nil {
		if p["delta.minReaderVersion"] == "" {
			p["delta.minReaderVersion"], p["delta.minWriterVersion"] = "1", "2"
		}
	}
	if st.Key != "" {
		v, ok := p[st.Key]
		if !ok {
			v = fmt.Sprintf("Table %s does not have property: %s", tab.FullName(), st.Key)
		}
		return fixedresult.New(cols, [][]any{{st.Key, v}})
	}
	var out [][]any
	for _, k := range sortedKeys(p) {
		out = append(out, []any{k, p[k]})
	}
	return fixedresult.New(cols, out)
}

// columnsOf returns the columns of a table, view or temporary view.
func columnsOf(env *bind.Env, parts []string) ([]catalog.Column, error) {
	if len(parts) == 1 {
		if v := env.TempViews[lower(parts[0])]; v != nil {
			return v.Columns, nil
		}
	}
	if len(parts) >= 2 && strings.EqualFold(parts[len(parts)-2], metadata.InformationSchema) {
		q, err := bind.Bind(
			env,
			&syntax.Query{
				Body: &syntax.Select{Items: []syntax.SelectItem{{X: &syntax.Star{}}}, From: []syntax.TableExpr{&syntax.TableName{Parts: parts}}},
			},
		)
		if err != nil {
			return nil, err
		}
		return catalogColumns(q.Columns), nil
	}
	tab, err := env.Table(parts)
	if err != nil {
		return nil, err
	}
	return tab.Columns(), nil
}

func catalogColumns(cols []bind.Column) []catalog.Column {
	out := make([]catalog.Column, len(cols))
	for i, c := range cols {
		out[i] = catalog.Column{Name: c.Name, Type: c.Type, NotNull: !c.Nullable, Comment: c.Comment}
	}
	return out
}

// describe executes DESCRIBE.
func (s *session) describe(env *bind.Env, st *syntax.Describe) (warehouse.Result, error) {
	switch st.Kind {
	case "HISTORY":
		return s.history(env, st)
	case "DETAIL":
		return s.detail(context.Background(), env, st)
	case "CATALOG", "SCHEMA":
		return nil, sqlerror.NotOnDuckDB("DESCRIBE " + st.Kind)
	case "QUERY":
		q, err := bind.Bind(env, st.Query)
		if err != nil {
			return nil, err
		}
		return fixedresult.New(describeColumns, describeRows(catalogColumns(q.Columns)))
	}
	return s.describeTable(env, st)
}

var describeColumns = fixedresult.Strings("col_name", "data_type", "comment")

func describeRows(cols []catalog.Column) [][]any {
	out := make([][]any, len(cols))
	for i, c := range cols {
		var comment any
		if c.Comment != "" {
			comment = c.Comment
		}
		out[i] = []any{c.Name, c.Type.SimpleString(), comment}
	}
	return out
}
