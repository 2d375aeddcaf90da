package databricks

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// hiveMetastore is the one catalog that never has an information_schema.
const hiveMetastore = "hive_metastore"

// Catalogs lists the catalogs that match a SHOW ... LIKE pattern.
func (w *Warehouse) Catalogs(ctx context.Context, pattern string) ([]jobs.CatalogInfo, error) {
	shown, err := w.QueryTexts(ctx, "SHOW CATALOGS")
	if err != nil {
		return nil, err
	}
	// SHOW returns no comments. information_schema has them, but not for all catalogs
	// and users; without it, catalogs are listed without comments.
	comments := map[string]string{}
	rows, err := w.QueryTexts(ctx, "SELECT catalog_name, comment FROM system.information_schema.catalogs")
	if err != nil && !isStatementError(err) {
		return nil, err
	}
	for _, row := range rows {
		comments[strings.ToLower(row[0])] = row[1]
	}
	match := jobs.NamePattern(pattern)
	out := []jobs.CatalogInfo{}
	for _, row := range shown {
		if match(row[0]) {
			out = append(out, jobs.CatalogInfo{Name: row[0], Comment: comments[strings.ToLower(row[0])]})
		}
	}
	slices.SortFunc(out, func(a, b jobs.CatalogInfo) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// Databases lists a catalog's databases that match a pattern.
func (w *Warehouse) Databases(ctx context.Context, catalog, pattern string) ([]jobs.DatabaseInfo, error) {
	all, err := w.databases(ctx, catalog)
	if err != nil {
		return nil, err
	}
	match := jobs.NamePattern(pattern)
	out := []jobs.DatabaseInfo{}
	for _, d := range all {
		if match(d.Name) {
			out = append(out, d)
		}
	}
	slices.SortFunc(out, func(a, b jobs.DatabaseInfo) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

func (w *Warehouse) databases(ctx context.Context, catalog string) ([]jobs.DatabaseInfo, error) {
	quoted, err := quoteAs("catalog", catalog)
	if err != nil {
		return nil, err
	}
	rows, err := w.informationSchema(ctx, catalog, "SELECT schema_name, comment FROM "+quoted+".information_schema.schemata")
	if errors.Is(err, errNoInformation) {
		if rows, err = w.QueryTexts(ctx, "SHOW SCHEMAS IN "+quoted); isStatementError(err) {
			return nil, w.explain(ctx, err, jobs.TableName{Catalog: catalog})
		}
	}
	if err != nil {
		return nil, err
	}
	out := make([]jobs.DatabaseInfo, len(rows))
	for i, row := range rows {
		out[i] = jobs.DatabaseInfo{Catalog: catalog, Name: row[0], Comment: at(row, 1)}
	}
	return out, nil
}

// Tables lists a database's tables and views that match a pattern.
func (w *Warehouse) Tables(ctx context.Context, catalog, database, pattern string) ([]jobs.TableInfo, error) {
	all, err := w.tables(ctx, catalog, database)
	if err != nil {
		return nil, err
	}
	match := jobs.NamePattern(pattern)
	out := []jobs.TableInfo{}
	for _, t := range all {
		if match(t.Name) {
			out = append(out, t)
		}
	}
	slices.SortFunc(out, func(a, b jobs.TableInfo) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// FindTable looks a table up by its name. found is false if its database has no such table.
func (w *Warehouse) FindTable(ctx context.Context, name jobs.TableName) (info jobs.TableInfo, found bool, err error) {
	all, err := w.tables(ctx, name.Catalog, name.Database)
	if err != nil {
		return info, false, err
	}
	i := slices.IndexFunc(all, func(t jobs.TableInfo) bool { return strings.EqualFold(t.Name, name.Table) })
	if i < 0 {
		return info, false, nil
	}
	return all[i], true, nil
}

// tables lists the tables of a database. Unity Catalog stores names in lower case, so the
// query compares them without a function; Databricks can then look up one database instead
// of reading all.
func (w *Warehouse) tables(ctx context.Context, catalog, database string) ([]jobs.TableInfo, error) {
	quoted, err := quoteDatabase(catalog, database)
	if err != nil {
		return nil, err
	}
	within, err := Quote(catalog)
	if err != nil {
		return nil, err
	}
	rows, err := w.informationSchema(ctx, catalog, "SELECT table_name, table_type, comment FROM "+within+
		".information_schema.tables WHERE table_schema = ?", strings.ToLower(database))
	// A database that information_schema does not list may be empty, missing, or in a
	// foreign catalog with names in upper case. SHOW distinguishes these cases.
	if errors.Is(err, errNoInformation) || err == nil && len(rows) == 0 {
		return w.showTables(ctx, quoted, jobs.TableName{Catalog: catalog, Database: database})
	}
	if err != nil {
		return nil, err
	}
	out := make([]jobs.TableInfo, len(rows))
	for i, row := range rows {
		out[i] = jobs.TableInfo{Name: row[0], Type: row[1], Comment: row[2]}
	}
	return out, nil
}

// showTables reads SHOW TABLES and SHOW VIEWS by position, because the names of their
// columns differ between releases. Both list temporary views too.
func (w *Warehouse) showTables(ctx context.Context, quoted string, name jobs.TableName) ([]jobs.TableInfo, error) {
	tables, err := w.QueryTexts(ctx, "SHOW TABLES IN "+quoted)
	if isStatementError(err) {
		return nil, w.explain(ctx, err, name)
	}
	if err != nil {
		return nil, err
	}
	views, err := w.QueryTexts(ctx, "SHOW VIEWS IN "+quoted)
	if err != nil && !isStatementError(err) {
		return nil, err
	}
	isView := map[string]bool{}
	for _, row := range views {
		isView[at(row, 1)] = true
	}
	out := []jobs.TableInfo{}
	for _, row := range tables {
		if row[0] == "" || at(row, 2) == "true" { // temporary
			continue
		}
		t := jobs.TableInfo{Name: at(row, 1), Type: "TABLE"}
		if isView[t.Name] {
			t.Type = "VIEW"
		}
		out = append(out, t)
	}
	return out, nil
}

// Columns lists a table's columns that match a pattern, by position.
func (w *Warehouse) Columns(ctx context.Context, table jobs.TableName, pattern string) ([]jobs.ColumnInfo, error) {
	all, err := w.TableColumns(ctx, table)
	if err != nil {
		return nil, err
	}
	match := jobs.NamePattern(pattern)
	return slices.DeleteFunc(all, func(c jobs.ColumnInfo) bool { return !match(c.Name) }), nil
}

// TableColumns lists all columns of a table or view with their full types. Scalar types
// are in upper case ("TIMESTAMP_NTZ", "DECIMAL(10,2)"); nested types are as the warehouse
// writes them.
func (w *Warehouse) TableColumns(ctx context.Context, table jobs.TableName) ([]jobs.ColumnInfo, error) {
	quoted, err := QuoteTable(table)
	if err != nil {
		return nil, err
	}
	catalog, err := Quote(table.Catalog)
	if err != nil {
		return nil, err
	}
	rows, err := w.informationSchema(ctx, table.Catalog, "SELECT column_name, full_data_type, is_nullable, comment FROM "+catalog+
		".information_schema.columns WHERE table_schema = ? AND table_name = ? ORDER BY ordinal_position",
		strings.ToLower(table.Database), strings.ToLower(table.Table))
	if err != nil && !errors.Is(err, errNoInformation) {
		return nil, err
	}
	// A table that information_schema does not list may still be readable, or have no
	// columns.
	if len(rows) == 0 {
		return w.describeColumns(ctx, quoted, table)
	}
	out := make([]jobs.ColumnInfo, len(rows))
	for i, row := range rows {
		out[i] = jobs.ColumnInfo{
			Name: row[0], Type: normalizeType(row[1]), Nullable: !strings.EqualFold(row[2], "NO"), Comment: row[3], Position: i + 1,
		}
	}
	return out, nil
}

// describeColumns reads DESCRIBE TABLE. It appends rows about partitions and clustering to
// the columns, and does not show whether a column is nullable.
func (w *Warehouse) describeColumns(ctx context.Context, quoted string, table jobs.TableName) ([]jobs.ColumnInfo, error) {
	rows, err := w.QueryTexts(ctx, "DESCRIBE TABLE "+quoted)
	if isStatementError(err) {
		return nil, w.explain(ctx, err, table)
	}
	if err != nil {
		return nil, err
	}
	out := []jobs.ColumnInfo{}
	for i, row := range rows {
		if name := row[0]; name == "" || strings.HasPrefix(name, "# ") && at(row, 1) == "" || name == "# col_name" {
			break
		}
		out = append(out, jobs.ColumnInfo{Name: row[0], Type: normalizeType(at(row, 1)), Nullable: true, Comment: at(row, 2), Position: i + 1})
	}
	return out, nil
}

func normalizeType(t string) string {
	if strings.ContainsRune(t, '<') {
		return t
	}
	return strings.ToUpper(t)
}

// errNoInformation means that a catalog has no readable information_schema.
var errNoInformation = errors.New("no information_schema")

// informationSchema queries an information_schema. It returns errNoInformation for any
// error of the statement; the caller then uses SHOW or DESCRIBE.
func (w *Warehouse) informationSchema(ctx context.Context, catalog, statement string, args ...any) ([][]string, error) {
	if strings.EqualFold(catalog, hiveMetastore) {
		return nil, errNoInformation
	}
	rows, err := w.QueryTexts(ctx, statement, args...)
	if isStatementError(err) {
		return nil, errNoInformation
	}
	return rows, err
}

func isStatementError(err error) bool {
	_, ok := errors.AsType[*StatementError](err)
	return ok
}

// explain returns an error that names the first part of a table's name that does not
// exist. If all parts exist, it returns err.
func (w *Warehouse) explain(ctx context.Context, err error, name jobs.TableName) error {
	catalogs, e := w.QueryTexts(ctx, "SHOW CATALOGS")
	if e != nil {
		return errors.Join(err, e)
	}
	if names := column(catalogs); !contains(names, name.Catalog) {
		return notFoundError("catalog", "catalog", name.Catalog, "", names)
	}
	if name.Database == "" {
		return err
	}
	databases, e := w.databases(ctx, name.Catalog)
	if e != nil {
		return errors.Join(err, e)
	}
	names := make([]string, len(databases))
	for i, d := range databases {
		names[i] = d.Name
	}
	if !contains(names, name.Database) {
		return notFoundError("database", "database", name.Database, fmt.Sprintf("catalog %q", name.Catalog), names)
	}
	if name.Table == "" || !strings.HasPrefix(Class(err), "TABLE_OR_VIEW_NOT_FOUND") {
		return err
	}
	tables, e := w.tables(ctx, name.Catalog, name.Database)
	if e != nil {
		return errors.Join(err, e)
	}
	names = make([]string, len(tables))
	for i, t := range tables {
		names[i] = t.Name
	}
	return notFoundError("table", "table", name.Table, fmt.Sprintf("database %q of catalog %q", name.Database, name.Catalog), names)
}

// QueryTexts reads a small result as text, row by row; NULL becomes "".
func (w *Warehouse) QueryTexts(ctx context.Context, statement string, args ...any) ([][]string, error) {
	var out [][]string
	for batch, err := range w.Stream(ctx, statement, args...) {
		if err != nil {
			return nil, err
		}
		for _, values := range batch {
			row := make([]string, len(values))
			for i, v := range values {
				if v != nil {
					row[i] = fmt.Sprint(v)
				}
			}
			out = append(out, row)
		}
	}
	return out, nil
}

func at(row []string, i int) string {
	if i < len(row) {
		return row[i]
	}
	return ""
}

func column(rows [][]string) []string {
	out := make([]string, len(rows))
	for i, row := range rows {
		out[i] = row[0]
	}
	return out
}

func contains(names []string, name string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) })
}
