package spark_test

import (
	"strings"
	"testing"
)

const credential = " WITH (CREDENTIAL (AWS_ACCESS_KEY = 'a', AWS_SECRET_KEY = 's'))"

// The statement that an export sends, with values that CSV often corrupts.
func TestCopyIntoReadsCellsExactly(t *testing.T) {
	t.Parallel()
	b := open(t)
	conn := b.connect()
	cells := []string{`plain`, `a "quoted" word`, `"`, `a,b`, "tab\tbed", "two\nlines", "carriage\rreturn", "both\r\nends", `back\slash`, `\`, `\"`, `\N`, ` edges `, `00123`, `=1+1`, `NULL`, "\ufeffbom", "line\u2028sep", "😀", ``}
	var csv strings.Builder
	for i, c := range cells {
		csv.WriteString(string(rune('a'+i)) + `,"` + strings.ReplaceAll(c, `"`, `""`) + "\",1.5,true,2024-02-29T23:59:59.123456Z\n")
	}
	csv.WriteString("z,\\N-x,\\N-x,\\N-x,\\N-x\n")
	b.objects["run/1/part-0.csv"] = csv.String()
	b.objects["run/1/_SUCCESS"], b.objects["run/1/.hidden"], b.objects["run/10/other.csv"] = "x", "x", "x"
	exec(t, conn, "CREATE TABLE t (`user id` STRING, note STRING, spend DOUBLE, ok BOOLEAN, seen TIMESTAMP) TBLPROPERTIES ('delta.columnMapping.mode' = 'name')")
	copyInto := "COPY INTO main.default.t FROM (SELECT _c0::STRING AS `user id`, _c1::STRING AS note, _c2::DOUBLE AS spend, _c3::BOOLEAN AS ok, _c4::TIMESTAMP AS seen FROM 's3://b/run/1/'" + credential +
		`) FILEFORMAT = CSV FILES = ('part-0.csv') FORMAT_OPTIONS ('multiLine' = 'true', 'quote' = '"', 'escape' = '"', 'nullValue' = '\\N-x', 'encoding' = 'UTF-8', 'mode' = 'FAILFAST', 'maxColumns' = '20480') COPY_OPTIONS ('force' = 'false')`
	n := "21"
	want(t, conn, copyInto, n+"|"+n+"|0")
	// The same statement loads nothing the second time, unless it is forced.
	want(t, conn, copyInto, "0|0|0")
	rows := []string{}
	for i, c := range cells {
		rows = append(rows, string(rune('a'+i))+"|"+c+"|1.5|true|2024-02-29 23:59:59.123456")
	}
	want(t, conn, "SELECT * FROM t ORDER BY 1", append(rows, "z|NULL|NULL|NULL|NULL")...)
	want(t, conn, strings.Replace(copyInto, "'false'", "'true'", 1), n+"|"+n+"|0")
	if _, history, err := rowsOf(t.Context(), conn, "DESCRIBE HISTORY t LIMIT 1"); err != nil || !strings.Contains(history[0], "|COPY INTO|") || strings.Contains(history[0], "part-0.csv") {
		t.Errorf("%q %v", history, err)
	}
	// A replaced table still knows which files it has loaded.
	exec(t, conn, "CREATE OR REPLACE TABLE t (`user id` STRING, note STRING, spend DOUBLE, ok BOOLEAN, seen TIMESTAMP) TBLPROPERTIES ('delta.columnMapping.mode' = 'name')")
	want(t, conn, copyInto, "0|0|0")
}

func TestCopyIntoInfersAndMergesSchemas(t *testing.T) {
	t.Parallel()
	b := open(t)
	conn := b.connect()
	b.objects["in/1.csv"] = "id,zip,none,big\n1,00123,,9223372036854775808\n2,04567,,1\n"
	exec(t, conn, "CREATE TABLE t")
	wantError(t, conn, "SELECT * FROM t", "[DELTA_READ_TABLE_WITHOUT_COLUMNS]")
	wantError(t, conn, "COPY INTO t FROM 's3://b/in/' FILEFORMAT = CSV FORMAT_OPTIONS ('header' = 'true')", "[COPY_INTO_SCHEMA_MISMATCH_WITH_TARGET_TABLE]", "42KDG")
	want(t, conn, "COPY INTO t FROM 's3://b/in/' FILEFORMAT = CSV FORMAT_OPTIONS ('header' = 'true', 'inferSchema' = 'true', 'mergeSchema' = 'true') COPY_OPTIONS ('mergeSchema' = 'true')", "2|2|0")
	want(t, conn, "DESCRIBE t", "id|int|NULL", "zip|int|NULL", "none|string|NULL", "big|decimal(19,0)|NULL")
	want(t, conn, "SELECT * FROM t ORDER BY id", "1|123|NULL|9223372036854775808", "2|4567|NULL|1")
	// New columns are added; the setting holds for this statement only.
	b.objects["in/2.csv"] = "id,more\n3,x\n"
	want(t, conn, "COPY INTO t FROM 's3://b/in/2.csv' FILEFORMAT = CSV FORMAT_OPTIONS ('header' = 'true', 'inferSchema' = 'true') COPY_OPTIONS ('mergeSchema' = 'true')", "1|1|0")
	want(t, conn, "SELECT id, zip, more FROM t WHERE id = 3", "3|NULL|x")
	wantError(t, conn, "INSERT INTO t BY NAME SELECT 4 AS id, 'y' AS evenmore", "[DELTA_METADATA_MISMATCH]")
}

func TestCopyIntoRefuses(t *testing.T) {
	t.Parallel()
	b := open(t)
	conn := b.connect()
	b.objects["bad/1.csv"] = "1,x\n\"2,y\n"
	b.objects["cast/1.csv"] = "one,x\n"
	b.objects["ragged/1.csv"], b.objects["empty/1.csv"] = "1,2,3\n1,2\n", ""
	exec(t, conn, "CREATE TABLE t (a INT, b STRING)")
	for statement, parts := range map[string][]string{
		"COPY INTO nope FROM 's3://b/cast/' FILEFORMAT = CSV":                                                                                        {"[TABLE_OR_VIEW_NOT_FOUND]"},
		"COPY INTO t FROM 's3://b/none/' FILEFORMAT = CSV":                                                                                           {"[COPY_INTO_SOURCE_SCHEMA_INFERENCE_FAILED]", "s3://b/none/"},
		"COPY INTO t FROM 's3://b/cast/' FILEFORMAT = CSV FILES = ('nope.csv')":                                                                      {"[PATH_NOT_FOUND]", "nope.csv"},
		"COPY INTO t FROM 's3://b/cast/' FILEFORMAT = CSV FILES = (" + strings.Repeat("'x',", 1000) + "'x')":                                         {"1000"},
		"COPY INTO t FROM (SELECT _c0 AS a, _c1 AS b FROM 's3://b/cast/') FILEFORMAT = CSV":                                                          {"[DELTA_FAILED_TO_MERGE_FIELDS]"},
		"COPY INTO t FROM (SELECT _c0::INT AS a, _c1 AS b FROM 's3://b/cast/') FILEFORMAT = CSV":                                                     {"[CAST_INVALID_INPUT]", "22018"},
		"COPY INTO t FROM (SELECT _c9 AS b FROM 's3://b/cast/') FILEFORMAT = CSV":                                                                    {"[UNRESOLVED_COLUMN.WITH_SUGGESTION]"},
		"COPY INTO t FROM 's3://b/bad/' FILEFORMAT = CSV FORMAT_OPTIONS ('mode' = 'FAILFAST', 'header' = 'true')":                                    {"[COPY_INTO_SCHEMA_MISMATCH_WITH_TARGET_TABLE]"},
		"COPY INTO t FROM (SELECT _c0::INT AS a, concat(_c1, _c2) AS b FROM 's3://b/ragged/') FILEFORMAT = CSV FORMAT_OPTIONS ('mode' = 'FAILFAST')": {"[FAILED_READ_FILE.NO_HINT]", "s3://b/ragged/1.csv"},
		"COPY INTO t FROM 's3://b/empty/' FILEFORMAT = CSV":                                                                                          {"[COPY_INTO_SOURCE_SCHEMA_INFERENCE_FAILED]", "s3://b/empty/"},
		"COPY INTO t FROM 's3://b/cast/' FILEFORMAT = CSV VALIDATE":                                                                                  {"[UNSUPPORTED_FEATURE.SANDBOX]"},
	} {
		wantError(t, conn, statement, parts...)
	}
	want(t, conn, "SELECT count(*) FROM t", "0")
}
