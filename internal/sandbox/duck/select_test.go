package duck_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// The expectations were observed on Apache Spark 4.0.1.
func TestQueries(t *testing.T) {
	t.Parallel()
	b := open(t, duck.Options{})
	for _, c := range []struct {
		sql, header string
		rows        []string
	}{
		{"SELECT 1, 'a', \"b\", 1.50, 1e3, NULL, TRUE, 9223372036854775807, 99999999999999999999",
			"1 INT, a STRING, b STRING, 1.50 DECIMAL(3,2), 1000.0 DOUBLE, NULL VOID, true BOOLEAN, 9223372036854775807 BIGINT, 99999999999999999999 DECIMAL(20,0)",
			[]string{"1 | a | b | 1.5 | 1000 | NULL | true | 9223372036854775807 | 99999999999999999999"}},
		{"SELECT 'a' || 1, 'It''s', \"dq\\\"x\", 'a' 'b', r'\\n', 'tab\\tx'", "concat(a, 1) STRING, Its STRING, dq\"x STRING, ab STRING, \\n STRING, tab\tx STRING",
			[]string{"a1 | Its | dq\"x | ab | \\n | tab\tx"}},
		{"SELECT CAST('1.5' AS DECIMAL(3,0)), CAST('-1.5' AS DECIMAL(3,0)), CAST(2.5D AS INT), CAST(-2.5D AS INT), CAST(1.005D AS DECIMAL(5,2))",
			"CAST(1.5 AS DECIMAL(3,0)) DECIMAL(3,0), CAST(-1.5 AS DECIMAL(3,0)) DECIMAL(3,0), CAST(2.5 AS INT) INT, CAST(-2.5 AS INT) INT, CAST(1.005 AS DECIMAL(5,2)) DECIMAL(5,2)",
			[]string{"2 | -2 | 2 | -2 | 1.01"}},
		{"SELECT TRY_CAST('1.5' AS INT), TRY_CAST(' 12 ' AS INT), TRY_CAST('1e3' AS INT), TRY_CAST('+5' AS INT), TRY_CAST('1_000' AS INT), TRY_CAST('1d' AS DOUBLE)", "",
			[]string{"NULL | 12 | NULL | 5 | NULL | 1"}},
		{"SELECT TRY_CAST('2024' AS DATE), TRY_CAST('2024-1-2' AS DATE), TRY_CAST('2024-01-02 xyz' AS DATE), TRY_CAST('2024-02-30' AS DATE)", "",
			[]string{"2024-01-01 | 2024-01-02 | 2024-01-02 | NULL"}},
		{"SELECT TRY_CAST('2024-01-02T03:04:05.123456789+02:00' AS TIMESTAMP), TRY_CAST('2024-01-02 03' AS TIMESTAMP), TRY_CAST('2024-01-02 03:04:05 Europe/Berlin' AS TIMESTAMP), TRY_CAST('2024-01-02T' AS TIMESTAMP)", "",
			[]string{"2024-01-02T01:04:05.123456Z | 2024-01-02T03:00:00Z | 2024-01-02T02:04:05Z | NULL"}},
		{"SELECT 1.1BD + 2.22BD, 1.1BD - 2, 3 * 1.5, 10.0 / 3, 10 / 4, 10 DIV 4, -7 % 3, 5.5 % 2, 1L + 1, 1.5F + 1",
			"(1.1 + 2.22) DECIMAL(4,2), (1.1 - 2) DECIMAL(3,1), (3 * 1.5) DECIMAL(4,1), (10.0 / 3) DECIMAL(8,6), (10 / 4) DOUBLE, (10 div 4) BIGINT, (-7 % 3) INT, (5.5 % 2) DECIMAL(2,1), (1 + 1) BIGINT, (1.5 + 1) DOUBLE",
			[]string{"3.32 | -0.9 | 4.5 | 3.333333 | 2.5 | 2 | -1 | 1.5 | 2 | 2.5"}},
		{"SELECT sum(x), avg(x), count(x) FROM VALUES (1.10BD), (2.20BD), (NULL) AS t(x)", "sum(x) DECIMAL(13,2), avg(x) DECIMAL(7,6), count(x) BIGINT", []string{"3.3 | 1.65 | 2"}},
		{"SELECT a, count(*) FROM VALUES (2),(1),(NULL),(1) AS t(a) GROUP BY a ORDER BY a", "a INT, count(1) BIGINT", []string{"NULL | 1", "1 | 2", "2 | 1"}},
		{"SELECT a FROM VALUES (2),(1),(NULL) AS t(a) ORDER BY a DESC", "a INT", []string{"2", "1", "NULL"}},
		{"SELECT * FROM (VALUES (1,'a'),(2,'b')) AS t(x,y) FULL JOIN (VALUES (1,5),(3,6)) u(x,z) USING (x) ORDER BY 1", "x INT, y STRING, z INT", []string{"1 | a | 5", "2 | b | NULL", "3 | NULL | 6"}},
		{"SELECT a + 1 AS b, b * 2 AS c FROM VALUES (1) AS t(a)", "b INT, c INT", []string{"2 | 4"}},
		{"SELECT x.a.b, s.c FROM (SELECT named_struct('a', named_struct('b', 1)) x, array(named_struct('c', 1)) s)", "b INT, c ARRAY<INT>", []string{"1 | [1]"}},
		{"SELECT id FROM range(5) AS o WHERE id IN (SELECT id + 1 FROM range(2)) AND EXISTS (SELECT 1 FROM range(2) r WHERE r.id = o.id)", "id BIGINT", []string{"1"}},
		{"SELECT k, v FROM VALUES (map('a',1,'b',2)) AS t(m) LATERAL VIEW explode(m) e AS k, v", "k STRING, v INT", []string{"a | 1", "b | 2"}},
		{"SELECT a, row_number() OVER (PARTITION BY a ORDER BY b DESC) AS n FROM VALUES (1,2),(1,3),(2,3) AS t(a,b) QUALIFY n = 1 ORDER BY a", "a INT, n INT", []string{"1 | 1", "2 | 1"}},
		{"SELECT 1 AS a UNION SELECT 1.5 UNION ALL SELECT 2L ORDER BY a", "a DECIMAL(21,1)", []string{"1", "1.5", "2"}},
		{"SELECT a FROM VALUES (1),(1),(2) t(a) EXCEPT ALL SELECT 1 ORDER BY a", "a INT", []string{"1", "2"}},
		{"WITH w AS (SELECT 1 AS x), v(y) AS (SELECT x + 1 FROM w) SELECT x, y FROM w, v", "x INT, y INT", []string{"1 | 2"}},
		{"SELECT element_at(array(1,2,3), -1), array(1,2)[0], map('a',1)['b'], sequence(3,1), transform(array(1,2), x -> x * 2), filter(array(1,2), x -> x > 1), exists(array(1), x -> x > 1)", "", []string{"3 | 1 | NULL | [3,2,1] | [2,4] | [2] | false"}},
		{"SELECT date_format(TIMESTAMP '2024-03-05 15:06:07.089', 'EEE, d MMM yy h:mm:ss a SS'), to_timestamp('2024-01-02 03:04'), date_trunc('MONTH', TIMESTAMP '2024-05-06 07:08:09'), TIMESTAMP '2024-01-31 00:00:00' + INTERVAL 1 MONTH, datediff(DATE '2024-03-01', DATE '2024-02-01')", "",
			[]string{"Tue, 5 Mar 24 3:06:07 PM 08 | 2024-01-02T03:04:00Z | 2024-05-01T00:00:00Z | 2024-02-29T00:00:00Z | 29"}},
		{"SELECT unix_micros(TIMESTAMP '2024-01-01 00:00:00.000001'), timestamp_micros(1), CAST(TIMESTAMP '1969-12-31 23:59:59.5' AS BIGINT)", "", []string{"1704067200000001 | 1970-01-01T00:00:00.000001Z | -1"}},
		{"SELECT substring('hello', -3, 2), substring('hello', 0, 2), concat_ws(',', 'a', NULL, array('b', NULL, 'c')), split('a,b,,', ','), lpad('a', 3, 'xy')", "", []string{`ll | he | a,b,c | ["a","b","",""] | xya`}},
		{"SELECT sha2('a', 256), sha2('a', 512) = sha2(binary('a'), 512), md5('a'), hex('abc'), base64('abc'), hex(unhex('0FF'))", "",
			[]string{"ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb | true | 0cc175b9c0f1b6a831c399e269772661 | 616263 | YWJj | 00FF"}},
		{"SELECT array_contains(array(1, NULL), 1), array_contains(array(1, NULL), 2), array_contains(array(1), 2), array_contains(array(1), CAST(NULL AS INT)), array_contains(CAST(NULL AS ARRAY<INT>), 1)", "", []string{"true | NULL | false | NULL | NULL"}},
		{"SELECT 1 <=> NULL, NULL <=> NULL, 1 IS DISTINCT FROM NULL, 'x' IN ('x', NULL), 1 IN ('1', 2), 'a' = 'a '", "", []string{"false | true | true | true | true | false"}},
		{"SELECT CAST(1e10D AS STRING), CAST(array(1,NULL) AS STRING), CAST(map('a',1) AS STRING), CAST(named_struct('a',1,'b',NULL) AS STRING), CAST(TIMESTAMP '2024-01-02 03:04:05.1200' AS STRING)", "", []string{"1.0E10 | [1, null] | {a -> 1} | {1, null} | 2024-01-02 03:04:05.12"}},
		{"SELECT current_catalog(), current_database(), current_schema()", "", []string{"main | default | default"}},
		{"SELECT round(2.5), round(-2.5), round(2.675D, 2), round(15, -1), ceil(1.2), floor(-1.2D)", "", []string{"3 | -3 | 2.68 | 20 | 2 | -2"}},
		{"SELECT count(DISTINCT a), count(a, b), collect_list(a), count_if(a = 1) FROM VALUES (1,2),(NULL,3),(1,1) AS t(a,b)", "", []string{"1 | 2 | [1,1] | 2"}},
		{"SELECT replace('$1', '$2', '$1'), concat('%s', '$1', '%d')", "", []string{"$1 | %s$1%d"}},
		{"SELECT try_divide(1, 0), isnan(double('NaN')), add_months(DATE '2024-01-31', 1)", "", []string{"NULL | true | 2024-02-29"}},
		{"SELECT (1, 'b') > (1, 'a'), (1, NULL) = (1, NULL), array(1,2) < array(1,3)", "", []string{"true | true | true"}},
		{"SELECT * EXCEPT (b) FROM VALUES (1,2,3) t(a,b,c)", "a INT, c INT", []string{"1 | 3"}},
		{"SELECT `a b`, `x``y` FROM VALUES (1,2) t(`a b`, `x``y`) -- comment\n/* and /* nested */ */", "a b INT, x`y INT", []string{"1 | 2"}},
	} {
		got, err := run(b.session, c.sql)
		if err != nil {
			t.Errorf("%s\n%v", c.sql, err)
			continue
		}
		if c.header != "" && header(got) != c.header {
			t.Errorf("%s\n got columns %s\nwant         %s", c.sql, header(got), c.header)
		}
		b.want(c.sql, c.rows...)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	b := open(t, duck.Options{})
	b.exec("CREATE TABLE t (id BIGINT, name STRING, m MAP<STRING, INT>)", "CREATE TABLE bare", "CREATE VIEW v AS SELECT 1 AS x")
	for _, c := range []struct{ sql, class string }{
		{"SELEC 1", "PARSE_SYNTAX_ERROR"},
		{"SELECT 1 FROM", "PARSE_SYNTAX_ERROR"},
		{"SELECT 'open", "PARSE_SYNTAX_ERROR"},
		{"SELECT * FROM t@v1", "PARSE_SYNTAX_ERROR"},
		{"SELECT a::", "PARSE_SYNTAX_ERROR"},
		{"SELECT $1", "PARSE_SYNTAX_ERROR"},
		{"SELECT 1; SELECT 2", "PARSE_SYNTAX_ERROR"},
		{"ATTACH ':memory:' AS x", "PARSE_SYNTAX_ERROR"},
		{"PRAGMA version", "PARSE_SYNTAX_ERROR"},
		{"FROM t SELECT *", "PARSE_SYNTAX_ERROR"},
		{"SELECT * FROM my-table", "INVALID_IDENTIFIER"},
		{"", "PARSE_EMPTY_STATEMENT"},
		{"SELECT * FROM nope", "TABLE_OR_VIEW_NOT_FOUND"},
		{"SELECT * FROM main.nope.t", "TABLE_OR_VIEW_NOT_FOUND"},
		{"SELECT * FROM read_csv('/etc/passwd')", "UNRESOLVABLE_TABLE_VALUED_FUNCTION"},
		{"SELECT * FROM '/etc/passwd'", "PARSE_SYNTAX_ERROR"},
		{"SELECT * FROM duckdb_tables()", "UNRESOLVABLE_TABLE_VALUED_FUNCTION"},
		{"SELECT * FROM sandbox_objects", "TABLE_OR_VIEW_NOT_FOUND"},
		{"SELECT nope FROM t", "UNRESOLVED_COLUMN.WITH_SUGGESTION"},
		{"SELECT nope", "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION"},
		{"SELECT list_transform([1], x -> x)", "PARSE_SYNTAX_ERROR"},
		{"SELECT epoch_us(current_timestamp())", "UNRESOLVED_ROUTINE"},
		{"SELECT xxhash64(1)", "UNRESOLVED_ROUTINE"},
		{"SELECT array_sort(array(1))", "UNRESOLVED_ROUTINE"},
		{"SELECT extract(YEAR FROM current_date())", "UNRESOLVED_ROUTINE"},
		{"SELECT position('a' IN 'ba')", "UNRESOLVED_ROUTINE"},
		{"SELECT localtimestamp", "UNRESOLVED_ROUTINE"},
		{"SELECT inline(array(struct(1)))", "UNRESOLVED_ROUTINE"},
		{"SELECT upper()", "WRONG_NUM_ARGS.WITHOUT_SUGGESTION"},
		{"SELECT CAST('abc' AS BIGINT)", "CAST_INVALID_INPUT"},
		{"SELECT CAST('2024-02-30' AS DATE)", "CAST_INVALID_INPUT"},
		{"SELECT CAST('12345.67' AS DECIMAL(4,2))", "NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION"},
		{"SELECT CAST(300 AS TINYINT)", "CAST_OVERFLOW"},
		{"SELECT 2147483647 + 1", "ARITHMETIC_OVERFLOW"},
		{"SELECT sum(a) FROM VALUES (9223372036854775807),(1) AS t(a)", "ARITHMETIC_OVERFLOW"},
		{"SELECT 1/0", "DIVIDE_BY_ZERO"},
		{"SELECT 1.5 % 0", "DIVIDE_BY_ZERO"},
		{"SELECT array(1,2)[5]", "INVALID_ARRAY_INDEX"},
		{"SELECT (SELECT 1 UNION ALL SELECT 2)", "SCALAR_SUBQUERY_TOO_MANY_ROWS"},
		{"SELECT id FROM t GROUP BY name", "MISSING_AGGREGATION"},
		{"SELECT id FROM t WHERE sum(id) > 1", "INVALID_WHERE_CONDITION"},
		{"SELECT sum(sum(id)) FROM t", "NESTED_AGGREGATE_FUNCTION"},
		{"SELECT row_number() FROM t", "WINDOW_FUNCTION_WITHOUT_OVER_CLAUSE"},
		{"SELECT a FROM VALUES (1) t(a), VALUES (2) u(a)", "AMBIGUOUS_REFERENCE"},
		{"SELECT * FROM t ORDER BY m", "DATATYPE_MISMATCH.INVALID_ORDERING_TYPE"},
		{"SELECT * FROM t EXCEPT ALL SELECT * FROM t", "UNSUPPORTED_FEATURE.SET_OPERATION_ON_MAP_TYPE"},
		{"SELECT 1 UNION SELECT 1, 2", "NUM_COLUMNS_MISMATCH"},
		{"SELECT id FROM t ORDER BY 5", "ORDER_BY_POS_OUT_OF_RANGE"},
		{"SELECT :p", "UNBOUND_SQL_PARAMETER"},
		{"SELECT * FROM bare", "DELTA_READ_TABLE_WITHOUT_COLUMNS"},
		{"SELECT * FROM v VERSION AS OF 0", "UNSUPPORTED_FEATURE.TIME_TRAVEL"},
		{"DESCRIBE HISTORY v", "EXPECT_TABLE_NOT_VIEW.NO_ALTERNATIVE"},
		{"SELECT * FROM t VERSION AS OF 99", "DELTA_VERSION_NOT_FOUND"},
		{"SHOW TABLES IN nope", "SCHEMA_NOT_FOUND"},
		{"USE CATALOG nope", "NO_SUCH_CATALOG_EXCEPTION"},
		{"CREATE TABLE t (x INT)", "TABLE_OR_VIEW_ALREADY_EXISTS"},
		{"CREATE TABLE nope.t (x INT)", "SCHEMA_NOT_FOUND"},
		{"CREATE TABLE u (a INT, A INT)", "COLUMN_ALREADY_EXISTS"},
		{"CREATE TABLE u (`a b` INT)", "DELTA_INVALID_CHARACTERS_IN_COLUMN_NAMES"},
		{"CREATE TABLE u (i INTERVAL DAY)", "DELTA_UNSUPPORTED_DATA_TYPES"},
		{"CREATE TABLE u (i HUGEINT)", "UNSUPPORTED_DATATYPE"},
		{"CREATE SCHEMA default", "SCHEMA_ALREADY_EXISTS"},
		{"DROP TABLE nope", "TABLE_OR_VIEW_NOT_FOUND"},
		{"DROP TABLE v", "WRONG_COMMAND_FOR_OBJECT_TYPE"},
		{"INSERT INTO t VALUES (1)", "INSERT_COLUMN_ARITY_MISMATCH.NOT_ENOUGH_DATA_COLUMNS"},
		{"INSERT INTO t BY NAME SELECT 1 AS nope", "INCOMPATIBLE_DATA_FOR_TABLE.EXTRA_COLUMNS"},
		{"INSERT INTO v VALUES (1)", "EXPECT_TABLE_NOT_VIEW.NO_ALTERNATIVE"},
		{"ALTER TABLE t DROP COLUMN name", "DELTA_UNSUPPORTED_DROP_COLUMN"},
		{"CREATE OR REPLACE VIEW v AS SELECT * FROM v", "RECURSIVE_VIEW"},
		{"CREATE OR REPLACE TEMP VIEW w AS SELECT * FROM w", "TABLE_OR_VIEW_NOT_FOUND"},
		{"ALTER TABLE t ALTER COLUMN id TYPE DOUBLE", "DELTA_UNSUPPORTED_ALTER_TABLE_CHANGE_COL_OP"},
		{"GRANT SELECT ON TABLE t TO someone", "UNSUPPORTED_FEATURE.SANDBOX"},
	} {
		if e := b.failure(c.sql, c.class); e.SQLState == "" {
			t.Errorf("%s: the error has no SQLSTATE", c.sql)
		}
	}
}

// The engine has the functions that the sandbox's README lists.
func TestTheListedFunctionsExist(t *testing.T) {
	t.Parallel()
	b := open(t, duck.Options{})
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(readme), "| | functions |")
	list, _, _ = strings.Cut(list, "| in FROM |")
	names := regexp.MustCompile("`([a-z0-9_]+)`").FindAllStringSubmatch(list, -1)
	if len(names) < 100 {
		t.Fatalf("found %d functions in the list", len(names))
	}
	for _, name := range names {
		_, err := run(b.session, "SELECT "+name[1]+"(1, 2, 3, 4, 5, 6, 7)")
		var e *warehouse.Error
		if errors.As(err, &e) && e.Class == "UNRESOLVED_ROUTINE" {
			t.Error(e.Message)
		}
	}
}

// What the DuckDB engine does not have of Databricks SQL, it refuses with a hint at Spark.
func TestRefusalsNameTheSparkEngine(t *testing.T) {
	t.Parallel()
	b := open(t, duck.Options{})
	b.exec("CREATE TABLE t (id BIGINT, at DATE)")
	for _, statement := range []string{
		"SELECT to_date('01.02.2024', 'dd.MM.yyyy')",
		"SELECT datediff(DAY, at, at) FROM t",
		"SELECT dateadd(DAY, 1, at) FROM t",
		"SELECT sequence(at, at) FROM t",
		"SELECT 1 & 3",
		"SELECT ~1",
		"SELECT 'a' LIKE ANY ('a', 'b')",
		"SELECT lag(id) IGNORE NULLS OVER (ORDER BY id) FROM t",
		"SELECT sum(id) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM t",
		"SELECT sum(id) OVER w FROM t WINDOW w AS (ORDER BY id)",
		"SELECT id FROM t WINDOW w AS (ORDER BY id)",
		"SELECT id, count(*) FROM t GROUP BY ROLLUP (id)",
		"SELECT id, count(*) FROM t GROUP BY GROUPING SETS ((id), ())",
		"SELECT id, count(*) FROM t GROUP BY id WITH CUBE",
		"SELECT * FROM t ORDER BY ALL",
		"SELECT 1 AS id UNION BY NAME SELECT id FROM t",
		"SELECT * FROM t NATURAL JOIN t AS u",
		"SELECT * FROM t, LATERAL (SELECT t.id)",
		"SELECT * FROM explode(array(1))",
		"SELECT * FROM t TIMESTAMP AS OF '2024-01-01'",
		"RESTORE TABLE t TO VERSION AS OF 0",
		"CREATE TABLE u DEEP CLONE t",
		"EXPLAIN SELECT 1",
		"SELECT _metadata.row_id FROM t",
		"SELECT t._metadata.row_commit_version FROM t",
		"INSERT INTO t REPLACE WHERE id = 1 SELECT 1, NULL",
		"SHOW CREATE TABLE t",
		"DESCRIBE CATALOG main",
		"DESCRIBE SCHEMA default",
	} {
		if e := b.failure(statement, "UNSUPPORTED_FEATURE.SANDBOX"); !strings.Contains(e.Message, "-engine spark") {
			t.Errorf("%s: %s", statement, e.Message)
		}
	}
}

func TestParameters(t *testing.T) {
	t.Parallel()
	b := open(t, duck.Options{})
	text := func(s string) *string { return &s }
	got, err := run(b.session, "SELECT :s, :n + 1, :t, :d, :missing IS NULL, length(:quote)",
		param("s", "STRING", text("x' OR 1=1 --")), param("n", "BIGINT", text("9007199254740993")), param("t", "TIMESTAMP", text("2024-01-02 03:04:05.123456")),
		param("d", "DECIMAL(10,2)", text("1.50")), param("missing", "STRING", nil), param("quote", "STRING", text("a'\\b\x00")))
	if err != nil {
		t.Fatal(err)
	}
	want := "x' OR 1=1 -- | 9007199254740994 | 2024-01-02T03:04:05.123456Z | 1.5 | true | 5"
	if r := joined(got.rows[0]); r != want {
		t.Errorf("got %s, want %s", r, want)
	}
	got, err = run(b.session, "SELECT ?, ?", param("", "INT", text("1")), param("", "STRING", text("b")))
	if err != nil || joined(got.rows[0]) != "1 | b" {
		t.Errorf("positional parameters: %v %v", got, err)
	}
}

// The rows scanned are the output of the table scans: a row that a condition skips does
// not count, a row that is read twice counts twice.
func TestRowsScannedExcludesSkippedRows(t *testing.T) {
	t.Parallel()
	b := open(t, duck.Options{Profile: true})
	b.exec("CREATE TABLE t AS SELECT id, concat('row ', id) AS s FROM range(10000)")
	for statement, want := range map[string]int64{
		"SELECT * FROM t":                                          10000,
		"SELECT * FROM t WHERE id >= 9000":                         1000,
		"SELECT count(*) FROM t WHERE id IS NULL OR id >= 9000":    1000,
		"SELECT id FROM t WHERE id < 10 UNION ALL SELECT 1 FROM t": 10010,
	} {
		b.wantScanned(statement, want)
	}
}

// wantScanned executes a query of an engine with profiles and compares the rows that it
// scanned.
func (b *fixture) wantScanned(statement string, want int64) {
	b.Helper()
	r, err := b.session.Execute(b.Context(), statement, nil)
	if err != nil {
		b.Fatal(err)
	}
	for {
		batch, err := r.Next(b.Context())
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			b.Fatal(err)
		}
		batch.Release()
	}
	if err := r.Close(); err != nil {
		b.Fatal(err)
	}
	p, ok := r.(interface{ RowsScanned() (int64, bool) })
	if !ok {
		b.Fatalf("%T is not a warehouse.Profiled", r)
	}
	if got, known := p.RowsScanned(); !known || got != want {
		b.Errorf("%s: got %d rows scanned, want %d", statement, got, want)
	}
}

// A statement reads its tables as they were before it, in whatever order DuckDB executes
// its parts.
func TestAnInsertDoesNotReadWhatItWrites(t *testing.T) {
	t.Parallel()
	b := open(t, duck.Options{})
	for i := range 40 {
		b.exec(fmt.Sprintf("CREATE TABLE t%d AS SELECT id, timestamp_micros(1700000000000000 + id) AS ts FROM range(1000)", i))
		b.exec(fmt.Sprintf(`INSERT INTO t%[1]d
			SELECT 1000, max(ts) FROM t%[1]d UNION ALL
			SELECT 1001, max(ts) + INTERVAL 1 SECOND FROM t%[1]d UNION ALL
			SELECT 1002, max(ts) + INTERVAL 2 SECOND FROM t%[1]d UNION ALL
			SELECT 1003, max(ts) + INTERVAL 3 SECOND FROM t%[1]d UNION ALL
			SELECT count(*), max(ts) FROM t%[1]d`, i))
		b.want(fmt.Sprintf("SELECT max(unix_micros(ts)), max(id), count(*) FROM t%d", i), "1700000003000999 | 1003 | 1005")
	}
}
