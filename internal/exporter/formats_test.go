package exporter_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/exporter"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// fileKinds are all formats with their compressions.
var fileKinds = []jobs.AudienceExport{
	{Format: jobs.FormatCSV},
	{Format: jobs.FormatCSV, Compression: jobs.CompressionNone},
	{Format: jobs.FormatParquet},
	{Format: jobs.FormatParquet, Compression: jobs.CompressionGzip},
	{Format: jobs.FormatParquet, Compression: jobs.CompressionNone},
}

func kindOf(k jobs.AudienceExport) func(*exporter.Export) {
	return spec(func(s *jobs.AudienceExport) { s.Format, s.Compression = k.Format, k.Compression })
}

// hostile are pieces of text that formats and readers trip over.
var hostile = []string{
	`"`, `""`, `,`, "\t", "\n", "\r", "\r\n", `\`, `\"`, `\N`, "\x00", "\ufeff", "\u2028", "😀", "é", "é", " ", "'", "--", ";", "00123", "-5", "=1+1", "@x", "NULL",
	"null", "true", "1e400", "plain", "{", "}", `{"a":[1,"x,\"y"]}`, "2024-01-01", "\x7f", "\u0085",
}

func hostileText(r *rand.Rand) string {
	var b strings.Builder
	for range r.IntN(8) {
		b.WriteString(hostile[r.IntN(len(hostile))])
	}
	if r.IntN(200) == 0 {
		return strings.Repeat(b.String()+"long ", 4000)
	}
	return b.String()
}

// checklist 15 32 33 34 35: seeded hostile values of every type come back as
// they were, by every format and compression.
func TestHostileValuesComeBackExactly(t *testing.T) {
	t.Parallel()
	for i, kind := range fileKinds {
		t.Run(fmt.Sprintf("%s-%s", kind.Format, kind.Compression), func(t *testing.T) {
			t.Parallel()
			b := newBed(t, sandboxtest.Shared(t))
			r := rand.New(rand.NewPCG(7, uint64(i)))
			audience := people{fields: fields("id", "string", "note", "string", "age", "int", "spend", "number", "ok", "bool", "seen", "date", "tags", "[]string")}
			want := map[string][]string{}
			for n := range 400 {
				cells := []string{
					fmt.Sprintf("%05d", n), hostileText(r),
					pick(r, "-9223372036854775808", "9223372036854775807", "0", "-7", fmt.Sprint(r.Int64())),
					pick(r, "0.1", "-2.5", "1e300", "123456789.125", "0"),
					pick(r, "true", "false"),
					fmt.Sprintf("2%03d-02-28T23:59:59.%06dZ", r.IntN(1000), r.IntN(1_000_000)),
					pick(r, `["a","b,\"c"]`, `[]`, `[""]`),
				}
				for c := 1; c < len(cells); c++ {
					if r.IntN(6) == 0 {
						cells[c] = null
					}
				}
				audience.rows = append(audience.rows, row(cells...))
				want[cells[0]] = cells[1:]
			}
			b.run(audience, kindOf(kind), func(e *exporter.Export) { e.FileBytes = 4 << 10 })
			got := b.query(`SELECT id, note, CAST(age AS STRING), CAST(CAST(spend AS DECIMAL(38,3)) AS STRING), CAST(ok AS STRING), date_format(seen, "yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'"), tags, spend = 1e300 FROM ` +
				b.table() + " WHERE spend IS NULL OR spend < 1e100")
			got = append(got, b.query(`SELECT id, note, CAST(age AS STRING), '1e300', CAST(ok AS STRING), date_format(seen, "yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'"), tags, spend = 1e300 FROM `+
				b.table()+" WHERE spend > 1e100 AND spend = 1e300")...)
			if len(got) != len(want) {
				t.Fatalf("%d rows, want %d", len(got), len(want))
			}
			for _, g := range got {
				w := slices.Clone(want[g[0]])
				for c := range w {
					if w[c] == null {
						w[c] = "NULL"
					}
				}
				if w[2] != "NULL" && w[2] != "1e300" {
					w[2] = map[string]string{"0.1": "0.100", "-2.5": "-2.500", "123456789.125": "123456789.125", "0": "0.000"}[w[2]]
				}
				if !slices.Equal(g[1:7], w) {
					t.Errorf("row %s:\n got %q\nwant %q", g[0], g[1:7], w)
				}
			}
			nulls := b.query("SELECT count(*) FROM " + b.table() + " WHERE note IS NULL")[0][0]
			wanted := 0
			for _, w := range want {
				if w[0] == null {
					wanted++
				}
			}
			if nulls != fmt.Sprint(wanted) {
				t.Errorf("%s notes are NULL, want %d", nulls, wanted)
			}
			if got := b.types(); got != "id STRING, note STRING, age BIGINT, spend DOUBLE, ok BOOLEAN, seen TIMESTAMP, tags STRING" {
				t.Errorf("types %s", got)
			}
			if b.progress.counts.RowsRead != 400 || b.progress.counts.RowsWritten != 400 || b.progress.counts.Bytes == 0 {
				t.Errorf("counts %+v", b.progress.counts)
			}
		})
	}
}

func pick(r *rand.Rand, from ...string) string { return from[r.IntN(len(from))] }

// checklist 29: an explicit list of at most 1,000 files a statement, never
// force; each file is loaded once.
func TestMoreThanAThousandFilesTakeSeveralStatements(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	b := newBed(t, s)
	audience := people{fields: fields("id", "int", "pad", "string")}
	// A piece is at most 2048 rows and a file at least a piece.
	const files = 1003
	pad := strings.Repeat("x", 1024)
	for n := range files * 512 {
		audience.rows = append(audience.rows, row(fmt.Sprint(n), pad[:1000+n%24]))
	}
	b.run(audience, func(e *exporter.Export) { e.FileBytes = 1 })
	var copies int
	seen := map[string]bool{}
	for _, st := range s.Statements(t) {
		if !strings.HasPrefix(st.Text, "COPY INTO") {
			continue
		}
		copies++
		_, list, _ := strings.Cut(st.Text, "FILES = (")
		list, rest, _ := strings.Cut(list, ")")
		names := strings.Split(list, ", ")
		if len(names) > 1000 || !strings.Contains(rest, "'force' = 'false'") {
			t.Errorf("%d files in a statement, with %s", len(names), rest)
		}
		for _, n := range names {
			if seen[n] {
				t.Errorf("%s is loaded twice", n)
			}
			seen[n] = true
		}
	}
	if copies < 2 || len(seen) < 1001 {
		t.Errorf("%d statements with %d files", copies, len(seen))
	}
	if got := b.query("SELECT count(*), count(DISTINCT id) FROM " + b.table())[0]; got[0] != fmt.Sprint(files*512) || got[1] != got[0] {
		t.Errorf("loaded %v", got)
	}
}

// checklist 34: inference is a choice, with the traps that it has.
func TestInferredTypesAreTheWarehousesGuess(t *testing.T) {
	t.Parallel()
	b := newBed(t, sandboxtest.Shared(t))
	inferred := spec(func(s *jobs.AudienceExport) { s.ColumnTypes = jobs.ColumnTypesInferred })
	audience := people{
		fields: fields("user id", "string", "zip", "string", "big", "string", "none", "string", "ok", "bool", "seen", "date", "note", "string"),
		rows: [][]jobs.Value{
			row("1", "00123", "9223372036854775808", null, "true", "2024-01-01T00:00:00.000001Z", "a \"b\",\r\n\\"),
			row("2", "00007", "1", null, "false", "2024-02-29T12:00:00.500000Z", null),
		},
	}
	b.run(audience, inferred)
	if got := b.types(); got != "user id INT, zip INT, big DECIMAL(19,0), none STRING, ok BOOLEAN, seen TIMESTAMP, note STRING" {
		t.Errorf("types %s", got)
	}
	rows := b.query("SELECT `user id`, zip, CAST(big AS STRING), none, date_format(seen, \"yyyy-MM-dd'T'HH:mm:ss.SSSSSS\"), note FROM " + b.table() + " ORDER BY 1")
	if got := fmt.Sprintf("%q", rows); got != `[["1" "123" "9223372036854775808" "NULL" "2024-01-01T00:00:00.000001" "a \"b\",\r\n\\"] ["2" "7" "1" "NULL" "2024-02-29T12:00:00.500000" "NULL"]]` {
		t.Errorf("rows %s", got)
	}
	// Other values, other types; and nothing to infer from gives the declared.
	audience.rows = [][]jobs.Value{row("x", "AB1", "1", "y", "true", null, "n")}
	b.run(audience, inferred)
	if got := b.types(); got != "user id STRING, zip STRING, big INT, none STRING, ok BOOLEAN, seen STRING, note STRING" {
		t.Errorf("types %s", got)
	}
	audience.rows = nil
	b.run(audience, inferred)
	if got := b.types(); got != "user id STRING, zip STRING, big STRING, none STRING, ok BOOLEAN, seen TIMESTAMP, note STRING" {
		t.Errorf("types %s", got)
	}
}

// An audience without members gives a table with its columns and no rows, also
// where there was a full one.
func TestAnEmptyAudienceGivesAnEmptyTypedTable(t *testing.T) {
	t.Parallel()
	for _, kind := range fileKinds[:3] {
		b := newBed(t, sandboxtest.Shared(t))
		audience := people{fields: fields("id", "int", "a b", "date")}
		b.run(audience, kindOf(kind))
		if got := b.types() + fmt.Sprint(b.query("SELECT count(*) FROM "+b.table())); got != "id BIGINT, a b TIMESTAMP[[0]]" {
			t.Errorf("%s", got)
		}
		audience.rows = [][]jobs.Value{row("1", null)}
		b.run(audience, kindOf(kind))
		audience.rows = nil
		b.run(audience, kindOf(kind))
		if got := fmt.Sprint(b.query("SELECT count(*) FROM " + b.table())); got != "[[0]]" {
			t.Errorf("%s", got)
		}
	}
}

// checklist 13 14: names with spaces and symbols are kept, with column mapping
// only where a name needs it; names that differ by case are refused.
func TestColumnNames(t *testing.T) {
	t.Parallel()
	odd := []string{"plain", "user id", "a,b;c", "x{y}=(z)", "back`tick", "quote\"d", "select", "ünï", "1st", "dot.ted", "😀"}
	for _, kind := range []jobs.AudienceExport{fileKinds[0], fileKinds[2]} {
		b := newBed(t, sandboxtest.Shared(t))
		var pairs, cells []string
		for i, n := range odd {
			pairs, cells = append(pairs, n, "string"), append(cells, fmt.Sprint("v", i))
		}
		b.run(people{fields: fields(pairs...), rows: [][]jobs.Value{row(cells...)}}, kindOf(kind))
		if got := b.query("SELECT * FROM " + b.table()); !slices.Equal(got[0], cells) {
			t.Errorf("got %q", got)
		}
		properties := func() map[string]string {
			all := map[string]string{}
			for _, r := range b.query("SHOW TBLPROPERTIES " + b.table()) {
				all[r[0]] = r[1]
			}
			return all
		}
		if p := properties(); p["delta.columnMapping.mode"] != "name" || p["lytics.job_id"] != "jb_test" {
			t.Errorf("properties %v", slices.Sorted(maps.Keys(p)))
		}
		b.query("DROP TABLE " + b.table())
		b.run(people{fields: fields("plain", "string")}, kindOf(kind))
		if p := properties(); p["delta.columnMapping.mode"] != "" {
			t.Errorf("a table without odd names has column mapping %q", p["delta.columnMapping.mode"])
		}
	}
	b := newBed(t, sandboxtest.Shared(t))
	err := b.export(people{fields: fields("Name", "string", "name", "string")}).Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), `"Name" and "name" differ only by case`) || !jobs.IsCode(err, jobs.CodeInvalid) {
		t.Errorf("got %v", err)
	}
}

// A value that is none of its column's type fails the run in both formats, and
// the message does not repeat the value.
func TestAValueThatDoesNotFitFailsTheRun(t *testing.T) {
	t.Parallel()
	for _, kind := range []jobs.AudienceExport{fileKinds[0], fileKinds[2]} {
		b := newBed(t, sandboxtest.Shared(t))
		b.run(people{fields: fields("id", "int"), rows: [][]jobs.Value{row("1")}}, kindOf(kind))
		if err := b.export(people{fields: fields("id", "int"), rows: [][]jobs.Value{row("2"), row("12x")}}, kindOf(kind)).Run(t.Context()); err == nil {
			t.Errorf("%s: no error", kind.Format)
		}
		if got := fmt.Sprint(b.query("SELECT id FROM " + b.table())); got != "[[1]]" {
			t.Errorf("%s: the table has %s", kind.Format, got)
		}
		b.wantNothingLeft()
	}
}
