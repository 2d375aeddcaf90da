package duck

import (
	"fmt"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/fixedresult"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/quoting"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/syntax"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"
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

// createStatement returns the statement that creates a table or view.
func createStatement(tab *catalog.Table) string {
	var b strings.Builder
	if tab.View != nil {
		fmt.Fprintf(&b, "CREATE VIEW %s (\n", tab.FullName())
	} else {
		fmt.Fprintf(&b, "CREATE TABLE %s (\n", tab.FullName())
	}
	for i, c := range tab.Columns() {
		if i > 0 {
			b.WriteString(",\n")
		}
		b.WriteString("  " + types.FieldName(c.Name))
		if tab.View == nil {
			b.WriteString(" " + c.Type.String())
			if c.NotNull {
				b.WriteString(" NOT NULL")
			}
			if c.Default != "" {
				b.WriteString(" DEFAULT " + c.Default)
			}
		}
		if c.Comment != "" {
			b.WriteString(" COMMENT " + quoting.Text(c.Comment))
		}
	}
	b.WriteString(")\n")
	if tab.View == nil {
		b.WriteString("USING delta\n")
		if len(tab.Head().Cluster) > 0 {
			b.WriteString("CLUSTER BY (" + strings.Join(tab.Head().Cluster, ", ") + ")\n")
		}
	}
	if c := tab.Comment(); c != "" {
		b.WriteString("COMMENT " + quoting.Text(c) + "\n")
	}
	if p := tab.Properties(); len(p) > 0 {
		parts := make([]string, 0, len(p))
		for _, k := range sortedKeys(p) {
			parts = append(parts, "  "+quoting.Text(k)+" = "+quoting.Text(p[k]))
		}
		b.WriteString("TBLPROPERTIES (\n" + strings.Join(parts, ",\n") + ")\n")
	}
	if tab.View != nil {
		b.WriteString("AS " + tab.View.Text + "\n")
	}
	return b.String()
}
