package spark_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	dbsql "github.com/databricks/databricks-sql-go"
)

func TestTypesArriveExactly(t *testing.T) {
	t.Parallel()
	conn := open(t).connect()
	header, got, err := rowsOf(t.Context(), conn, `SELECT true, CAST(-128 AS TINYINT), CAST(-32768 AS SMALLINT), -2147483648, CAST('-9223372036854775808' AS BIGINT), CAST(1.1 AS FLOAT), 1e300D,
		CAST('12345678901234567890.123456789012345678' AS DECIMAL(38,18)), 'a"b', X'00ff', DATE '0001-01-01', TIMESTAMP '2024-02-29 23:59:59.123456', TIMESTAMP_NTZ '2024-03-10 02:30:00.000001',
		array(1, NULL), map('k"1', 2.50), named_struct('a "b"', 3.30, 'at', TIMESTAMP '1900-01-01 00:00:00.000001', 'd', DATE '2024-02-29', 'n', NULL), INTERVAL '1' DAY, NULL, CAST('NaN' AS DOUBLE), parse_json('{"a":1}')`)
	if err != nil {
		t.Fatal(err)
	}
	wantTypes := []string{"BOOLEAN", "TINYINT", "SMALLINT", "INT", "BIGINT", "FLOAT", "DOUBLE", "DECIMAL", "STRING", "BINARY", "DATE", "TIMESTAMP", "TIMESTAMP", "ARRAY", "MAP", "STRUCT", "INTERVAL_DAY_TIME", "NULL", "DOUBLE", "STRING"}
	for _, name := range wantTypes {
		at := strings.Index(header, " "+name)
		if at < 0 {
			t.Fatalf("no %s in %s", name, header)
		}
		header = header[at+len(name):]
	}
	wantRow := `true|-128|-32768|-2147483648|-9223372036854775808|1.1|1e+300|12345678901234567890.123456789012345678|a"b|[0 255]|0001-01-01 00:00:00|2024-02-29 23:59:59.123456|2024-03-10 02:30:00.000001|[1,null]|{"k\"1":2.50}|{"a "b"":3.30,"at":"1900-01-01 00:00:00.000001 +0000 UTC","d":"2024-02-29 00:00:00 +0000 UTC","n":null}|1 00:00:00.000000000|NULL|NaN|{"a":1}`
	if len(got) != 1 || got[0] != wantRow {
		t.Errorf("got  %q\nwant %q", got, wantRow)
	}
}

func TestNamespaces(t *testing.T) {
	t.Parallel()
	conn := open(t).connect()
	exec(t, conn, "CREATE SCHEMA main.sales COMMENT 'what is sold'", "CREATE CATALOG other", "CREATE SCHEMA other.sales",
		"CREATE TABLE main.sales.t (id INT NOT NULL COMMENT 'the key', n STRUCT<a: INT>) COMMENT 'a table'", "CREATE TABLE other.sales.`t-2` (x STRING)",
		"INSERT INTO main.sales.t VALUES (1, named_struct('a', 5))", "INSERT INTO other.sales.`t-2` VALUES ('y')",
		"CREATE VIEW main.sales.v AS SELECT id FROM main.sales.t", "CREATE TEMPORARY VIEW tv AS SELECT * FROM main.sales.t")
	want(t, conn, "SHOW CATALOGS", "hive_metastore", "main", "other", "system")
	want(t, conn, "SHOW SCHEMAS IN main", "default", "sales", "information_schema")
	want(t, conn, "SHOW TABLES IN main.sales", "sales|t|false", "sales|v|false", "|tv|true")
	want(t, conn, "SHOW TABLES IN other.sales LIKE 'T-*'", "sales|t-2|false")
	want(t, conn, "SELECT main.sales.t.id, `t-2`.x, tv.n.a FROM main.sales.t CROSS JOIN other.sales.`t-2` JOIN tv USING (id)", "1|y|5")
	want(t, conn, "SELECT table_name, table_type, comment FROM main.information_schema.tables WHERE lower(table_schema) = lower('SALES') ORDER BY 1", "t|MANAGED|a table", "v|VIEW|NULL")
	want(t, conn, "SELECT column_name, full_data_type, is_nullable, comment FROM main.information_schema.columns WHERE table_schema = 'sales' AND table_name = 't' ORDER BY ordinal_position",
		"id|int|NO|the key", "n|struct<a:int>|YES|NULL")
	want(t, conn, "SELECT catalog_name FROM system.information_schema.catalogs ORDER BY 1", "main", "other")
	want(t, conn, "SELECT schema_name, comment FROM main.information_schema.schemata WHERE schema_name = 'sales'", "sales|what is sold")
	want(t, conn, "DESCRIBE TABLE main.sales.v", "id|int|the key")
	exec(t, conn, "USE CATALOG other", "USE sales")
	want(t, conn, "SELECT current_catalog(), current_schema(), x FROM `t-2`", "other|sales|y")
	want(t, conn, "SHOW TBLPROPERTIES main.sales.v ('none')", "none|Table main.sales.v does not have property: none")

	for statement, parts := range map[string][]string{
		"SELECT * FROM main.sales.nope":              {"[TABLE_OR_VIEW_NOT_FOUND]", "`main`.`sales`.`nope`", "SQLSTATE: 42P01"},
		"DROP SCHEMA main.nope":                      {"[SCHEMA_NOT_FOUND]", "`main`.`nope`", "42704"},
		"CREATE SCHEMA nope.s":                       {"[NO_SUCH_CATALOG_EXCEPTION]", "'nope'"},
		"CREATE TABLE nope.s.t (a INT)":              {"[NO_SUCH_CATALOG_EXCEPTION]", "'nope'"},
		"SELECT nope FROM main.sales.t":              {"[UNRESOLVED_COLUMN.WITH_SUGGESTION]", "42703"},
		"SELECT CAST('x' AS INT)":                    {"[CAST_INVALID_INPUT]", "22018"},
		"SELECT *\nFROM main.sales.t WHERE )":        {"[PARSE_SYNTAX_ERROR]", "42601", "(line 2, pos "},
		"SELECT * FROM main.sales.t VERSION AS OF 9": {"[DELTA_VERSION_NOT_FOUND]", "Available versions: [0, 1]"},
		"DESCRIBE HISTORY main.sales.v":              {"[EXPECT_TABLE_NOT_VIEW.NO_ALTERNATIVE]", "`main`.`sales`.`v`"},
		"INSERT INTO main.sales.t SELECT CAST(concat('x', id) AS INT), n FROM main.sales.t": {"[CAST_INVALID_INPUT]", "22018"},
	} {
		wantError(t, conn, statement, parts...)
	}
}

// dbt's first connection names the schema that it then creates.
func TestASessionMayNameASchemaThatDoesNotExist(t *testing.T) {
	t.Parallel()
	conn := open(t).connect(dbsql.WithInitialNamespace("main", "coming"))
	want(t, conn, "SELECT current_schema()", "coming")
	wantError(t, conn, "SELECT * FROM t", "[TABLE_OR_VIEW_NOT_FOUND]")
	wantError(t, conn, "CREATE TABLE t (id INT)", "[SCHEMA_NOT_FOUND]", "`main`.`coming`")
	exec(t, conn, "CREATE SCHEMA IF NOT EXISTS main.coming", "CREATE TABLE t (id INT)")
	want(t, conn, "SHOW TABLES", "coming|t|false")
}

func TestStatementsThatChangeTables(t *testing.T) {
	t.Parallel()
	conn := open(t).connect()
	want(t, conn, "CREATE TABLE t AS SELECT id, CAST(id AS STRING) AS s FROM range(3)", "3|3")
	want(t, conn, "INSERT INTO t VALUES (7, 'x'), (8, NULL)", "2|2")
	want(t, conn, "UPDATE t SET s = 'y' WHERE id > 6", "2")
	want(t, conn, "DELETE FROM t WHERE id = 0", "1")
	want(t, conn, "INSERT OVERWRITE t BY NAME SELECT s, id FROM t WHERE id = 7", "1|1")
	want(t, conn, "SELECT * FROM main.default.t VERSION AS OF 1 ORDER BY id", "0|0", "1|1", "2|2", "7|x", "8|NULL")
	want(t, conn, "SELECT id FROM t VERSION AS OF 3 EXCEPT ALL SELECT id FROM t ORDER BY 1", "1", "2", "8")
	header, history, err := rowsOf(t.Context(), conn, "DESCRIBE HISTORY t LIMIT 2")
	if err != nil || len(history) != 2 || !strings.HasPrefix(history[0], "4|") || !strings.Contains(history[0], `"mode":"Overwrite"`) || !strings.Contains(history[0], `"numOutputRows":"1"`) {
		t.Errorf("%s\n%q %v", header, history, err)
	}
	exec(t, conn, "CREATE TABLE u DEEP CLONE t VERSION AS OF 1")
	exec(t, conn, "DROP TABLE t")
	want(t, conn, "SELECT count(*), max(s) FROM u", "5|x")
	if _, detail, err := rowsOf(t.Context(), conn, "DESCRIBE DETAIL u"); err != nil || len(detail) != 1 || !strings.Contains(detail[0], "|main.default.u|") {
		t.Errorf("%q %v", detail, err)
	}
}

func TestManyRowsInOrderWithParameters(t *testing.T) {
	t.Parallel()
	b := open(t)
	conn := b.connect(dbsql.WithMaxRows(20_000))
	rows, err := conn.QueryContext(t.Context(), "SELECT id, concat(?, id), :named FROM range(?) WHERE id >= :low ORDER BY id DESC",
		"p", dbsql.Parameter{Name: "named", Value: "it's"}, 100_000, dbsql.Parameter{Name: "low", Value: "0", Type: dbsql.SqlBigInt})
	if err == nil {
		defer func() { _ = rows.Close() }()
	}
	if err == nil {
		t.Log("named and positional parameters together are accepted")
	}
	rows, err = conn.QueryContext(t.Context(), "SELECT id, concat(?, id) FROM range(?) ORDER BY id DESC", "it's ", 100_000)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	next := 99_999
	for rows.Next() {
		var id int
		var text string
		if err := rows.Scan(&id, &text); err != nil {
			t.Fatal(err)
		}
		if id != next || text != fmt.Sprintf("it's %d", id) {
			t.Fatalf("row %d is %d, %q", next, id, text)
		}
		next--
	}
	if rows.Err() != nil || next != -1 {
		t.Fatalf("stopped before row %d: %v", next, rows.Err())
	}
}

func TestCancelStopsTheStatement(t *testing.T) {
	t.Parallel()
	conn := open(t).connect()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	// This query would take days.
	_, _, err := rowsOf(ctx, conn, "SELECT count(*) FROM range(10000000) AS a CROSS JOIN range(10000000) AS b WHERE a.id % 7 = b.id % 11")
	if err == nil {
		t.Error("got no error, want that of the cancelled context")
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	b := open(t)
	conn := b.connect(dbsql.WithSessionParams(map[string]string{"ANSI_MODE": "false", "TIMEZONE": "America/New_York", "STATEMENT_TIMEOUT": "100",
		"spark.thriftserver.arrowBasedRowSet.timestampAsString": "false"}))
	want(t, conn, "SELECT CAST('x' AS INT), CAST(TIMESTAMP '2024-07-01 00:00:00Z' AS STRING)", "NULL|2024-06-30 20:00:00")
	// The repeated hour at the end of daylight saving time.
	want(t, conn, "SELECT unix_seconds(x), x = timestamp_seconds(1730611800) FROM VALUES (timestamp_seconds(1730611800)), (timestamp_seconds(1730615400)) AS t(x)", "1730611800|true", "1730615400|false")
	exec(t, conn, "SET ANSI_MODE = true")
	wantError(t, conn, "SELECT CAST('x' AS INT)", "[CAST_INVALID_INPUT]")
	wantError(t, conn, "SET spark.sql.shuffle.partitions = 1", "[CONFIG_NOT_AVAILABLE]")
}
