package importer

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// The columns of an answer that are computed here are those that the warehouse computes,
// whatever the values are and whatever orders the rows.
func TestDerivedColumnsAreThoseOfTheWarehouse(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Shared(t)
	s.Exec(t, "CREATE SCHEMA main.derived_columns",
		"CREATE TABLE main.derived_columns.t (id BIGINT, `Full Name` STRING, `a``b` DOUBLE, raw BINARY, amount DECIMAL(20, 3), "+
			"tags ARRAY<STRING>, place STRUCT<city: STRING, at: TIMESTAMP>, day DATE, ts TIMESTAMP, seen TIMESTAMP) TBLPROPERTIES ('delta.columnMapping.mode' = 'name')",
		"INSERT INTO main.derived_columns.t SELECT id, "+
			"element_at(array('', 'plain', 'quote \" and \\\\', 'line\\nend\\r', 'é 漢字 \U0001f600', 'tab\\tnul\\u0000', '\\u2028\\ufeff', NULL), CAST(id % 8 + 1 AS INT)), "+
			"CASE WHEN id % 5 = 0 THEN double('NaN') WHEN id % 5 = 1 THEN double('-Infinity') ELSE id / 3 END, "+
			"CASE WHEN id % 4 = 0 THEN NULL ELSE unhex('00ff0a') END, CAST(id * 1000003 AS DECIMAL(20, 3)), "+
			"array('x', CAST(id AS STRING), NULL), named_struct('city', '</script>', 'at', timestamp_micros(1700000000000000 + id)), "+
			"DATE'2024-02-29', timestamp_micros(1700000000000000 + id DIV 50), "+
			"CASE WHEN id % 3 = 0 THEN NULL ELSE timestamp_micros(1600000000000000 + id) END FROM range(400)",
		"INSERT INTO main.derived_columns.t SELECT * FROM main.derived_columns.t WHERE id % 7 = 0",
		"INSERT INTO main.derived_columns.t (id) VALUES (1000), (1001)")
	wh, err := databricks.Open(t.Context(), databricks.Config{
		Host: s.Host, Port: s.Port, HTTPPath: s.HTTPPath, UserAgent: "lytics+test", LoopbackHosts: true,
		QueryTimeout: time.Minute, StartTimeout: time.Minute,
		Token: func(context.Context) (jobs.Secret, error) { return jobs.NewSecret(s.Token), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = wh.Close() })
	plain := jobs.TableImport{Catalog: "main", Database: "derived_columns", Table: "t", TimestampColumn: "ts", Stream: "s"}
	recorded, keyed, some, record := plain, plain, plain, plain
	recorded.RecordTimestampColumn = "seen"
	keyed.KeyColumns = []string{"id", "Full Name"}
	some.Columns = []string{"id", "place"}
	record.Columns, record.RecordTimestampColumn = []string{"id"}, "seen"
	for name, c := range map[string]struct {
		spec       jobs.TableImport
		generation []string
		query      rowsQuery
		answered   []string
	}{
		"all columns":                    {spec: plain, answered: []string{"lytics_ts", "lytics_row"}},
		"an event time of its own":       {spec: recorded, answered: []string{"lytics_ts", "lytics_row", "lytics_recorded"}},
		"key columns":                    {spec: keyed, answered: []string{"lytics_ts", "lytics_row", "lytics_tie"}},
		"key columns in digest order":    {spec: keyed, query: rowsQuery{byDigest: true}, answered: []string{"lytics_ts", "lytics_row", "lytics_tie"}},
		"some columns":                   {spec: some, answered: []string{"lytics_ts", "lytics_row"}},
		"a digest of more":               {spec: record, answered: []string{"lytics_ts", "lytics_digest", "lytics_row", "lytics_recorded"}},
		"a digest of other names":        {spec: some, generation: []string{"ID", "place"}, answered: []string{"lytics_ts", "lytics_digest", "lytics_row"}},
		"a digest in another order":      {spec: some, generation: []string{"place", "id"}, answered: []string{"lytics_ts", "lytics_digest", "lytics_row"}},
		"rows without a timestamp":       {spec: plain, query: rowsQuery{nulls: true, upper: 7}, answered: []string{"lytics_ts", "lytics_row", "lytics_recorded"}},
		"a digest of less than an event": {spec: plain, generation: []string{"id"}, answered: []string{"lytics_ts", "lytics_digest", "lytics_row"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &warehouse{wh: wh, spec: c.spec}
			schema, err := w.columns(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			full, err := newTable(c.spec, schema, c.generation)
			if err != nil {
				t.Fatal(err)
			}
			snap := snapshot{table: full}
			q := c.query
			q.slice = slice{from: 0, to: 1_800_000_000_000_000}
			if diff := cmp.Diff(c.answered, snap.answered(q)); diff != "" {
				t.Errorf("columns of the answer (-want +got):\n%s", diff)
			}
			r, err := snap.relation()
			if err != nil {
				t.Fatal(err)
			}
			order := "lytics_ts, lytics_digest"
			if len(r.keys) > 0 && !q.byDigest {
				order = "lytics_ts, " + strings.Join(r.keys, ", ") + ", lytics_digest"
			}
			want := texts(t, wh.Batches(t.Context(), "SELECT "+q.selected(r)+" FROM "+r.from+r.filter(q.conditions(r)...)+" ORDER BY "+order))
			got := texts(t, w.rows(t.Context(), snap, q))
			if len(want) < 2 {
				t.Fatalf("the warehouse answered %d rows", len(want))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("rows (-computed by the warehouse +computed here):\n%s", diff)
			}
		})
	}
}

// texts are the rows of an answer.
func texts(t *testing.T, answer func(func(*databricks.Batch, error) bool)) (rows []string) {
	t.Helper()
	for page, err := range answer {
		if err != nil {
			t.Fatal(err)
		}
		for i := range page.Len() {
			var row []string
			for column := range page.Columns() {
				if n, err := page.Int64s(column); err == nil {
					row = append(row, fmt.Sprint(n[i]))
				} else if text, err := page.Texts(column); err == nil {
					row = append(row, fmt.Sprintf("%q", text.At(i)))
				}
			}
			rows = append(rows, strings.Join(row, " "))
		}
	}
	return rows
}

// Rows come in the order of their timestamps, and those of one timestamp, without key columns, in
// that of the digests that the warehouse computed. If the digests of the texts that arrived are in
// another order, a text was changed on the way.
func TestRowsInAnotherOrderAreAnError(t *testing.T) {
	t.Parallel()
	spec := jobs.TableImport{Catalog: "c", Database: "d", Table: "t", TimestampColumn: "ts"}
	full, err := newTable(spec, []SourceColumn{{Name: "ts", Type: "TIMESTAMP"}, {Name: "name", Type: "STRING"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for i := range 20 {
		rows = append(rows, fakeRow{key: i}.json())
	}
	digest := func(row string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(row))) }
	slices.SortFunc(rows, func(a, b string) int { return strings.Compare(digest(a), digest(b)) })
	changed := slices.Clone(rows)
	changed[0], changed[19] = changed[19], changed[0]
	same := func(int) int64 { return 7 }
	for name, c := range map[string]struct {
		keys   []column
		rows   []string
		micros func(n int) int64
		want   string
	}{
		"as they were":            {rows: rows, micros: same},
		"a changed text":          {rows: changed, micros: same, want: "a text was changed on the way"},
		"in the order of keys":    {rows: changed, micros: same, keys: full.columns[1:]},
		"timestamps that descend": {rows: rows, micros: func(n int) int64 { return int64(100 - n) }, want: "arrived before"},
		"the same, with keys":     {rows: rows, micros: func(n int) int64 { return int64(100 - n) }, keys: full.columns[1:], want: "arrived before"},
		"timestamps that ascend":  {rows: changed, micros: func(n int) int64 { return int64(n) }},
	} {
		pages := func(yield func(*databricks.Batch, error) bool) {
			n := 0
			for part := range slices.Chunk(c.rows, 7) {
				micros := make([]int64, len(part))
				for i := range micros {
					micros[i], n = c.micros(n), n+1
				}
				if !yield(databricks.NewBatch(micros, databricks.NewTexts(part...)), nil) {
					return
				}
			}
		}
		keyed := *full
		keyed.keys = c.keys
		var failed error
		var read int
		for page, err := range (snapshot{table: &keyed}).withDerivedColumns(pages, rowsQuery{}) {
			if failed = err; err == nil {
				read += page.Len()
			}
		}
		if (failed != nil) != (c.want != "") || (failed == nil) != (read == len(rows)) {
			t.Errorf("%s: got %d rows and the error %v", name, read, failed)
		}
		if failed != nil && !strings.Contains(failed.Error(), c.want) {
			t.Errorf("%s: got the error %v, want %q", name, failed, c.want)
		}
	}
}
