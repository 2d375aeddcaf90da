// Package catalog models catalogs, schemas, tables and their versions. A published
// Snapshot is immutable: writers change a clone.
//
// It serves the whole engine, and by DESCRIBE HISTORY, VERSION AS OF and table_changes the
// imports; keys, tags, masks and filters serve dbt, SQLAlchemy and the exports to governed
// tables.
package catalog

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"
)

// Snapshot is the state of all catalogs at one time. The keys of the maps are in lower
// case.
type Snapshot struct {
	Catalogs map[string]*Catalog
}

// Catalog is a catalog.
type Catalog struct {
	ID      int64
	Name    string
	Comment string
	Created time.Time
	Schemas map[string]*Schema `json:"-"`
}

// Schema is a schema, which Databricks also calls a database.
type Schema struct {
	ID      int64
	Catalog string
	Name    string
	Comment string
	Created time.Time
	Tables  map[string]*Table `json:"-"`
}

// Table is a table or a view. A table has at least one version.
type Table struct {
	ID      int64
	UUID    string
	Catalog string
	Schema  string
	Name    string
	Created time.Time
	View    *View
	// NextRow is the row id of the next inserted row.
	NextRow int64
	// First is the number of the oldest version that can still be read.
	First    int64
	Versions []*Version `json:"-"`
}

// View is a stored query, with the namespace in which its names are resolved.
type View struct {
	Text            string
	Catalog, Schema string
	Columns         []Column
	Comment         string
	Properties      map[string]string
	Owner           string
	Temporary       bool
}

// Version is a version of a table, made by one commit.
type Version struct {
	N          int64
	At         time.Time
	Operation  string
	Parameters map[string]string
	Metrics    map[string]string
	User       string
	// Phys is the name of the DuckDB table that holds the rows.
	Phys       string
	Columns    []Column
	Properties map[string]string
	Comment    string
	Cluster    []string
	Partition  []string
	Keys       []Key
	// RowFilter is the name of the function that filters the rows, which a policy sets.
	// The sandbox keeps and lists policies, and does not apply them.
	RowFilter string
	Tags      map[string]string
	// NextColumn is the number of the next physical column of Phys.
	NextColumn int
}

// Column is a column of a table or view.
type Column struct {
	Name    string
	Type    *types.Type
	NotNull bool
	Comment string
	// Default is the default value as SQL.
	Default string
	// Mask is the name of the function that masks the values, which a policy sets.
	Mask string
	Tags map[string]string
	// Phys is the name of the column in DuckDB.
	Phys string
}

// Head returns the newest version.
func (t *Table) Head() *Version { return t.Versions[len(t.Versions)-1] }

// Columns returns the columns of the newest version, or of the view.
func (t *Table) Columns() []Column {
	if t.View != nil {
		return t.View.Columns
	}
	return t.Head().Columns
}

// Comment returns the comment of the table or view.
func (t *Table) Comment() string {
	if t.View != nil {
		return t.View.Comment
	}
	return t.Head().Comment
}

// Properties returns the properties of the table or view.
func (t *Table) Properties() map[string]string {
	if t.View != nil {
		return t.View.Properties
	}
	return t.Head().Properties
}

// Kind returns TABLE or VIEW.
func (t *Table) Kind() string {
	if t.View != nil {
		return "VIEW"
	}
	return "TABLE"
}

// FullName returns the three-part name.
func (t *Table) FullName() string { return t.Catalog + "." + t.Schema + "." + t.Name }

// Governed reports whether the version has a row filter or a column mask.
func (v *Version) Governed() bool {
	return v.RowFilter != "" || slices.ContainsFunc(v.Columns, func(c Column) bool { return c.Mask != "" })
}

// ChangeFeed reports whether the version's commit recorded the change data feed.
func (v *Version) ChangeFeed() bool {
	return strings.EqualFold(v.Properties["delta.enableChangeDataFeed"], "true")
}

// ColumnMapping reports whether the version's columns can be renamed and dropped.
func (v *Version) ColumnMapping() bool {
	mode := v.Properties["delta.columnMapping.mode"]
	return mode != "" && !strings.EqualFold(mode, "none")
}

// VersionAt returns the version with a number.
func (t *Table) VersionAt(n int64) (*Version, error) {
	last := t.Head().N
	if n < t.First || n > last {
		return nil, sqlerror.New(
			"DELTA_VERSION_NOT_FOUND",
			"22003",
			"Cannot time travel Delta table to version %d. Available versions: [%d, %d].",
			n,
			t.First,
			last,
		)
	}
	return t.Versions[n], nil
}

// FindColumn returns the index of a column, or -1. Names are not case-sensitive.
func FindColumn(columns []Column, name string) int {
	return slices.IndexFunc(columns, func(c Column) bool { return strings.EqualFold(c.Name, name) })
}

// Clone copies catalogs and schemas. The tables are shared.
func (s *Snapshot) Clone() *Snapshot {
	out := &Snapshot{Catalogs: make(map[string]*Catalog, len(s.Catalogs))}
	for k, c := range s.Catalogs {
		cc := *c
		cc.Schemas = make(map[string]*Schema, len(c.Schemas))
		for k, sc := range c.Schemas {
			sch := *sc
			sch.Tables = maps.Clone(sc.Tables)
			cc.Schemas[k] = &sch
		}
		out.Catalogs[k] = &cc
	}
	return out
}

// Catalog returns a catalog, or an error if it does not exist.
func (s *Snapshot) Catalog(name string) (*Catalog, error) {
	if c := s.Catalogs[strings.ToLower(name)]; c != nil {
		return c, nil
	}
	return nil, sqlerror.CatalogNotFound(name)
}

// Schema returns a schema, or an error if it does not exist.
func (s *Snapshot) Schema(catalog, schema string) (*Schema, error) {
	c, err := s.Catalog(catalog)
	if err != nil {
		return nil, err
	}
	if sc := c.Schemas[strings.ToLower(schema)]; sc != nil {
		return sc, nil
	}
	return nil, sqlerror.SchemaNotFound(catalog, schema)
}

// Table returns a table or view; nil if it, its schema or its catalog does not exist.
func (s *Snapshot) Table(catalog, schema, name string) *Table {
	c := s.Catalogs[strings.ToLower(catalog)]
	if c == nil {
		return nil
	}
	sc := c.Schemas[strings.ToLower(schema)]
	if sc == nil {
		return nil
	}
	return sc.Tables[strings.ToLower(name)]
}

// Sorted returns a map's values in the order of their keys.
func Sorted[V any](m map[string]V) []V {
	out := make([]V, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, m[k])
	}
	return out
}
