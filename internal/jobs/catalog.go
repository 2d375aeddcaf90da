package jobs

// CatalogInfo is a catalog of the warehouse.
type CatalogInfo struct {
	Name    string
	Comment string
}

// DatabaseInfo is a schema; the product calls it a database.
type DatabaseInfo struct {
	Catalog string
	Name    string
	Comment string
}

// TableInfo is a table or view. Type is Databricks' table_type: MANAGED,
// EXTERNAL, VIEW, MATERIALIZED_VIEW, STREAMING_TABLE, FOREIGN; or TABLE where
// the catalog has no information_schema.
type TableInfo struct {
	Name    string
	Type    string
	Comment string
}

// ColumnInfo is a column with its full Databricks type.
type ColumnInfo struct {
	Name     string
	Type     string
	Nullable bool
	Comment  string
	// Position counts from 1.
	Position int
}

// TableName is the full name of a table.
type TableName struct {
	Catalog, Database, Table string
}

// CatalogLevel is what a CatalogQuery lists.
type CatalogLevel string

// The levels of a catalog.
const (
	LevelCatalogs  CatalogLevel = "catalogs"
	LevelDatabases CatalogLevel = "databases"
	LevelTables    CatalogLevel = "tables"
	LevelColumns   CatalogLevel = "columns"
)

// CatalogQuery lists a level of a catalog through a connection that is no
// authorization of a store.
type CatalogQuery struct {
	// Connection is used as it is, and not saved. It refers to its credential, as
	// TokenEnv does: there is no stored secret. HTTPPath is needed only where a
	// warehouse has to answer.
	Connection AuthorizationSpec
	Level      CatalogLevel
	// In is where to look: the catalog of databases, the catalog and the database of
	// tables, the table of columns.
	In TableName
	// Pattern is a SHOW ... LIKE pattern, as in Catalog.
	Pattern string
}

// CatalogListing is the answer to a CatalogQuery: the list of its level is set.
type CatalogListing struct {
	Catalogs  []CatalogInfo
	Databases []DatabaseInfo
	Tables    []TableInfo
	Columns   []ColumnInfo
}

func (t TableName) String() string { return t.Catalog + "." + t.Database + "." + t.Table }
