package seed_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/seed"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

func open(t *testing.T) (*duck.Engine, warehouse.Session) {
	t.Helper()
	e, err := duck.Open(t.Context(), duck.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	s, err := e.OpenSession(t.Context(), warehouse.SessionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return e, s
}

// row returns the first row of a query, its values joined by bars.
func row(t *testing.T, s warehouse.Session, query string) string {
	t.Helper()
	r, err := s.Execute(t.Context(), query, nil)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer func() { _ = r.Close() }()
	b, err := r.Next(t.Context())
	if errors.Is(err, io.EOF) {
		return ""
	}
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer b.Release()
	values := make([]string, b.NumCols())
	for i := range values {
		values[i] = b.Column(i).ValueStr(0)
	}
	return strings.Join(values, " | ")
}

func TestTables(t *testing.T) {
	t.Parallel()
	_, s := open(t)
	var told []string
	if err := seed.Tables(t.Context(), s, 5000, func(p string) { told = append(told, p) }); err != nil {
		t.Fatal(err)
	}
	if len(told) == 0 || told[0] != "seeding main.sales.customers: 5,000 rows" {
		t.Errorf("got the progress %q", told)
	}
	digest := "SELECT sha2(string_agg(d, ',') WITHIN GROUP (ORDER BY d), 256) FROM (SELECT sha2(to_json(struct(*)), 256) AS d FROM main.sales.customers)"
	first := row(t, s, digest)
	for query, want := range map[string]string{
		"SELECT count(*), count(DISTINCT customer_id), count(DISTINCT email) FROM main.sales.customers": "5000 | 5000 | 5000",
		"SELECT count(*) FROM main.sales.orders":                                                        "10000",
		"SELECT count(*) FROM marketing.`e-mail`.`Survey Results (2024)` WHERE `user id` > 0":           "500",
		"SELECT count(*) > 0 FROM marketing.web.vip_customers":                                          "true",
		"SELECT count_if(updated_at IS NULL), count(DISTINCT updated_at) < 1000, max(n) >= 25 FROM main.sales.customers, (SELECT count(*) AS n FROM main.sales.customers GROUP BY updated_at) GROUP BY ALL HAVING count_if(updated_at IS NULL) = 0": "0 | true | true",
		"SELECT max(big_number), min(big_number), bool_or(isnan(score)), bool_or(score = double('Infinity')), bool_or(postal_code LIKE '00%') FROM main.sales.customers":                                                                            "9223372036854775807 | -9223372036854775806 | true | true | true",
		"SELECT bool_or(notes LIKE '%\\n%'), bool_or(notes LIKE '%\\r\\n%'), bool_or(notes LIKE '%\"%'), bool_or(notes LIKE '%😀%'), bool_or(size(tags) = 0), bool_or(address.geo.lat < 0) FROM main.sales.customers":                                "true | true | true | true | true | true",
		"SELECT greatest(max(c.updated_at), max(signed_up), (SELECT max(updated_at) FROM main.sales.orders), (SELECT max(seen_at) FROM marketing.web.page_views)) < TIMESTAMP '2025-07-01 00:00:00' FROM main.sales.customers c":                    "true",
	} {
		if got := row(t, s, query); got != want {
			t.Errorf("%s\n got %s\nwant %s", query, got, want)
		}
	}
	// Seeding again changes nothing, and another engine gets the same data.
	if err := seed.Tables(t.Context(), s, 5000, nil); err != nil {
		t.Fatal(err)
	}
	_, other := open(t)
	if err := seed.Tables(t.Context(), other, 5000, nil); err != nil {
		t.Fatal(err)
	}
	if again, elsewhere := row(t, s, digest), row(t, other, digest); again != first || elsewhere != first {
		t.Errorf("got the digests %s, %s and %s, want equal ones", first, again, elsewhere)
	}
}

func TestLoad(t *testing.T) {
	t.Parallel()
	e, s := open(t)
	file := filepath.Join(t.TempDir(), "people.csv")
	if err := os.WriteFile(file, []byte("id,name\n007,Zoë\n008,O'Neil\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := seed.Load(t.Context(), e, "new.people.list", file); err != nil {
		t.Fatal(err)
	}
	if got, want := row(t, s, "SELECT min(id), max(name), count(*) FROM new.people.list"), "7 | Zoë | 2"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, bad := range []string{"list", "a.b", "a.b.c.d", "a.b.c; DROP"} {
		if err := seed.Load(t.Context(), e, bad, file); err == nil {
			t.Errorf("got no error for the name %q", bad)
		}
	}
	if err := seed.Load(t.Context(), e, "a.b.c", file+".txt"); err == nil {
		t.Error("got no error for a missing file")
	}
}
