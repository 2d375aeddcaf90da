package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func columnsOf(pairs ...string) (all []column) {
	for i := 0; i < len(pairs); i += 2 {
		all = append(all, column{pairs[i], pairs[i+1]})
	}
	return all
}

// noCounts fails: a name has to decide.
func noCounts([]column) ([]int64, error) { return nil, errors.New("counted") }

func TestTheTimestampIsChosenByTypeAndName(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		all    []column
		wanted string
		want   string
		err    string
	}{
		"the time that changes":   {columnsOf("created_at", "TIMESTAMP", "updated_at", "TIMESTAMP"), "", "updated_at", ""},
		"a time before a date":    {columnsOf("day", "DATE", "at", "TIMESTAMP_NTZ"), "", "at", ""},
		"a date":                  {columnsOf("id", "BIGINT", "Signed Up", "DATE"), "", "Signed Up", ""},
		"a birthday is no time":   {columnsOf("birth_date", "DATE"), "", "", ""},
		"none":                    {columnsOf("id", "BIGINT"), "", "", ""},
		"wanted, in other case":   {columnsOf("Day", "DATE", "updated_at", "TIMESTAMP"), "day", "Day", ""},
		"wanted, and not there":   {columnsOf("id", "BIGINT"), "at", "", "its columns are id (BIGINT)"},
		"wanted, of another type": {columnsOf("at", "STRING"), "at", "", "the column is STRING"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, ok, err := chooseTimestamp(c.all, c.wanted)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("got %v, want an error with %q", err, c.err)
				}
				return
			}
			if err != nil || got.name != c.want || ok != (c.want != "") {
				t.Errorf("got %q, %t, %v; want %q", got.name, ok, err, c.want)
			}
		})
	}
}

func TestTheIdentifierIsChosenByNameOrValues(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		all      []column
		wanted   string
		distinct func([]column) ([]int64, error)
		want     string
		err      string
	}{
		"e-mail":                  {columnsOf("order_id", "BIGINT", "Email", "STRING", "customer_id", "BIGINT"), "", noCounts, "Email", ""},
		"a customer's id":         {columnsOf("order_id", "BIGINT", "customer_id", "BIGINT"), "", noCounts, "customer_id", ""},
		"id before another id":    {columnsOf("shop_id", "BIGINT", "ID", "STRING"), "", noCounts, "ID", ""},
		"any id":                  {columnsOf("amount", "DOUBLE", "order_id", "BIGINT"), "", noCounts, "order_id", ""},
		"an id of another type":   {columnsOf("id", "DOUBLE", "name", "STRING"), "", func([]column) ([]int64, error) { return []int64{3}, nil }, "name", ""},
		"the most values":         {columnsOf("city", "STRING", "amount", "DOUBLE", "name", "STRING"), "", func([]column) ([]int64, error) { return []int64{2, 9}, nil }, "name", ""},
		"wanted":                  {columnsOf("email", "STRING", "city", "STRING"), "CITY", noCounts, "city", ""},
		"wanted, and not there":   {columnsOf("email", "STRING"), "mail", noCounts, "", "its columns are email (STRING)"},
		"wanted, of another type": {columnsOf("email", "STRING", "d", "DATE"), "d", noCounts, "", "the column is DATE"},
		"none":                    {columnsOf("d", "DATE"), "", noCounts, "", "no column can identify"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := chooseIdentifier(c.all, c.wanted, c.distinct)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("got %v, want an error with %q", err, c.err)
				}
				return
			}
			if err != nil || got.name != c.want {
				t.Errorf("got %q, %v; want %q", got.name, err, c.want)
			}
		})
	}
}

func TestEachSimpleColumnBecomesAField(t *testing.T) {
	t.Parallel()
	all := columnsOf("Full Name", "STRING", "full_name", "STRING", "2nd", "INT", "customer_id", "BIGINT", "price", "DECIMAL(10,2)",
		"ok", "BOOLEAN", "at", "TIMESTAMP_NTZ", "tags", "ARRAY<STRING>", "raw", "BINARY", "a`b", "DOUBLE", "größe", "DOUBLE")
	fields, ids, without := fieldsOf(all, all[3])
	want := map[string]field{
		"customer_id": {"string", "tostring(`customer_id`)", true},
		"full_name":   {"string", "`Full Name`", false}, "full_name_2": {"string", "`full_name`", false},
		"f_2nd": {"int", "`2nd`", false}, "price": {"number", "`price`", false}, "ok": {"bool", "`ok`", false},
		"at": {"date", "`at`", false}, "a_b": {"number", "`a``b`", false}, "gr_e": {"number", "`größe`", false},
	}
	if d := cmp.Diff(want, fields); d != "" {
		t.Errorf("fields (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"customer_id", "full_name", "full_name_2", "f_2nd", "price", "ok", "at", "a_b", "gr_e"}, ids); d != "" {
		t.Errorf("ids (-want +got):\n%s", d)
	}
	if d := cmp.Diff("tags (ARRAY<STRING>), raw (BINARY)", list(without)); d != "" {
		t.Errorf("columns without a field (-want +got):\n%s", d)
	}
	many := columnsOf("id", "STRING")
	for range 2 * mostFields {
		many = append(many, column{"c", "INT"})
	}
	if fields, ids, without := fieldsOf(many, many[0]); len(fields) != mostFields || len(ids) != mostFields || len(without) != mostFields+1 {
		t.Errorf("of %d columns there are %d fields, want %d", len(many), len(fields), mostFields)
	}
}

func TestAFileNamesItsTable(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{
		"/a/Orders 2025.csv": "orders_2025", "x.PARQUET": "x", "2025.csv.gz": "f_2025", "--.csv": "f", "orders.json": "", "orders": "",
	} {
		if got, ok := tableName(file); got != want || ok != (want != "") {
			t.Errorf("%s: got %q, %t; want %q", file, got, ok, want)
		}
	}
}
