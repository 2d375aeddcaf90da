package rewrite_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/syntax"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/spark/rewrite"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

func run(t *testing.T, statement string, params ...warehouse.Parameter) *rewrite.Statement {
	t.Helper()
	tokens, err := syntax.Lex(statement)
	if err != nil {
		t.Fatal(err)
	}
	out, err := rewrite.Rewrite(statement, tokens, rewrite.Env{
		Names: rewrite.NewNames("p"), Catalog: "main", Schema: "default",
		Parameters: rewrite.NewParameters(params),
		Information: func(catalog, relation string) (string, error) {
			return "(INFO " + catalog + "/" + relation + ")", nil
		},
	})
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return out
}

func TestTableNamesAreMapped(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"SELECT * FROM main.sales.t":                                       "SELECT * FROM `p__main__sales`.`t`",
		"select * from sales.t x, other.sales.u where 1":                   "select * from `p__main__sales`.`t` x, `p__other__sales`.`u` where 1",
		"SELECT * FROM t":                                                  "SELECT * FROM t",
		"SELECT * FROM `Main`.`Sales`.`T``x`":                              "SELECT * FROM `p__main__sales`.`t_x000060x` AS `T``x`",
		"SELECT a.`t-2`.x FROM a.`t-2` VERSION AS OF 1, b.`u-3` u WHERE 1": "SELECT `t-2`.x FROM `p__main__a`.`t_x00002d2` VERSION AS OF 1 AS `t-2`, `p__main__b`.`u_x00002d3` u WHERE 1",
		"INSERT INTO a.`t-2` SELECT 1":                                     "INSERT INTO `p__main__a`.`t_x00002d2` SELECT 1",
		"SHOW TBLPROPERTIES a.b ('c')":                                     "SHOW TBLPROPERTIES `p__main__a`.`b` ('c')",
		"SELECT 'FROM main.sales.t' -- FROM main.sales.t":                  "SELECT 'FROM main.sales.t' -- FROM main.sales.t",
		"SELECT \"main.sales.t\" /* main.sales.t */ FROM a.b":              "SELECT \"main.sales.t\" /* main.sales.t */ FROM `p__main__a`.`b`",
		"SELECT main.sales.t.id, t.id, sales.t.x.y, u.a.b FROM main.sales.t JOIN u ON sales.t.id = u.id":            "SELECT `p__main__sales`.`t`.id, t.id, `p__main__sales`.`t`.x.y, u.a.b FROM `p__main__sales`.`t` JOIN u ON `p__main__sales`.`t`.id = u.id",
		"SELECT main.sales.t.* FROM main.sales.t":                                                                   "SELECT `p__main__sales`.`t`.* FROM `p__main__sales`.`t`",
		"SELECT a.b.c FROM x.y.z AS a":                                                                              "SELECT a.b.c FROM `p__x__y`.`z` AS a",
		"SELECT extract(YEAR FROM a.b.c), trim(BOTH 'x' FROM a.b.c) FROM a.b.d":                                     "SELECT extract(YEAR FROM a.b.c), trim(BOTH 'x' FROM a.b.c) FROM `p__a__b`.`d`",
		"SELECT a IS NOT DISTINCT FROM b.c.d FROM e.f":                                                              "SELECT a IS NOT DISTINCT FROM b.c.d FROM `p__main__e`.`f`",
		"SELECT * FROM range(3), a.b":                                                                               "SELECT * FROM range(3), `p__main__a`.`b`",
		"SELECT * FROM (a.b JOIN c.d USING (k)), e.f":                                                               "SELECT * FROM (`p__main__a`.`b` JOIN `p__main__c`.`d` USING (k)), `p__main__e`.`f`",
		"SELECT (SELECT max(x) FROM a.b), c.d FROM e.f":                                                             "SELECT (SELECT max(x) FROM `p__main__a`.`b`), c.d FROM `p__main__e`.`f`",
		"SELECT * FROM a.b VERSION AS OF 3 WHERE x IN (1, 2)":                                                       "SELECT * FROM `p__main__a`.`b` VERSION AS OF 3 WHERE x IN (1, 2)",
		"SELECT x, y FROM a.b LATERAL VIEW explode(x) e AS k, v":                                                    "SELECT x, y FROM `p__main__a`.`b` LATERAL VIEW explode(x) e AS k, v",
		"WITH `q x` AS (SELECT * FROM a.b) SELECT * FROM `q x`":                                                     "WITH `q x` AS (SELECT * FROM `p__main__a`.`b`) SELECT * FROM `q x`",
		"SELECT * FROM delta.`/a/b`":                                                                                "SELECT * FROM delta.`/a/b`",
		"SELECT * FROM IDENTIFIER('a.b.c') WHERE x":                                                                 "SELECT * FROM `p__a__b`.`c` WHERE x",
		"INSERT INTO a.b.c (x, y) VALUES (1, 2)":                                                                    "INSERT INTO `p__a__b`.`c` (x, y) VALUES (1, 2)",
		"INSERT OVERWRITE TABLE a.b BY NAME SELECT * FROM c.d":                                                      "INSERT OVERWRITE TABLE `p__main__a`.`b` BY NAME SELECT * FROM `p__main__c`.`d`",
		"CREATE OR REPLACE TABLE a.b (x INT, y STRUCT<z:INT>) TBLPROPERTIES ('a.b' = 'c.d')":                        "CREATE OR REPLACE TABLE `p__main__a`.`b` (x INT, y STRUCT<z:INT>) TBLPROPERTIES ('a.b' = 'c.d')",
		"CREATE TABLE IF NOT EXISTS a.b AS SELECT * FROM c.d":                                                       "CREATE TABLE IF NOT EXISTS `p__main__a`.`b` AS SELECT * FROM `p__main__c`.`d`",
		"CREATE TABLE a.b LIKE c.d":                                                                                 "CREATE TABLE `p__main__a`.`b` LIKE `p__main__c`.`d`",
		"CREATE TABLE a.b SHALLOW CLONE c.d VERSION AS OF 1":                                                        "CREATE TABLE `p__main__a`.`b` SHALLOW CLONE `p__main__c`.`d` VERSION AS OF 1",
		"CREATE OR REPLACE TEMPORARY VIEW v AS SELECT * FROM a.b":                                                   "CREATE OR REPLACE TEMPORARY VIEW v AS SELECT * FROM `p__main__a`.`b`",
		"CREATE VIEW a.v (x COMMENT 'FROM a.b') AS SELECT 1":                                                        "CREATE VIEW `p__main__a`.`v` (x COMMENT 'FROM a.b') AS SELECT 1",
		"DROP TABLE IF EXISTS a.b":                                                                                  "DROP TABLE IF EXISTS `p__main__a`.`b`",
		"ALTER TABLE a.b RENAME TO a.c":                                                                             "ALTER TABLE `p__main__a`.`b` RENAME TO `p__main__a`.`c`",
		"ALTER TABLE a.b RENAME COLUMN c.d TO e":                                                                    "ALTER TABLE `p__main__a`.`b` RENAME COLUMN c.d TO e",
		"UPDATE a.b SET x = 1":                                                                                      "UPDATE `p__main__a`.`b` SET x = 1",
		"DELETE FROM a.b WHERE x":                                                                                   "DELETE FROM `p__main__a`.`b` WHERE x",
		"MERGE INTO a.b t USING (SELECT * FROM c.d JOIN e USING (`odd k`)) s ON t.x = s.x WHEN MATCHED THEN DELETE": "MERGE INTO `p__main__a`.`b` t USING (SELECT * FROM `p__main__c`.`d` JOIN e USING (`odd k`)) s ON t.x = s.x WHEN MATCHED THEN DELETE",
		"DESCRIBE a.b.c":                                       "DESCRIBE `p__a__b`.`c`",
		"DESCRIBE TABLE EXTENDED a.b":                          "DESCRIBE TABLE EXTENDED `p__main__a`.`b`",
		"DESCRIBE HISTORY a.b LIMIT 1":                         "DESCRIBE HISTORY `p__main__a`.`b` LIMIT 1",
		"DESC DETAIL a.b":                                      "DESC DETAIL `p__main__a`.`b`",
		"SHOW TBLPROPERTIES a.b":                               "SHOW TBLPROPERTIES `p__main__a`.`b`",
		"SHOW COLUMNS IN a.b":                                  "SHOW COLUMNS IN `p__main__a`.`b`",
		"OPTIMIZE a.b":                                         "OPTIMIZE `p__main__a`.`b`",
		"TABLE a.b":                                            "TABLE `p__main__a`.`b`",
		"CREATE SCHEMA IF NOT EXISTS other.s":                  "CREATE SCHEMA IF NOT EXISTS `p__other__s`",
		"DROP SCHEMA s CASCADE":                                "DROP SCHEMA `p__main__s` CASCADE",
		"COMMENT ON TABLE a.b IS 'x'":                          "COMMENT ON TABLE `p__main__a`.`b` IS 'x'",
		"TRUNCATE TABLE a.b":                                   "TRUNCATE TABLE `p__main__a`.`b`",
		"RESTORE TABLE a.b TO VERSION AS OF 1":                 "RESTORE TABLE `p__main__a`.`b` TO VERSION AS OF 1",
		"SELECT current_catalog(), current_schema()":           "SELECT 'main' AS `current_catalog()`, 'default' AS `current_schema()`",
		"SELECT concat(current_database(), 'x')":               "SELECT concat('default', 'x')",
		"SELECT * FROM main.information_schema.tables":         "SELECT * FROM (INFO main/tables) AS `tables`",
		"SELECT c.x FROM main.information_schema.columns AS c": "SELECT c.x FROM (INFO main/columns) AS c",
		"SELECT columns.x, information_schema.columns.y FROM information_schema.columns WHERE 1": "SELECT columns.x, `columns`.y FROM (INFO main/columns) AS `columns` WHERE 1",
	} {
		if got := run(t, in).Text; got != want {
			t.Errorf("%s\n got %s\nwant %s", in, got, want)
		}
	}
}

func TestParametersAreBound(t *testing.T) {
	t.Parallel()
	text := func(s string) *string { return &s }
	got := run(t, "SELECT ?, '?', ? -- ?\n, :a, x::INT, `:a`, :a",
		warehouse.Parameter{Type: "STRING", Value: text(`it's \ a "q"`)}, warehouse.Parameter{Type: "BIGINT", Value: text("-5")},
		warehouse.Parameter{Name: "A", Type: "TIMESTAMP", Value: text("2024-01-01 00:00:00")}).Text
	want := "SELECT 'it\\'s \\\\ a \"q\"', '?', -5L -- ?\n, CAST('2024-01-01 00:00:00' AS TIMESTAMP), x::INT, `:a`, CAST('2024-01-01 00:00:00' AS TIMESTAMP)"
	if got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if got := run(t, "SELECT :`a-b`", warehouse.Parameter{Name: "a-b", Type: "INT", Value: text("7")}).Text; got != "SELECT 7" {
		t.Errorf("got %s", got)
	}
	if got := run(t, "SELECT ?", warehouse.Parameter{Type: "VOID"}).Text; got != "SELECT NULL" {
		t.Errorf("got %s", got)
	}
	// A marker without a value stays; Spark refuses it.
	if got := run(t, "SELECT ?, :a").Text; got != "SELECT ?, :a" {
		t.Errorf("got %s", got)
	}
	for _, bad := range []warehouse.Parameter{{Type: "INT) --", Value: text("1")}, {Type: "STRING", Value: text("left over")}} {
		tokens, err := syntax.Lex("SELECT 1")
		if bad.Type != "STRING" {
			tokens, err = syntax.Lex("SELECT ?")
		}
		if err != nil {
			t.Fatal(err)
		}
		_, err = rewrite.Rewrite("SELECT ?", tokens, rewrite.Env{Names: rewrite.NewNames("p"), Parameters: rewrite.NewParameters([]warehouse.Parameter{bad})})
		if shaped := (*warehouse.Error)(nil); !errors.As(err, &shaped) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

// IDENTIFIER takes a constant text wherever a name stands.
func TestIdentifierClausesAreMapped(t *testing.T) {
	t.Parallel()
	text := func(s string) *string { return &s }
	table := warehouse.Parameter{Name: "t", Type: "STRING", Value: text("a.b.`c-1`")}
	first, second := warehouse.Parameter{Type: "STRING", Value: text("s")}, warehouse.Parameter{Type: "INT", Value: text("2")}
	for in, want := range map[string]string{
		"SELECT * FROM IDENTIFIER(:t) x":                             "SELECT * FROM `p__a__b`.`c_x00002d1` x",
		"SELECT * FROM IDENTIFIER(concat('main.', 's' || '.t'))":     "SELECT * FROM `p__main__s`.`t`",
		"INSERT INTO IDENTIFIER(:`t`) VALUES (1)":                    "INSERT INTO `p__a__b`.`c_x00002d1` VALUES (1)",
		"CREATE SCHEMA IF NOT EXISTS IDENTIFIER('other.' || 's')":    "CREATE SCHEMA IF NOT EXISTS `p__other__s`",
		"SELECT IDENTIFIER('n'), IDENTIFIER('abs')(1) FROM main.s.t": "SELECT `n`, `abs`(1) FROM `p__main__s`.`t`",
	} {
		if got := run(t, in, table).Text; got != want {
			t.Errorf("%s\n got %s\nwant %s", in, got, want)
		}
	}
	if got := run(t, "SELECT * FROM IDENTIFIER(? || '.t') WHERE x = ?", first, second).Text; got != "SELECT * FROM `p__main__s`.`t` WHERE x = 2" {
		t.Errorf("got %s", got)
	}
}

func TestNamesAreMappedBack(t *testing.T) {
	t.Parallel()
	n := rewrite.NewNames("p")
	for _, name := range [][2]string{{"main", "sales"}, {"a__b", "c"}, {"a_", "_c"}, {"a", "b__c"}, {"my-cat", "é"}, {"x_x000041", "_x"}, {"hive_metastore", "default"}, {"a_-_b", "1"}} {
		catalog, schema, ok := n.Split(n.Schema(name[0], name[1]))
		if !ok || catalog != name[0] || schema != name[1] {
			t.Errorf("%q became %q and came back as %q, %q, %v", name, n.Schema(name[0], name[1]), catalog, schema, ok)
		}
	}
	if _, _, ok := n.Split("q__main__sales"); ok {
		t.Error("got a schema of another prefix, want none")
	}
	text := "The table `spark_catalog`.`p__main__sales`.`all_x000020types` and p__main__sales.t in file:/w/p__main__sales.db/t"
	if got := n.UserText(text); got != "The table `main`.`sales`.`all types` and main.sales.t in file:/w/p__main__sales.db/t" {
		t.Error(got)
	}
}

func TestPositionsAreThoseOfTheOriginalStatement(t *testing.T) {
	t.Parallel()
	s := run(t, "SELECT *\nFROM main.sales.t WHERE\n  x ERROR")
	before, _, _ := strings.Cut(s.Text, "WHERE")
	line, pos := strings.Count(before, "\n")+1, strings.Index(strings.Split(s.Text, "\n")[1], "WHERE")
	if gotLine, gotPos := s.Position(line, pos); gotLine != 2 || gotPos != len("FROM main.sales.t ") {
		t.Errorf("got %d, %d", gotLine, gotPos)
	}
	if line, pos := s.Position(3, 4); line != 3 || pos != 4 {
		t.Errorf("got %d, %d", line, pos)
	}
	if line, pos := s.Position(2, 8); line != 2 || pos != 5 {
		t.Errorf("got %d, %d: inside a name that was mapped it is the name's beginning", line, pos)
	}
}
