package duck_test

import (
	"errors"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// SQLAlchemy writes each parameter in back-quotes.
func TestParametersInBackQuotes(t *testing.T) {
	t.Parallel()
	b := open(t, duck.Options{})
	value := "it's"
	got, err := run(b.session, "SELECT :`a-b` AS x, :`c` AS y", param("a-b", "STRING", &value), param("C", "INT", nil))
	if err != nil || joined(got.rows[0]) != "it's | NULL" {
		t.Fatalf("%v, %v", got, err)
	}
	if _, err := run(b.session, "SELECT : `a`", param("a", "STRING", &value)); err == nil {
		t.Error("a marker with a space after the colon was accepted")
	}
}

// IDENTIFIER takes a constant text wherever a name of a table, schema, column or
// function stands.
func TestIdentifierClause(t *testing.T) {
	t.Parallel()
	b := open(t, duck.Options{})
	b.exec("CREATE SCHEMA shop", "CREATE TABLE shop.`odd name` (id INT, n INT)", "INSERT INTO shop.`odd name` VALUES (1, 5), (2, 7)")
	text := func(s string) *string { return &s }
	for _, c := range []struct {
		statement string
		params    []warehouse.Parameter
		want      string
	}{
		{"SELECT max(id) FROM IDENTIFIER('main.shop.`odd name`')", nil, "2"},
		{"SELECT max(id) FROM IDENTIFIER(:t)", []warehouse.Parameter{param("t", "STRING", text("main.shop.`odd name`"))}, "2"},
		{"SELECT max(id) FROM IDENTIFIER(:`s` || '.' || :`t`)",
			[]warehouse.Parameter{param("s", "STRING", text("shop")), param("t", "STRING", text("`odd name`"))}, "2"},
		{"SELECT max(id) FROM IDENTIFIER(concat(?, '.', ?)) WHERE id < ?",
			[]warehouse.Parameter{param("", "STRING", text("shop")), param("", "STRING", text("`odd name`")), param("", "INT", text("2"))}, "1"},
		{"SELECT IDENTIFIER(:c) FROM shop.`odd name` WHERE IDENTIFIER(:c) > 6", []warehouse.Parameter{param("c", "STRING", text("n"))}, "7"},
		{"SELECT IDENTIFIER('abs')(-3)", nil, "3"},
		{"INSERT INTO IDENTIFIER(:t) VALUES (3, 9)", []warehouse.Parameter{param("t", "STRING", text("shop.`odd name`"))}, "1 | 1"},
		{"DESCRIBE TABLE IDENTIFIER(:t)", []warehouse.Parameter{param("t", "STRING", text("shop.`odd name`"))}, "id | int | NULL"},
		{"SHOW TABLES IN IDENTIFIER(:s)", []warehouse.Parameter{param("s", "STRING", text("main.shop"))}, "shop | odd name | false"},
	} {
		got, err := run(b.session, c.statement, c.params...)
		if err != nil || joined(got.rows[0]) != c.want {
			t.Errorf("%s: %v, %v, want %s", c.statement, got, err, c.want)
		}
	}
	for statement, class := range map[string]string{
		"SELECT * FROM IDENTIFIER(:missing)":          "UNBOUND_SQL_PARAMETER",
		"SELECT * FROM IDENTIFIER(:null)":             "NOT_A_CONSTANT_STRING.NULL",
		"SELECT * FROM IDENTIFIER('a' || lower('B'))": "NOT_A_CONSTANT_STRING.NOT_CONSTANT",
		"SELECT * FROM IDENTIFIER('a b')":             "PARSE_SYNTAX_ERROR",
	} {
		_, err := run(b.session, statement, param("null", "STRING", nil))
		if e := (*warehouse.Error)(nil); !errors.As(err, &e) || e.Class != class {
			t.Errorf("%s: %v, want %s", statement, err, class)
		}
	}
}

// dbt's first connection names the schema that it then creates.
func TestASessionMayNameASchemaThatDoesNotExist(t *testing.T) {
	t.Parallel()
	b := open(t, duck.Options{})
	b.session = b.open(warehouse.SessionOptions{Schema: "Coming"})
	b.want("SELECT current_schema()", "coming")
	b.fails("SELECT * FROM t", "TABLE_OR_VIEW_NOT_FOUND")
	b.fails("CREATE TABLE t (id INT)", "SCHEMA_NOT_FOUND")
	b.exec("CREATE SCHEMA IF NOT EXISTS coming", "CREATE TABLE t (id INT)")
	b.want("SHOW TABLES", "coming | t | false")
}
