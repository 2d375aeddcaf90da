package databricks_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// createShop creates a schema with tables and a view.
func createShop(t *testing.T) (*sandboxtest.Sandbox, *databricks.Warehouse) {
	t.Helper()
	s := sandboxtest.Start(t)
	s.Exec(t,
		"CREATE SCHEMA main.shop COMMENT 'sales of all shops'",
		"CREATE SCHEMA main.empty",
		"CREATE TABLE main.shop.customers (id BIGINT NOT NULL COMMENT 'the key', name STRING, amount DECIMAL(10,2), "+
			"at TIMESTAMP, local_at TIMESTAMP_NTZ, tags ARRAY<STRING>, `odd name` STRUCT<a: INT, b: STRING>) "+
			"COMMENT 'all customers' TBLPROPERTIES ('delta.columnMapping.mode' = 'name')",
		"CREATE TABLE main.shop.orders (id BIGINT)",
		"CREATE VIEW main.shop.recent AS SELECT id FROM main.shop.orders",
		"INSERT INTO main.shop.orders VALUES (1)",
		"INSERT INTO main.shop.orders VALUES (2)",
	)
	return s, open(t, s)
}

func names[T any](list []T, name func(T) string) string {
	var out []string
	for _, x := range list {
		out = append(out, name(x))
	}
	return strings.Join(out, " ")
}

func TestCatalogLists(t *testing.T) {
	t.Parallel()
	_, w := createShop(t)
	catalogs, err := w.Catalogs(t.Context(), "MA*|nothing")
	if got := names(catalogs, func(c jobs.CatalogInfo) string { return c.Name }); got != "main" || err != nil {
		t.Errorf("catalogs: %s, %v", got, err)
	}
	databases, err := w.Databases(t.Context(), "main", "shop|emp*")
	commented := func(d jobs.DatabaseInfo) string { return d.Name + ":" + d.Comment }
	if got := names(databases, commented); got != "empty: shop:sales of all shops" || err != nil {
		t.Errorf("databases: %s, %v", got, err)
	}
	tables, err := w.Tables(t.Context(), "main", "shop", "")
	described := func(x jobs.TableInfo) string { return x.Name + ":" + x.Type + ":" + x.Comment }
	if got := names(tables, described); got != "customers:MANAGED:all customers orders:MANAGED: recent:VIEW:" || err != nil {
		t.Errorf("tables: %s, %v", got, err)
	}
	tables, err = w.Tables(t.Context(), "main", "shop", "*ER*")
	if got := names(tables, func(x jobs.TableInfo) string { return x.Name }); got != "customers orders" || err != nil {
		t.Errorf("tables *ER*: %s, %v", got, err)
	}
	tables, err = w.Tables(t.Context(), "main", "empty", "")
	if len(tables) != 0 || err != nil {
		t.Errorf("an empty database: %v, %v", tables, err)
	}
	columns, err := w.TableColumns(t.Context(), jobs.TableName{Catalog: "main", Database: "shop", Table: "Customers"})
	if err != nil {
		t.Fatal(err)
	}
	got := names(columns, func(c jobs.ColumnInfo) string { return c.Name + "=" + c.Type })
	if want := "id=BIGINT name=STRING amount=DECIMAL(10,2) at=TIMESTAMP local_at=TIMESTAMP_NTZ"; !strings.HasPrefix(got, want) {
		t.Errorf("columns: %s, want %s ...", got, want)
	}
	if len(columns) == 7 && (columns[0].Nullable || !columns[1].Nullable || columns[0].Comment != "the key" || columns[6].Position != 7 ||
		!strings.EqualFold(columns[5].Type, "array<string>") || columns[6].Name != "odd name") {
		t.Errorf("columns: %+v", columns)
	}
	some, err := w.Columns(t.Context(), jobs.TableName{Catalog: "main", Database: "shop", Table: "customers"}, "*at")
	if got := names(some, func(c jobs.ColumnInfo) string { return c.Name }); got != "at local_at" || err != nil {
		t.Errorf("columns *at: %s, %v", got, err)
	}
}

// Without an information_schema, SHOW and DESCRIBE return the same information.
func TestCatalogWithoutInformationSchema(t *testing.T) {
	t.Parallel()
	s, w := createShop(t)
	s.SetFault(t, sandboxtest.Fault{Kind: "statement_error", Match: "information_schema", Times: -1,
		Message: "[TABLE_OR_VIEW_NOT_FOUND] The table or view cannot be found. SQLSTATE: 42P01"})
	if err := w.Exec(t.Context(), "CREATE TEMPORARY VIEW passing AS SELECT 1 AS x"); err != nil {
		t.Fatal(err)
	}
	databases, err := w.Databases(t.Context(), "main", "shop")
	if len(databases) != 1 || err != nil {
		t.Errorf("databases: %v, %v", databases, err)
	}
	tables, err := w.Tables(t.Context(), "main", "shop", "")
	typed := func(x jobs.TableInfo) string { return x.Name + ":" + x.Type }
	if got := names(tables, typed); got != "customers:TABLE orders:TABLE recent:VIEW" || err != nil {
		t.Errorf("tables: %s, %v", got, err)
	}
	columns, err := w.TableColumns(t.Context(), jobs.TableName{Catalog: "main", Database: "shop", Table: "customers"})
	got := names(columns, func(c jobs.ColumnInfo) string { return c.Type })
	if !strings.HasPrefix(got, "BIGINT STRING DECIMAL(10,2) TIMESTAMP TIMESTAMP_NTZ") || len(columns) != 7 || err != nil {
		t.Errorf("columns: %s, %v", got, err)
	}
	_, err = w.TableColumns(t.Context(), jobs.TableName{Catalog: "main", Database: "shop", Table: "costumers"})
	expectMissing(t, err, "table", "customers")
}

func expectMissing(t *testing.T, err error, attribute, near string) {
	t.Helper()
	e, ok := errors.AsType[*jobs.Error](err)
	if !ok || e.Code != jobs.CodeInvalid || e.Attribute != attribute || !strings.Contains(e.Next, `"`+near+`"`) {
		t.Errorf("err = %#v, want an invalid %s that names %s", err, attribute, near)
	}
}

func TestMissingNamesAreExplained(t *testing.T) {
	t.Parallel()
	_, w := createShop(t)
	_, err := w.Databases(t.Context(), "mian", "")
	expectMissing(t, err, "catalog", "main")
	_, err = w.Tables(t.Context(), "mian", "shop", "")
	expectMissing(t, err, "catalog", "main")
	_, err = w.Tables(t.Context(), "main", "shopp", "")
	expectMissing(t, err, "database", "shop")
	for _, c := range []struct{ catalog, database, table, attribute, near string }{
		{"mian", "shop", "orders", "catalog", "main"},
		{"main", "shpo", "orders", "database", "shop"},
		{"main", "shop", "order", "table", "orders"},
	} {
		name := jobs.TableName{Catalog: c.catalog, Database: c.database, Table: c.table}
		_, err := w.TableColumns(t.Context(), name)
		expectMissing(t, err, c.attribute, c.near)
		_, _, err = w.LatestVersion(t.Context(), name)
		expectMissing(t, err, c.attribute, c.near)
	}
	_, err = w.Query(t.Context(), "SELECT * FROM main.shop.nothing")
	e, ok := errors.AsType[*databricks.StatementError](err)
	if !ok || e.Class != "TABLE_OR_VIEW_NOT_FOUND" || e.SQLState != "42P01" || e.QueryID == "" {
		t.Errorf("the cause of %v is %#v", err, e)
	}
	if e, ok := errors.AsType[*jobs.Error](err); !ok || e.Attribute != "table" || e.Code != jobs.CodeInvalid {
		t.Errorf("err = %#v", err)
	}
}

func TestLatestVersion(t *testing.T) {
	t.Parallel()
	s, w := createShop(t)
	orders := jobs.TableName{Catalog: "main", Database: "shop", Table: "orders"}
	before, ok, err := w.LatestVersion(t.Context(), orders)
	if !ok || err != nil || before.Version != 2 || before.At.IsZero() {
		t.Fatalf("commit %+v, %t, %v, want version 2 and its time", before, ok, err)
	}
	s.Exec(t, "INSERT INTO main.shop.orders VALUES (3)")
	after, ok, err := w.LatestVersion(t.Context(), orders)
	if !ok || err != nil || after.Version != 3 || !after.At.After(before.At) {
		t.Errorf("commit %+v, %t, %v, want version 3, later than %s", after, ok, err, before.At)
	}
	_, ok, err = w.LatestVersion(t.Context(), jobs.TableName{Catalog: "main", Database: "shop", Table: "recent"})
	if ok || err != nil {
		t.Errorf("a view has a version: %t, %v", ok, err)
	}
}

// checklist 14: the warehouse's parser reads quoted names.
func TestNamesThatNeedQuoting(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	w := open(t, s)
	for _, name := range []string{"select", "a b", "a`b", "a;b", "it's", "naïve 🙂", "a\"b", "x--y", "back\\slash"} {
		column, err := databricks.Quote(name)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := w.Query(t.Context(), "SELECT "+databricks.Literal(name)+" AS "+column)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		columns, err := rows.Columns()
		if err != nil || !slices.Equal(columns, []string{name}) {
			t.Errorf("name of the column %q: got %q, %v", name, columns, err)
		}
		var value string
		for rows.Next() {
			if err := rows.Scan(&value); err != nil || value != name {
				t.Errorf("the literal %q reads back as %q, %v", name, value, err)
			}
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			t.Error(err)
		}
	}
}

// checklist 52.
func TestArgumentsAreBound(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	w := open(t, s)
	const awkward = "'; DROP TABLE t; --\\"
	for batch, err := range w.Stream(t.Context(), "SELECT ?, ? + 1", awkward, int64(1)<<62) {
		if err != nil {
			t.Fatal(err)
		}
		if batch[0][0] != awkward || batch[0][1] != int64(1)<<62+1 {
			t.Errorf("row: %v", batch[0])
		}
	}
}
