package protocol

import "github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"

// CatalogQuery is jobs.CatalogQuery.
type CatalogQuery struct {
	Connection AuthorizationSpec `json:"connection" doc:"Used as it is, and not saved."`
	Level      jobs.CatalogLevel `json:"level" doc:"What is listed." enum:"catalogs,databases,tables,columns"`
	In         TableName         `json:"in,omitempty" doc:"Where to look: the catalog of databases, the catalog and database of tables, the table of columns."`
	Pattern    string            `json:"pattern,omitempty" doc:"A SHOW ... LIKE pattern: * matches any characters, | separates alternatives. The default is all."`
}

// TableName is jobs.TableName.
type TableName struct {
	Catalog  string `json:"catalog,omitempty"`
	Database string `json:"database,omitempty"`
	Table    string `json:"table,omitempty"`
}

// CatalogListing is jobs.CatalogListing.
type CatalogListing struct {
	Catalogs  []CatalogInfo  `json:"catalogs,omitempty"`
	Databases []DatabaseInfo `json:"databases,omitempty"`
	Tables    []TableInfo    `json:"tables,omitempty"`
	Columns   []ColumnInfo   `json:"columns,omitempty"`
}

// CatalogQueryOf converts a query for the wire.
func CatalogQueryOf(q jobs.CatalogQuery) CatalogQuery {
	return CatalogQuery{Connection: AuthorizationSpec(q.Connection), Level: q.Level, In: TableName(q.In), Pattern: q.Pattern}
}

// Jobs converts the value from the wire.
func (q CatalogQuery) Jobs() jobs.CatalogQuery {
	return jobs.CatalogQuery{Connection: jobs.AuthorizationSpec(q.Connection), Level: q.Level, In: jobs.TableName(q.In), Pattern: q.Pattern}
}

// CatalogListingOf converts a listing for the wire.
func CatalogListingOf(l jobs.CatalogListing) CatalogListing {
	return CatalogListing{
		Catalogs:  converted(l.Catalogs, func(v jobs.CatalogInfo) CatalogInfo { return CatalogInfo(v) }),
		Databases: converted(l.Databases, func(v jobs.DatabaseInfo) DatabaseInfo { return DatabaseInfo(v) }),
		Tables:    converted(l.Tables, func(v jobs.TableInfo) TableInfo { return TableInfo(v) }),
		Columns:   converted(l.Columns, func(v jobs.ColumnInfo) ColumnInfo { return ColumnInfo(v) }),
	}
}

// Jobs converts the value from the wire.
func (l CatalogListing) Jobs() jobs.CatalogListing {
	return jobs.CatalogListing{
		Catalogs:  converted(l.Catalogs, func(v CatalogInfo) jobs.CatalogInfo { return jobs.CatalogInfo(v) }),
		Databases: converted(l.Databases, func(v DatabaseInfo) jobs.DatabaseInfo { return jobs.DatabaseInfo(v) }),
		Tables:    converted(l.Tables, func(v TableInfo) jobs.TableInfo { return jobs.TableInfo(v) }),
		Columns:   converted(l.Columns, func(v ColumnInfo) jobs.ColumnInfo { return jobs.ColumnInfo(v) }),
	}
}

func converted[A, B any](in []A, convert func(A) B) []B {
	var out []B
	for _, v := range in {
		out = append(out, convert(v))
	}
	return out
}
