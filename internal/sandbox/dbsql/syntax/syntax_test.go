package syntax_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/syntax"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

func TestTypes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"int": "INT", "LONG": "BIGINT", "decimal": "DECIMAL(10,0)", "numeric(5)": "DECIMAL(5,0)", "varchar(3)": "VARCHAR(3)", "timestamp_ltz": "TIMESTAMP",
		"array<array<int>>": "ARRAY<ARRAY<INT>>", "map<string,struct<a:int,`b c`:decimal(3,1)>>": "MAP<STRING, STRUCT<a: INT, `b c`: DECIMAL(3,1)>>", "struct<>": "STRUCT<>",
	} {
		got, err := syntax.ParseType(text)
		if err != nil || got.String() != want {
			t.Errorf("%s gave %v, %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "hugeint", "array", "array<int", "decimal(39,0)", "decimal(3,4)", "varchar", "struct<a int, A int>", "int int"} {
		if got, err := syntax.ParseType(text); err == nil {
			t.Errorf("%q was read as %s", text, got)
		}
	}
}

func TestDeepNestingIsRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"SELECT " + strings.Repeat("(", 100000) + "1", "SELECT " + strings.Repeat("-", 99) + strings.Repeat("- ", 100000) + "1", "SELECT " + strings.Repeat("NOT ", 100000) + "1", "SELECT CAST(1 AS " + strings.Repeat("ARRAY<", 100000)} {
		if _, err := syntax.Parse(text); err == nil {
			t.Errorf("got no error for %.30s...", text)
		}
	}
}

// No text makes the parser panic, and every error has Databricks' form.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"SELECT a.b[1]::INT AS `x y`, count(DISTINCT *) FILTER (WHERE a) OVER (PARTITION BY b ORDER BY c DESC NULLS FIRST) FROM c.d.e VERSION AS OF 3 x LEFT JOIN (VALUES (1)) y USING (z) WHERE NOT a RLIKE 'b' GROUP BY a HAVING 1 QUALIFY 2 ORDER BY 1 LIMIT 3",
		"COPY INTO t FROM (SELECT _c0::STRING AS x FROM 's3://b/p' WITH (CREDENTIAL (AWS_ACCESS_KEY='a'))) FILEFORMAT = CSV FILES = ('a') FORMAT_OPTIONS('a'='b') COPY_OPTIONS('force'='true')",
		"CREATE OR REPLACE TABLE t (a INT NOT NULL COMMENT 'x' DEFAULT 1) TBLPROPERTIES('a'='b') CLUSTER BY (a)", "MERGE INTO t USING s ON a = b WHEN MATCHED AND c THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT (a) VALUES (1)",
		"INSERT OVERWRITE t BY NAME SELECT * EXCEPT (a) FROM u", "DESCRIBE HISTORY a.b.c LIMIT 1", "SELECT 'a\\'b' \"c\" -- x", "SELECT X'0f', 1e3BD, .5, 1.a, `a``b`, INTERVAL '1 day', :p, ?", "/* /* */",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		st, err := syntax.Parse(s)
		var e *warehouse.Error
		if err != nil && (!errors.As(err, &e) || e.Class == "" || e.SQLState == "") {
			t.Errorf("%q was refused with %v", s, err)
		}
		if err == nil && st == nil {
			t.Errorf("got no statement for %q", s)
		}
	})
}
