package duck

import (
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/fixedresult"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/syntax"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/bind"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/catalog"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// describeTable lists a table's columns and partitioning; with EXTENDED also its other
// properties.
func (s *session) describeTable(env *bind.Env, st *syntax.Describe) (warehouse.Result, error) {
	cols, err := columnsOf(env, st.Name)
	if err != nil {
		return nil, err
	}
	out := describeRows(cols)
	tab, err := env.Table(st.Name)
	if err != nil {
		// A temporary view or a relation of information_schema has only columns.
		return fixedresult.New(describeColumns, out)
	}
	if tab.View == nil && len(tab.Head().Partition) > 0 {
		out = append(out, []any{"# Partition Information", "", ""}, []any{"# col_name", "data_type", "comment"})
		for _, p := range tab.Head().Partition {
			out = append(out, describeRows(cols[catalog.FindColumn(cols, p):][:1])...)
		}
	}
	if tab.View == nil && len(tab.Head().Cluster) > 0 {
		out = append(out, []any{"# Clustering Information", "", ""}, []any{"# col_name", "data_type", "comment"})
		for _, p := range tab.Head().Cluster {
			out = append(out, describeRows(cols[catalog.FindColumn(cols, p):][:1])...)
		}
	}
	if st.Extended {
		kind, provider := "MANAGED", "delta"
		if tab.View != nil {
			kind, provider = "VIEW", ""
		}
		out = append(out, []any{"", "", ""}, []any{"# Detailed Table Information", "", ""},
			[]any{"Catalog", tab.Catalog, ""}, []any{"Database", tab.Schema, ""}, []any{"Table", tab.Name, ""},
			[]any{"Created Time", tab.Created.UTC().Format("Mon Jan 02 15:04:05 UTC 2006"), ""}, []any{"Last Access", "UNKNOWN", ""},
			[]any{"Created By", "Spark ", ""}, []any{"Type", kind, ""})
		if c := tab.Comment(); c != "" {
			out = append(out, []any{"Comment", c, ""})
		}
		if tab.View != nil {
			out = append(
				out,
				[]any{"View Text", tab.View.Text, ""},
				[]any{"View Catalog and Namespace", tab.View.Catalog + "." + tab.View.Schema, ""},
			)
		} else {
			out = append(out, []any{"Provider", provider, ""})
		}
		out = append(out, []any{"Owner", env.User, ""}, []any{"Table Properties", formatMap(tab.Properties()), ""})
		out = append(out, describeKeys(tab)...)
	}
	return fixedresult.New(describeColumns, out)
}

func formatMap(m map[string]string) string {
	parts := make([]string, 0, len(m))
	for _, k := range sortedKeys(m) {
		parts = append(parts, k+"="+m[k])
	}
	return "[" + strings.Join(parts, ",") + "]"
}
