package duck_test

import (
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

func TestVersionsOfATable(t *testing.T) {
	t.Parallel()
	b := open(t, duck.Options{})
	b.exec(
		"CREATE TABLE t (id BIGINT, name STRING) TBLPROPERTIES ('delta.columnMapping.mode' = 'name')",
		"INSERT INTO t VALUES (1, 'a'), (2, 'b')",
		"UPDATE t SET name = upper(name) WHERE id = 1",
		"DELETE FROM t WHERE id = 2",
		"ALTER TABLE t ADD COLUMN extra INT",
		"INSERT INTO t VALUES (3, 'c', 30)",
		"ALTER TABLE t RENAME COLUMN name TO label",
		"ALTER TABLE t DROP COLUMN extra",
		"INSERT OVERWRITE t SELECT 9, 'z'",
	)
	b.want("SELECT * FROM t", "9 | z")
	b.want("SELECT * FROM t VERSION AS OF 1 ORDER BY id", "1 | a", "2 | b")
	b.want("SELECT * FROM t VERSION AS OF 2 ORDER BY id", "1 | A", "2 | b")
	b.want("SELECT * FROM t VERSION AS OF 3", "1 | A")
	b.want("SELECT x.* FROM t VERSION AS OF 5 AS x ORDER BY id", "1 | A | NULL", "3 | c | 30")
	b.want("SELECT id, label FROM t FOR VERSION AS OF 7 ORDER BY id", "1 | A", "3 | c")
	b.fails("SELECT extra FROM t VERSION AS OF 7", "UNRESOLVED_COLUMN.WITH_SUGGESTION")
	b.want("SELECT id FROM t VERSION AS OF 7 EXCEPT ALL SELECT id FROM t ORDER BY id", "1", "3")
	got := b.rows("DESCRIBE HISTORY t LIMIT 2")
	if len(got) != 2 || got[0][:1] != "8" || got[1][:1] != "7" {
		t.Errorf("DESCRIBE HISTORY LIMIT 2 gave %q", got)
	}

	b.exec("CREATE OR REPLACE TEMPORARY VIEW pinned AS SELECT * FROM t VERSION AS OF 1", "CREATE OR REPLACE TEMPORARY VIEW lazy AS SELECT * FROM t")
	b.exec("INSERT INTO t VALUES (10, 'new')")
	b.want("SELECT count(*) FROM pinned", "2")
	b.want("SELECT count(*) FROM lazy", "2")

	b.exec("CREATE OR REPLACE TABLE t TBLPROPERTIES ('delta.columnMapping.mode' = 'name') AS SELECT 1 AS only")
	b.want("SELECT * FROM t", "1")
	b.want("SELECT * FROM t VERSION AS OF 1 ORDER BY id", "1 | a", "2 | b")

	b.exec("VACUUM t RETAIN 0 HOURS")
	e := b.failure("SELECT * FROM t VERSION AS OF 1", "DELTA_VERSION_NOT_FOUND")
	if want := "Cannot time travel Delta table to version 1. Available versions: [10, 10]."; e.Message != want {
		t.Errorf("got %q, want %q", e.Message, want)
	}
	b.want("SELECT * FROM t", "1")
}

func TestChangingRows(t *testing.T) {
	t.Parallel()
	b := open(t, duck.Options{})
	b.exec("CREATE TABLE t (id BIGINT NOT NULL, n DECIMAL(5,1) DEFAULT 7.5, s VARCHAR(3))", "CREATE TABLE s AS SELECT id, id * 10 AS n FROM range(3)")
	b.want("INSERT INTO t (id, s) VALUES (1, 'abc')", "1 | 1")
	b.want("INSERT INTO t BY NAME SELECT 'x' AS s, 2 AS id, 2.25 AS n", "1 | 1")
	b.want("SELECT * FROM t ORDER BY id", "1 | 7.5 | abc", "2 | 2.3 | x")
	b.fails("INSERT INTO t VALUES (NULL, 1, 'a')", "DELTA_NOT_NULL_CONSTRAINT_VIOLATED")
	b.fails("INSERT INTO t VALUES (3, 1, 'abcd')", "EXCEED_LIMIT_LENGTH")
	b.fails("INSERT INTO t VALUES ('x', 1, 'a')", "CAST_INVALID_INPUT")
	b.fails("UPDATE t SET n = 99999", "NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION")
	b.want("UPDATE t SET n = n + 1, s = DEFAULT WHERE id IN (SELECT id FROM s)", "2")
	b.want("SELECT * FROM t ORDER BY id", "1 | 8.5 | NULL", "2 | 3.3 | NULL")
	b.want("DELETE FROM t AS x WHERE x.id = 99", "0")
	b.want("SELECT max(version) FROM (SELECT 1 AS version)", "1")
	b.want(`MERGE INTO t USING s ON t.id = s.id
		WHEN MATCHED AND s.n = 10 THEN DELETE
		WHEN MATCHED THEN UPDATE SET t.n = s.n
		WHEN NOT MATCHED THEN INSERT (id, n) VALUES (s.id, -1)`, "3 | 1 | 1 | 1")
	b.want("SELECT id, n FROM t ORDER BY id", "0 | -1", "2 | 20")
	b.want("MERGE INTO t USING s ON t.id = s.id + 1 WHEN NOT MATCHED BY SOURCE THEN DELETE", "1 | 0 | 1 | 0")
	b.fails("MERGE INTO t USING (SELECT 2 AS id UNION ALL SELECT 2) s ON t.id = s.id WHEN MATCHED THEN DELETE", "DELTA_MULTIPLE_SOURCE_ROW_MATCHING_TARGET_ROW_IN_MERGE")
	b.exec("TRUNCATE TABLE t")
	b.want("SELECT count(*) FROM t", "0")
}

// The statements with which an export replaces a table.
func TestReplace(t *testing.T) {
	t.Parallel()
	b := open(t, duck.Options{})
	b.exec(
		"CREATE TABLE t (id BIGINT COMMENT 'the id', `a b` STRING) COMMENT 'kept' TBLPROPERTIES ('delta.columnMapping.mode' = 'name', 'lytics.job_id' = 'j1')",
		"INSERT INTO t VALUES (1, 'x')",
		"CREATE OR REPLACE TABLE t__load (`a b` STRING, id BIGINT) TBLPROPERTIES ('delta.columnMapping.mode' = 'name')",
		"INSERT INTO t__load VALUES ('y', 2), ('z', 3)",
		"INSERT OVERWRITE t BY NAME SELECT * FROM t__load",
	)
	b.want("SELECT * FROM t ORDER BY id", "2 | y", "3 | z")
	b.want("SHOW TBLPROPERTIES t ('lytics.job_id')", "lytics.job_id | j1")
	b.want("SELECT comment FROM main.information_schema.tables WHERE table_name = 't'", "kept")
	b.exec("CREATE OR REPLACE TABLE t TBLPROPERTIES ('delta.columnMapping.mode' = 'name', 'lytics.job_id' = 'j2') AS SELECT *, 1 AS more FROM t__load", "DROP TABLE IF EXISTS t__load", "DROP TABLE IF EXISTS t__load")
	b.want("SELECT column_name, full_data_type, is_nullable, comment FROM main.information_schema.columns WHERE table_schema = 'default' AND table_name = 't' ORDER BY ordinal_position",
		"a b | string | YES | NULL", "id | bigint | YES | NULL", "more | int | YES | NULL")
	b.fails("CREATE OR REPLACE TABLE t AS SELECT 1 AS x", "DELTA_UNSUPPORTED_COLUMN_MAPPING_MODE_CHANGE")
}

// After a restart, the stored catalog and all versions can be read.
func TestRestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := open(t, duck.Options{Dir: dir})
	b.exec("CREATE CATALOG other COMMENT 'c'", "CREATE SCHEMA other.s", "CREATE TABLE other.s.t (id INT, d DECIMAL(4,2))", "INSERT INTO other.s.t VALUES (1, 1.5)", "DELETE FROM other.s.t", "CREATE VIEW v AS SELECT * FROM other.s.t", "CREATE TABLE gone (x INT)", "DROP TABLE gone")
	if err := b.engine.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, duck.Options{Dir: dir})
	again.want("SELECT * FROM other.s.t VERSION AS OF 1", "1 | 1.5")
	again.want("SELECT count(*) FROM v", "0")
	again.want("SHOW TABLES", "default | v | false")
	again.exec("INSERT INTO other.s.t VALUES (2, 2.5)")
	again.want("SELECT max(id) FROM other.s.t", "2")
}

func TestSessions(t *testing.T) {
	t.Parallel()
	b := open(t, duck.Options{})
	b.exec("CREATE CATALOG `we-ird`", "CREATE SCHEMA `we-ird`.`sch ema`", "USE `we-ird`.`sch ema`", "CREATE TABLE `t``1` (`select` INT)", "INSERT INTO `t``1` VALUES (1)", "CREATE TEMP VIEW v AS SELECT * FROM `t``1`")
	b.want("SELECT `select` FROM `we-ird`.`sch ema`.`t``1`", "1")
	b.want("SELECT current_catalog(), current_schema()", "we-ird | sch ema")
	other := &fixture{TB: t, engine: b.engine, session: b.open(warehouse.SessionOptions{Catalog: "we-ird", Schema: "sch ema", Conf: map[string]string{"ANSI_MODE": "false", "TIMEZONE": "Europe/Berlin"}})}
	other.want("SELECT * FROM `t``1`", "1")
	other.fails("SELECT * FROM v", "TABLE_OR_VIEW_NOT_FOUND")
	other.want("SELECT CAST('abc' AS INT), 1/0, CAST(300 AS TINYINT)", "NULL | NULL | 44")
	other.want("SELECT TIMESTAMP '2024-07-01 00:00:00', CAST(TIMESTAMP '2024-07-01 00:00:00' AS STRING), hour(TIMESTAMP '2024-07-01 00:00:00'), date_format(TIMESTAMP '2024-07-01 00:00:00', 'HH:mm XXX')", "2024-06-30T22:00:00Z | 2024-07-01 00:00:00 | 0 | 00:00 +02:00")
	other.exec("SET TIME ZONE 'UTC'", "SET ansi_mode = true")
	other.want("SELECT CAST('2024-07-01' AS TIMESTAMP)", "2024-07-01T00:00:00Z")
	other.fails("SELECT CAST('abc' AS INT)", "CAST_INVALID_INPUT")
	if _, err := b.engine.OpenSession(t.Context(), warehouse.SessionOptions{Catalog: "nope"}); err == nil {
		t.Error("got no error for a session with an unknown catalog")
	}
}
