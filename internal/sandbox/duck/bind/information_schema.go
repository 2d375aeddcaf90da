package bind

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/metadata"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/catalog"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/ducktype"
)

// informationSchema returns a query that produces the rows of a relation of
// information_schema.
func (b *binder) informationSchema(cat, name string, parts []string) (string, []Column) {
	def := metadata.Relation(name)
	system := strings.EqualFold(cat, metadata.SystemCatalog)
	if !system {
		if _, err := b.env.Snapshot.Catalog(cat); err != nil || strings.EqualFold(cat, metadata.HiveMetastore) {
			panic(sqlerror.TableNotFound(parts...))
		}
	}
	if def == nil {
		panic(sqlerror.TableNotFound(parts...))
	}
	var rows [][]any
	for _, c := range catalog.Sorted(b.env.Snapshot.Catalogs) {
		if !system && !strings.EqualFold(c.Name, cat) || strings.EqualFold(c.Name, metadata.HiveMetastore) {
			continue
		}
		rows = append(rows, b.informationRows(strings.ToLower(name), c)...)
	}
	cols := make([]Column, len(def))
	selected := make([]string, len(def))
	for i, d := range def {
		cols[i] = Column{Name: d.Name, Type: d.Type, Nullable: d.Nullable}
		selected[i] = fmt.Sprintf("CAST(c%d AS %s) AS c%d", i, ducktype.Of(d.Type), i)
	}
	var s strings.Builder
	s.WriteString("SELECT " + strings.Join(selected, ", ") + " FROM (VALUES ")
	if len(rows) == 0 {
		s.WriteString("(" + strings.TrimSuffix(strings.Repeat("NULL, ", len(def)), ", ") + ")")
	}
	for i, r := range rows {
		if i > 0 {
			s.WriteString(", ")
		}
		s.WriteByte('(')
		for j, v := range r {
			if j > 0 {
				s.WriteString(", ")
			}
			s.WriteString(valueSQL(v))
		}
		s.WriteByte(')')
	}
	names := make([]string, len(def))
	for i := range names {
		names[i] = fmt.Sprintf("c%d", i)
	}
	fmt.Fprintf(&s, ") AS %s(%s)", b.newAlias(), strings.Join(names, ", "))
	if len(rows) == 0 {
		s.WriteString(" WHERE FALSE")
	}
	return s.String(), cols
}

func valueSQL(v any) string {
	switch v := v.(type) {
	case nil:
		return "NULL"
	case string:
		return StringLiteral(v)
	case int:
		return fmt.Sprint(v)
	case time.Time:
		return timestampSQL(v.UnixMicro())
	}
	return "NULL"
}

// nilIfEmpty returns nil, which becomes NULL, for the empty string.
func nilIfEmpty(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func (b *binder) informationRows(name string, c *catalog.Catalog) [][]any {
	user := b.env.User
	switch name {
	case "catalogs":
		return [][]any{{c.Name, user, nilIfEmpty(c.Comment), c.Created, user, c.Created, user}}
	case "information_schema_catalog_name":
		return [][]any{{c.Name}}
	}
	var rows [][]any
	for _, s := range catalog.Sorted(c.Schemas) {
		if name == "schemata" {
			rows = append(rows, []any{c.Name, s.Name, user, nilIfEmpty(s.Comment), s.Created, user, s.Created, user})
			continue
		}
		for _, t := range catalog.Sorted(s.Tables) {
			rows = append(rows, b.informationRowsOfTable(name, c, s, t)...)
		}
	}
	if name == "schemata" {
		rows = append(rows, []any{c.Name, metadata.InformationSchema, "System user", nil, c.Created, "System user", c.Created, "System user"})
	}
	return rows
}

func (b *binder) informationRowsOfTable(name string, c *catalog.Catalog, s *catalog.Schema, t *catalog.Table) [][]any {
	user := b.env.User
	changed := t.Created
	if t.View == nil {
		changed = t.Head().At
	}
	switch name {
	case "tables":
		kind, format, insert := "MANAGED", any("DELTA"), "YES"
		if t.View != nil {
			kind, format, insert = "VIEW", any("UNKNOWN_DATA_SOURCE_FORMAT"), "NO"
		}
		if t.View == nil {
			kind = cmp.Or(t.Head().Properties[metadata.TypeProperty], kind)
			format = cmp.Or(t.Head().Properties[metadata.FormatProperty], "DELTA")
		}
		return [][]any{
			{c.Name, s.Name, t.Name, kind, insert, "PRESERVE", user, nilIfEmpty(t.Comment()), t.Created, user, changed, user, format, nil},
		}
	case "views":
		if t.View == nil {
			return nil
		}
		return [][]any{{c.Name, s.Name, t.Name, t.View.Text, "NONE", "NO", "NO", nil}}
	}
	if rows, ok := keyRows(name, t); ok {
		return rows
	}
	if rows, ok := policyRows(name, []any{c.Name, s.Name, t.Name}, t); ok {
		return rows
	}
	var rows [][]any
	for i, col := range t.Columns() {
		nullable := "YES"
		if col.NotNull {
			nullable = "NO"
		}
		var length, precision, radix, scale any
		switch {
		case col.Type.Kind == types.Decimal:
			precision, radix, scale = col.Type.Precision, 10, col.Type.Scale
		case col.Type.Kind == types.String && col.Type.Length > 0:
			length = col.Type.Length
		}
		rows = append(
			rows,
			[]any{
				c.Name,
				s.Name,
				t.Name,
				col.Name,
				i + 1,
				nilIfEmpty(col.Default),
				nullable,
				col.Type.SimpleString(),
				col.Type.CatalogName(),
				length,
				nil,
				precision,
				radix,
				scale,
				nil,
				"NO",
				"YES",
				nil,
				nilIfEmpty(col.Comment),
			},
		)
	}
	return rows
}

// policyRows returns the rows of the relations of policies and tags; ok is false for
// another relation.
func policyRows(relation string, table []any, t *catalog.Table) (rows [][]any, ok bool) {
	row := func(more ...any) []any { return append(slices.Clone(table), more...) }
	function := func(name string) (catalogName, schema, function any) {
		parts := strings.Split(name, ".")
		if len(parts) < 3 {
			return t.Catalog, t.Schema, parts[len(parts)-1]
		}
		return parts[0], parts[1], parts[2]
	}
	switch relation {
	case "row_filters":
		if t.View == nil && t.Head().RowFilter != "" {
			inCatalog, schema, name := function(t.Head().RowFilter)
			rows = append(rows, row(inCatalog, schema, name, nil))
		}
	case "table_tags":
		if t.View == nil {
			for _, k := range slices.Sorted(maps.Keys(t.Head().Tags)) {
				rows = append(rows, row(k, t.Head().Tags[k]))
			}
		}
	case "column_masks":
		for _, c := range t.Columns() {
			if c.Mask != "" {
				inCatalog, schema, name := function(c.Mask)
				rows = append(rows, row(c.Name, inCatalog, schema, name, nil, t.Catalog, t.Schema, nil))
			}
		}
	case "column_tags":
		for _, c := range t.Columns() {
			for _, k := range slices.Sorted(maps.Keys(c.Tags)) {
				rows = append(rows, row(c.Name, k, c.Tags[k]))
			}
		}
	default:
		return nil, false
	}
	return rows, true
}
