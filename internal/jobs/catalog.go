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

func (t TableName) String() string { return t.Catalog + "." + t.Database + "." + t.Table }
