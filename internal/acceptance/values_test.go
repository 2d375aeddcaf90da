package acceptance

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// decoded decodes the row of an event, with numbers as written.
func decoded(t *testing.T, e jobs.Event) map[string]any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(e.Data))
	d.UseNumber()
	var row map[string]any
	if err := d.Decode(&row); err != nil {
		t.Fatalf("%s: %v", e.Data, err)
	}
	return row
}

// jsonText encodes a value canonically: keys sorted, numbers unchanged.
func jsonText(t *testing.T, v any) string {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(b.String())
}

// checklist 7 8 14 15 16 17 18 19: every type, with the values that conversions
// often change.
func TestEveryTypeArrivesExactly(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Shared(t)
	db := database(t, s)
	columns := []struct{ name, sqlType, value, want string }{
		{"flag", "BOOLEAN", "true", `true`},
		{"tiny", "TINYINT", "CAST(-128 AS TINYINT)", `-128`},
		{"whole", "INT", "-2147483648", `-2147483648`},
		{"big", "BIGINT", "9223372036854775807", `9223372036854775807`},
		{"small big", "BIGINT", "CAST('-9223372036854775808' AS BIGINT)", `-9223372036854775808`},
		{"money", "DECIMAL(12,2)", "CAST('3.30' AS DECIMAL(12,2))", `3.30`},
		{"wide", "DECIMAL(38,18)", "CAST('12345678901234567890.123456789012345678' AS DECIMAL(38,18))", `12345678901234567890.123456789012345678`},
		{"no money", "DECIMAL(12,2)", "NULL", `null`},
		{"ratio", "DOUBLE", "CAST('0.1' AS DOUBLE)", `0.1`},
		{"nan", "DOUBLE", "CAST('NaN' AS DOUBLE)", `"NaN"`},
		{"endless", "DOUBLE", "CAST('-Infinity' AS DOUBLE)", `"-Infinity"`},
		{"single", "FLOAT", "CAST('1.5' AS FLOAT)", `1.5`},
		{"text", "STRING", `'a "quoted", \\ back\nslashed 😀 line'`, `"a \"quoted\", \\ back\nslashed 😀 line"`},
		{"empty", "STRING", "''", `""`},
		{"nothing", "STRING", "NULL", `null`},
		{"zeros", "STRING", "'00123'", `"00123"`},
		{"day", "DATE", "DATE '2024-02-29'", `"2024-02-29"`},
		{"at", "TIMESTAMP", "TIMESTAMP '2024-03-10 02:30:00.123456Z'", `"2024-03-10T02:30:00.123456Z"`},
		{"wall", "TIMESTAMP_NTZ", "TIMESTAMP_NTZ '2024-03-10 02:30:00.000001'", `"2024-03-10T02:30:00.000001"`},
		{"bytes", "BINARY", "X'00ff10'", `"` + base64.StdEncoding.EncodeToString([]byte{0, 0xff, 0x10}) + `"`},
		{"list", "ARRAY<DECIMAL(10,2)>", "array(CAST('3.30' AS DECIMAL(10,2)), NULL)", `[3.30,null]`},
		{"pairs", "MAP<STRING,BIGINT>", "map('a', 9007199254740993)", `{"a":9007199254740993}`},
		{"nested", "STRUCT<day: DATE, at: TIMESTAMP, `odd \"name`: STRING>",
			"named_struct('day', DATE '2024-02-29', 'at', TIMESTAMP '2024-03-10 02:30:00.123456Z', 'odd \"name', NULL)",
			`{"at":"2024-03-10T02:30:00.123456Z","day":"2024-02-29","odd \"name":null}`},
		{"select from `where`; --", "STRING", "'reserved'", `"reserved"`},
	}
	var definitions, values []string
	want := map[string]string{}
	for _, c := range columns {
		definitions = append(definitions, "`"+strings.ReplaceAll(c.name, "`", "``")+"` "+c.sqlType)
		values = append(values, c.value)
		want[c.name] = c.want
	}
	table := "main." + db + ".`all types`"
	s.Exec(t, fmt.Sprintf("CREATE TABLE %s (%s, ts TIMESTAMP) TBLPROPERTIES ('delta.columnMapping.mode' = 'name')", table, strings.Join(definitions, ", ")),
		fmt.Sprintf("INSERT INTO %s SELECT %s, TIMESTAMP '2024-01-01 00:00:00'", table, strings.Join(values, ", ")))
	w := newWorkspace(t, s, providerHCL+authorizationHCL+importHCL(db, "all types", ""))
	w.apply()
	events := w.events("s")
	if len(events) != 1 {
		t.Fatalf("%d events", len(events))
	}
	row := decoded(t, events[0])
	delete(row, "ts")
	for name, text := range want {
		if got := jsonText(t, row[name]); got != text {
			t.Errorf("%s: got %s, want %s", name, got, text)
		}
	}
	if len(row) != len(want) {
		t.Errorf("columns %v", slices.Sorted(maps.Keys(row)))
	}
}

// checklist 14 15 16 20: every row and column of the sandbox's example data
// equals the value that the driver reads from the table.
func TestEveryEventEqualsItsRow(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, sandboxtest.WithSeed(5000))
	hcl := strings.Replace(importHCL("sales", "customers", ""), `"ts"`, `"updated_at"`, 1)
	w := newWorkspace(t, s, providerHCL+authorizationHCL+hcl)
	w.apply()

	// The query returns every scalar as text, in the format of the events.
	columns := s.Query(t, `SELECT column_name, full_data_type FROM main.information_schema.columns
		WHERE table_schema = 'sales' AND table_name = 'customers' ORDER BY ordinal_position`)
	exprs := []string{"CAST(customer_id AS STRING)"}
	var names, kinds []string
	for _, c := range columns {
		name, kind := c[0], strings.ToLower(c[1])
		quoted := "`" + name + "`"
		expr := "CAST(" + quoted + " AS STRING)"
		switch {
		case kind == "timestamp":
			expr = "date_format(" + quoted + ", \"yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'\")"
		case kind == "timestamp_ntz":
			expr = "date_format(" + quoted + ", \"yyyy-MM-dd'T'HH:mm:ss.SSSSSS\")"
		case kind == "binary":
			expr = "base64(" + quoted + ")"
		case strings.HasPrefix(kind, "array"), strings.HasPrefix(kind, "map"), strings.HasPrefix(kind, "struct"):
			continue // TestEveryTypeArrivesExactly covers them
		}
		exprs, names, kinds = append(exprs, expr), append(names, name), append(kinds, kind)
	}
	rows := map[string][]string{}
	for _, r := range s.Query(t, "SELECT "+strings.Join(exprs, ", ")+" FROM main.sales.customers") {
		rows[r[0]] = r[1:]
	}
	nulls := s.Query(t, "SELECT count(*) FROM main.sales.customers WHERE updated_at IS NULL")
	events := w.events("s")
	if fmt.Sprint(len(rows)-len(events)) != nulls[0][0] {
		t.Fatalf("%d events of %d rows, %s of them without a timestamp", len(events), len(rows), nulls[0][0])
	}
	differences := 0
	for _, e := range events {
		got := decoded(t, e)
		row := rows[fmt.Sprint(got["customer_id"])]
		for i, name := range names {
			text := fmt.Sprint(got[name])
			if got[name] == nil {
				text = "NULL"
			}
			if text != row[i] && differences < 10 {
				differences++
				t.Errorf("customer %v, %s %s: the event says %q, the table %q", got["customer_id"], name, kinds[i], text, row[i])
			}
		}
	}
}

// awkward are strings that naive CSV conversions change.
var awkward = []string{
	`plain`, `a "quoted" word`, `"`, `""`, `a,b`, "tab\tbed", "two\nlines", "carriage\rreturn", "both\r\nends", `back\slash`, `\`, `\"`, `\N`,
	` edges `, `00123`, `=1+1`, `-5`, `NULL`, `null`, "emoji 😀", "\ufeffbom", "line\u2028sep", `'single'`, "trailing\\", `;--`, "ünïcödé 中文 עברית",
	strings.Repeat("long ", 40_000),
}

// checklist 30 32 33 34: every cell of an export equals the value in the
// profile.
func TestEveryCellOfAnExportEqualsItsProfile(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Shared(t)
	db := database(t, s)
	table := "main." + db + ".people"
	s.Exec(t, "CREATE TABLE "+table+" (id BIGINT, note STRING, spend DECIMAL(12,2), ok BOOLEAN, seen TIMESTAMP, ts TIMESTAMP)")
	want := map[string]string{}
	var rows []string
	for i, text := range awkward {
		id := fmt.Sprint(1000 + i)
		want[id] = text
		rows = append(rows, fmt.Sprintf("(%s, %s, %d.10, %t, TIMESTAMP '2024-01-01 00:00:00.000001', TIMESTAMP '2024-01-01 00:00:00')", id, sqlString(text), i, i%2 == 0))
	}
	rows = append(rows, "(1, NULL, NULL, NULL, NULL, TIMESTAMP '2024-01-01 00:00:00')", "(2, '', 0, false, NULL, TIMESTAMP '2024-01-01 00:00:00')")
	s.Exec(t, "INSERT INTO "+table+" VALUES "+strings.Join(rows, ", "))
	w := newWorkspace(t, s, providerHCL+authorizationHCL+importHCL(db, "people", "depends_on = [lytics_mapping.m]")+fieldsHCL(map[string][2]string{
		"id": {"string", "tostring(id)"}, "note": {"string", "note"}, "spend": {"number", "spend"}, "ok": {"bool", "ok"}, "seen": {"date", "todate(seen)"},
	})+exportHCL(db, "everyone", "FILTER *", `fields = ["id", "note", "spend", "ok", "seen"]`))
	w.apply()
	got := map[string][]string{}
	for _, r := range s.Query(t, fmt.Sprintf(`SELECT id, note, CAST(spend AS STRING), CAST(ok AS STRING),
		date_format(seen, "yyyy-MM-dd'T'HH:mm:ss.SSSSSS") FROM main.%s.lytics_user_everyone`, db)) {
		got[r[0]] = r[1:]
	}
	if len(got) != len(want)+2 {
		t.Fatalf("%d rows, want %d", len(got), len(want)+2)
	}
	for i := range awkward {
		id := fmt.Sprint(1000 + i)
		if len(got[id]) == 0 {
			t.Errorf("no row %s (%q)", id, awkward[i])
			continue
		}
		if got[id][0] != want[id] {
			t.Errorf("row %s: got %q, want %q", id, got[id][0], want[id])
		}
		if got[id][1] != fmt.Sprintf("%d.1", i) || got[id][2] != fmt.Sprint(i%2 == 0) || got[id][3] != "2024-01-01T00:00:00.000001" {
			t.Errorf("row %s: got %q", id, got[id])
		}
	}
	if got["1"][0] != "NULL" || got["1"][1] != "NULL" || got["1"][2] != "NULL" || got["1"][3] != "NULL" {
		t.Errorf("NULLs came back as %q", got["1"])
	}
	if empty := s.Query(t, fmt.Sprintf("SELECT note = '' FROM main.%s.lytics_user_everyone WHERE id = '2'", db)); empty[0][0] != "true" {
		t.Errorf("the empty string came back as %q", got["2"])
	}
	types := s.Query(t, fmt.Sprintf("SELECT column_name, full_data_type FROM main.information_schema.columns WHERE table_schema = '%s' AND table_name = 'lytics_user_everyone' ORDER BY ordinal_position", db))
	if text := strings.ToUpper(fmt.Sprint(types)); text != "[[ID STRING] [NOTE STRING] [SPEND DOUBLE] [OK BOOLEAN] [SEEN TIMESTAMP]]" {
		t.Errorf("types %s", text)
	}
	wantNothingLeft(t, s, db)
	w.wantNoChanges()
}

// checklist 32: a CSV reader must not use a line end within the first value as
// the record separator. (Apache Spark does, unless the separator is set.)
func TestLineEndsInEveryValueAreExact(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Shared(t)
	db := database(t, s)
	table := "main." + db + ".people"
	s.Exec(t, "CREATE TABLE "+table+" (id BIGINT, note STRING, ts TIMESTAMP)",
		"INSERT INTO "+table+` VALUES (1, 'a\r\nb', TIMESTAMP '2024-01-01 00:00:00'), (2, 'c\r\n', TIMESTAMP '2024-01-01 00:00:00'), (3, '\r', TIMESTAMP '2024-01-01 00:00:00')`)
	w := newWorkspace(t, s, providerHCL+authorizationHCL+importHCL(db, "people", "depends_on = [lytics_mapping.m]")+fieldsHCL(map[string][2]string{
		"id": {"string", "tostring(id)"}, "note": {"string", "note"},
	})+exportHCL(db, "everyone", "FILTER *", `fields = ["note", "id"]`))
	w.apply()
	got := s.Query(t, fmt.Sprintf("SELECT note FROM main.%s.lytics_user_everyone ORDER BY id", db))
	if fmt.Sprintf("%q", got) != `[["a\r\nb"] ["c\r\n"] ["\r"]]` {
		t.Errorf("got %q", got)
	}
}

// wantNothingLeft asserts that exports left no load table behind.
func wantNothingLeft(t *testing.T, s *sandboxtest.Sandbox, db string) {
	t.Helper()
	for _, r := range s.Query(t, "SHOW TABLES IN main."+db) {
		if strings.Contains(strings.Join(r, " "), "lytics_load_") {
			t.Errorf("a load table was left: %v", r)
		}
	}
}

func sqlString(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`, "\r", `\r`).Replace(text) + "'"
}

// fieldsHCL declares fields with mappings from stream s; id is the identifier.
func fieldsHCL(fields map[string][2]string) string {
	var b strings.Builder
	b.WriteString("locals {\n  fields = {\n")
	for _, id := range slices.Sorted(maps.Keys(fields)) {
		fmt.Fprintf(&b, "    %q = { type = %q, expression = %q }\n", id, fields[id][0], fields[id][1])
	}
	b.WriteString(`  }
}
resource "lytics_field" "f" {
  for_each        = local.fields
  id              = each.key
  type            = each.value.type
  is_identifier   = each.key == "id"
  merge_operation = "latest"
}
resource "lytics_mapping" "m" {
  for_each   = local.fields
  stream     = "s"
  field      = lytics_field.f[each.key].id
  expression = each.value.expression
}
`)
	return b.String()
}

// exportHCL exports an audience into main.DATABASE.lytics_user_SLUG.
func exportHCL(database, slug, filter, extra string) string {
	return fmt.Sprintf(`
resource "lytics_audience" %[2]q {
  name       = %[2]q
  slug       = %[2]q
  filter     = %[3]q
  depends_on = [lytics_field.f]
}
resource "lytics_databricks_audience_export" %[2]q {
  label            = "export"
  authorization_id = lytics_databricks_authorization.w.id
  audience_id      = lytics_audience.%[2]s.id
  catalog          = "main"
  database         = %[1]q
  %[4]s
  depends_on = [lytics_databricks_table_import.i]
}
`, database, slug, filter, extra)
}
