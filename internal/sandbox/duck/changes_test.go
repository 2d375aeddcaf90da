package duck_test

import (
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck"
)

// The change data feed has both images of each change, as Delta records them.
func TestTableChanges(t *testing.T) {
	t.Parallel()
	b := open(t, duck.Options{})
	const changes = "SELECT id, s, _change_type, _commit_version FROM table_changes('main.default.t', %) ORDER BY _commit_version, id, _change_type"
	of := func(bounds string) string { return strings.Replace(changes, "%", bounds, 1) }
	b.exec("CREATE TABLE t (id BIGINT, s STRING)", "INSERT INTO t VALUES (1, 'a')")
	b.fails(of("0, 1"), "DELTA_MISSING_CHANGE_DATA")
	b.exec(
		"ALTER TABLE t SET TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')",
		"INSERT INTO t VALUES (2, 'b'), (3, 'c')",
		"UPDATE t SET s = upper(s) WHERE id < 3",
		"DELETE FROM t WHERE id = 3",
		"MERGE INTO t USING (SELECT 1 AS id, 'm' AS s UNION ALL SELECT 4, 'n') x ON t.id = x.id "+
			"WHEN MATCHED THEN UPDATE SET s = x.s WHEN NOT MATCHED THEN INSERT *",
	)
	want := []string{
		"2 | b | insert | 3", "3 | c | insert | 3",
		"1 | A | update_postimage | 4", "1 | a | update_preimage | 4", "2 | B | update_postimage | 4", "2 | b | update_preimage | 4",
		"3 | c | delete | 5",
		"1 | m | update_postimage | 6", "1 | A | update_preimage | 6", "4 | n | insert | 6",
	}
	b.want(of("2"), want...)
	b.want(of("2, 6"), want...)
	b.want(of("5, 5"), "3 | c | delete | 5")
	b.want("SELECT count(*) FROM table_changes('t', 3) WHERE _commit_timestamp > current_timestamp() - INTERVAL 1 HOUR", "10")
	b.fails(of("1, 6"), "DELTA_MISSING_CHANGE_DATA")
	b.fails(of("5, 4"), "DELTA_INVALID_CDC_RANGE")
	b.fails(of("7"), "DELTA_CDC_START_VERSION_AFTER_LATEST")
	b.fails(of("NULL, 4"), "DELTA_CDC_READ_NULL_RANGE_BOUNDARY")
	b.fails("SELECT * FROM table_changes('nothing', 1)", "TABLE_OR_VIEW_NOT_FOUND")

	// A table that is rebuilt loses and gains each row.
	b.exec("INSERT OVERWRITE t SELECT * FROM t WHERE id < 4")
	b.want(of("7, 7"), "1 | m | delete | 7", "1 | m | insert | 7", "2 | B | delete | 7", "2 | B | insert | 7", "4 | n | delete | 7")
	// Older changes are read in the newest schema.
	b.exec("ALTER TABLE t ADD COLUMN extra INT", "INSERT INTO t VALUES (5, 'e', 50)")
	b.want("SELECT id, extra, _change_type FROM table_changes('t', 5, 9) WHERE id IN (3, 5) ORDER BY id", "3 | NULL | delete", "5 | 50 | insert")

	// A table that is replaced has the feed only if the statement sets the property.
	b.exec("CREATE OR REPLACE TABLE t AS SELECT * FROM t")
	b.fails(of("9, 10"), "DELTA_MISSING_CHANGE_DATA")
	b.exec("CREATE OR REPLACE TABLE t TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true') AS SELECT id, s FROM t WHERE id = 1")
	b.want(of("11"), "1 | m | delete | 11", "1 | m | insert | 11", "2 | B | delete | 11", "5 | e | delete | 11")
	b.exec("INSERT INTO t VALUES (6, 'f')", "VACUUM t RETAIN 0 HOURS")
	b.fails(of("12"), "DELTA_CHANGE_DATA_FILE_NOT_FOUND")
	b.exec("INSERT INTO t VALUES (7, 'g')")
	b.want(of("13"), "7 | g | insert | 13")

	b.exec("CREATE VIEW v AS SELECT * FROM t")
	b.fails("SELECT * FROM table_changes('v', 1)", "DELTA_TABLE_ONLY_OPERATION")
}

// The rows that the feed's query scans are those of the changes.
func TestTableChangesScanTheChanges(t *testing.T) {
	t.Parallel()
	b := open(t, duck.Options{Profile: true})
	b.exec("CREATE TABLE t (id BIGINT) TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')", "INSERT INTO t SELECT id FROM range(300000)",
		"UPDATE t SET id = -id WHERE id % 1000 = 7")
	b.wantScanned("SELECT sum(id) FROM table_changes('t', 2, 2)", 600)
}
