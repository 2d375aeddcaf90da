package duck

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/quoting"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/syntax"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/bind"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/catalog"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

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
	re := regexp.MustCompile("(?is)^(?:" + strings.Join(alternatives, "|") + ")$")
	return re.MatchString
}

// show is SHOW in all its forms.
func (s *session) show(env *bind.Env, st *syntax.Show) (warehouse.Result, error) {
	match := pattern(st.Pattern)
	var out [][]any
	switch st.What {
	case "CATALOGS":
		for _, c := range catalog.Sorted(env.Snapshot.Catalogs) {
			if match(c.Name) {
				out = append(out, []any{c.Name})
			}
		}
		if match("system") {
			out = append(out, []any{"system"})
		}
		return rows(stringColumns("catalog"), out), nil
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
		return rows(stringColumns("col_name"), out), nil
	case "TBLPROPERTIES":
		return s.showProperties(env, st)
	case "CREATE TABLE":
		tab, err := env.Table(st.In)
		if err != nil {
			return nil, err
		}
		return rows(stringColumns("createtab_stmt"), [][]any{{createStatement(tab)}}), nil
	}
	return rows(stringColumns("catalog", "namespace"), [][]any{{env.Catalog, env.Schema}}), nil
}

func (s *session) showSchemas(env *bind.Env, st *syntax.Show, match func(string) bool) (warehouse.Result, error) {
	name := env.Catalog
	if len(st.In) == 1 {
		name = st.In[0]
	} else if len(st.In) > 1 {
		return nil, sqlerror.New("REQUIRES_SINGLE_PART_NAMESPACE", "42K05", "SHOW SCHEMAS requires a catalog, but got %s.", quoting.Name(st.In...))
	}
	if strings.EqualFold(name, "system") {
		return rows(stringColumns("databaseName"), [][]any{{"information_schema"}}), nil
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
	if c.Name != "hive_metastore" && match("information_schema") {
		out = append(out, []any{"information_schema"})
	}
	return rows(stringColumns("databaseName"), out), nil
}

// showTables lists a schema's tables and views, and the temporary views.
func (s *session) showTables(env *bind.Env, st *syntax.Show, match func(string) bool) (warehouse.Result, error) {
	catalogName, schema := env.Catalog, env.Schema
	if st.In != nil {
		var err error
		if catalogName, schema, err = schemaName(env, st.In); err != nil {
			return nil, err
		}
	}
	if strings.EqualFold(schema, "information_schema") {
		return s.showInformationSchema(env, catalogName, st, match)
	}
	sc, err := env.Snapshot.Schema(catalogName, schema)
	if err != nil {
		return nil, err
	}
	var out [][]any
	for _, t := range catalog.Sorted(sc.Tables) {
		if match(t.Name) && (st.What == "TABLES" || t.View != nil) {
			out = append(out, []any{sc.Name, t.Name, false})
		}
	}
	for _, k := range sortedKeys(env.TempViews) {
		if match(k) {
			out = append(out, []any{"", k, true})
		}
	}
	if st.What == "VIEWS" {
		cols := append(stringColumns("namespace", "viewName"), column("isTemporary", types.BooleanType), column("isMaterialized", types.BooleanType))
		for i := range out {
			out[i] = append(out[i], false)
		}
		return rows(cols, out), nil
	}
	return rows(append(stringColumns("database", "tableName"), column("isTemporary", types.BooleanType)), out), nil
}

// showInformationSchema lists the relations of information_schema, all views.
func (s *session) showInformationSchema(env *bind.Env, catalogName string, st *syntax.Show, match func(string) bool) (warehouse.Result, error) {
	if !strings.EqualFold(catalogName, "system") {
		if _, err := env.Snapshot.Catalog(catalogName); err != nil {
			return nil, err
		}
	}
	cols := append(stringColumns("database", "tableName"), column("isTemporary", types.BooleanType))
	if st.What == "VIEWS" {
		cols = append(stringColumns("namespace", "viewName"), column("isTemporary", types.BooleanType), column("isMaterialized", types.BooleanType))
	}
	var out [][]any
	for _, n := range bind.InformationSchema() {
		if match(n) {
			out = append(out, []any{"information_schema", n, false, false}[:len(cols)])
		}
	}
	return rows(cols, out), nil
}

func (s *session) showProperties(env *bind.Env, st *syntax.Show) (warehouse.Result, error) {
	tab, err := env.Table(st.In)
	if err != nil {
		return nil, err
	}
	cols := stringColumns("key", "value")
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
		return rows(cols, [][]any{{st.Key, v}}), nil
	}
	var out [][]any
	for _, k := range sortedKeys(p) {
		out = append(out, []any{k, p[k]})
	}
	return rows(cols, out), nil
}

// columnsOf are the columns of a table, view or temporary view.
func columnsOf(env *bind.Env, parts []string) ([]catalog.Column, error) {
	if len(parts) == 1 {
		if v := env.TempViews[lower(parts[0])]; v != nil {
			return v.Columns, nil
		}
	}
	if len(parts) >= 2 && strings.EqualFold(parts[len(parts)-2], "information_schema") {
		q, err := bind.Bind(env, &syntax.Query{Body: &syntax.Select{Items: []syntax.SelectItem{{X: &syntax.Star{}}}, From: []syntax.TableExpr{&syntax.TableName{Parts: parts}}}})
		if err != nil {
			return nil, err
		}
		return asColumns(q.Columns), nil
	}
	tab, err := env.Table(parts)
	if err != nil {
		return nil, err
	}
	return tab.Columns(), nil
}

func asColumns(cols []bind.Column) []catalog.Column {
	out := make([]catalog.Column, len(cols))
	for i, c := range cols {
		out[i] = catalog.Column{Name: c.Name, Type: c.Type, NotNull: !c.Nullable, Comment: c.Comment}
	}
	return out
}

// describe is DESCRIBE in all its forms.
func (s *session) describe(env *bind.Env, st *syntax.Describe) (warehouse.Result, error) {
	info := stringColumns("info_name", "info_value")
	switch st.What {
	case "HISTORY":
		return s.history(env, st)
	case "DETAIL":
		return s.detail(context.Background(), env, st)
	case "CATALOG":
		c, err := env.Snapshot.Catalog(st.Name[0])
		if err != nil {
			return nil, err
		}
		return rows(info, [][]any{{"Catalog Name", c.Name}, {"Comment", c.Comment}, {"Owner", env.User}}), nil
	case "SCHEMA":
		catalogName, schema, err := schemaName(env, st.Name)
		if err != nil {
			return nil, err
		}
		sc, err := env.Snapshot.Schema(catalogName, schema)
		if err != nil {
			return nil, err
		}
		return rows(stringColumns("database_description_item", "database_description_value"), [][]any{{"Catalog Name", sc.Catalog}, {"Namespace Name", sc.Name}, {"Comment", sc.Comment}, {"Location", ""}, {"Owner", env.User}}), nil
	case "QUERY":
		q, err := bind.Bind(env, st.Query)
		if err != nil {
			return nil, err
		}
		return rows(describeColumns, describeRows(asColumns(q.Columns))), nil
	}
	return s.describeTable(env, st)
}

var describeColumns = stringColumns("col_name", "data_type", "comment")

func describeRows(cols []catalog.Column) [][]any {
	out := make([][]any, len(cols))
	for i, c := range cols {
		var comment any
		if c.Comment != "" {
			comment = c.Comment
		}
		out[i] = []any{c.Name, c.Type.Simple(), comment}
	}
	return out
}
