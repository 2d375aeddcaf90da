package exporter_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/exporter"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// fileFormats are all formats and their compressions.
var fileFormats = []jobs.AudienceExport{
	{Format: jobs.FormatCSV},
	{Format: jobs.FormatCSV, Compression: jobs.CompressionNone},
	{Format: jobs.FormatParquet},
	{Format: jobs.FormatParquet, Compression: jobs.CompressionGzip},
	{Format: jobs.FormatParquet, Compression: jobs.CompressionNone},
}

// withFormat sets the format and compression of an export.
func withFormat(k jobs.AudienceExport) func(*exporter.Export) {
	return spec(func(s *jobs.AudienceExport) { s.Format, s.Compression = k.Format, k.Compression })
}

// hostile are texts that file formats and their readers often get wrong.
var hostile = []string{
	`"`, `""`, `,`, "\t", "\n", "\r", "\r\n", `\`, `\"`, `\N`, "\x00", "\ufeff", "\u2028", "😀", "é", "é", " ", "'", "--", ";", "00123", "-5", "=1+1", "@x", "NULL",
	"null", "true", "1e400", "plain", "{", "}", `{"a":[1,"x,\"y"]}`, "2024-01-01", "\x7f", "\u0085",
}

// hostileText concatenates some of them.
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

// checklist 15 32 33 34 35: hostile values of every type are the same in the table,
// with every format and compression.
func TestHostileValuesAreExportedExactly(t *testing.T) {
	t.Parallel()
	for i, kind := range fileFormats {
		t.Run(fmt.Sprintf("%s-%s", kind.Format, kind.Compression), func(t *testing.T) {
			t.Parallel()
			b := newFixture(t, sandboxtest.Shared(t))
			r := rand.New(rand.NewPCG(7, uint64(i)))
			audience := fakeAudience{fields: fields("id", "string", "note", "string", "age", "int", "spend", "number",
				"ok", "bool", "seen", "date", "tags", "[]string")}
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
			b.run(audience, withFormat(kind), func(e *exporter.Export) { e.FileBytes = 4 << 10 })
			selectRows := func(spend, where string) [][]string {
				return b.query(`SELECT id, note, CAST(age AS STRING), ` + spend + `, CAST(ok AS STRING), ` +
					`date_format(seen, "yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'"), tags FROM ` + b.table() + " WHERE " + where)
			}
			got := selectRows("CAST(CAST(spend AS DECIMAL(38,3)) AS STRING)", "spend IS NULL OR spend < 1e100")
			got = append(got, selectRows("'1e300'", "spend > 1e100 AND spend = 1e300")...)
			if len(got) != len(want) {
				t.Fatalf("got %d rows, want %d", len(got), len(want))
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
				if !slices.Equal(g[1:], w) {
					t.Errorf("row %s:\n got %q\nwant %q", g[0], g[1:], w)
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
				t.Errorf("got %s notes that are NULL, want %d", nulls, wanted)
			}
			const columns = "id STRING, note STRING, age BIGINT, spend DOUBLE, ok BOOLEAN, seen TIMESTAMP, tags STRING"
			if got := b.columnTypes(); got != columns {
				t.Errorf("got the columns %s, want %s", got, columns)
			}
			if b.progress.counts.RowsRead != 400 || b.progress.counts.RowsWritten != 400 || b.progress.counts.Bytes == 0 {
				t.Errorf("got the counts %+v, want 400 rows read and written, and bytes", b.progress.counts)
			}
		})
	}
}

func pick(r *rand.Rand, from ...string) string { return from[r.IntN(len(from))] }

// checklist 29: a COPY INTO lists at most 1,000 files and has no force; each file is
// loaded once.
func TestMoreThanAThousandFilesTakeSeveralStatements(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	b := newFixture(t, s)
	audience := fakeAudience{fields: fields("id", "int")}
	const files = 1003 // of one row each
	for n := range files {
		audience.rows = append(audience.rows, row(fmt.Sprint(n)))
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
			t.Errorf("got %d files in a statement with %s, want at most 1000 without force", len(names), rest)
		}
		for _, n := range names {
			if seen[n] {
				t.Errorf("got the file %s twice, want it once", n)
			}
			seen[n] = true
		}
	}
	if copies < 2 || len(seen) != files {
		t.Errorf("got %d statements with %d files, want at least 2 with %d", copies, len(seen), files)
	}
	if got := b.query("SELECT count(*), count(DISTINCT id) FROM " + b.table())[0]; got[0] != fmt.Sprint(files) || got[1] != got[0] {
		t.Errorf("got the counts of rows and ids %v, want %d of each", got, files)
	}
}

// checklist 34: with inferred types, a column's type depends on the values that the
// audience has.
func TestInferredTypesFollowTheValues(t *testing.T) {
	t.Parallel()
	b := newFixture(t, sandboxtest.Shared(t))
	inferred := spec(func(s *jobs.AudienceExport) { s.ColumnTypes = jobs.ColumnTypesInferred })
	audience := fakeAudience{
		fields: fields("user id", "string", "zip", "string", "big", "string", "none", "string", "ok", "bool", "seen", "date", "note", "string"),
		rows: [][]jobs.Value{
			row("1", "00123", "9223372036854775808", null, "true", "2024-01-01T00:00:00.000001Z", "a \"b\",\r\n\\"),
			row("2", "00007", "1", null, "false", "2024-02-29T12:00:00.500000Z", null),
		},
	}
	b.run(audience, inferred)
	wantTypes := func(want string) {
		t.Helper()
		if got := b.columnTypes(); got != want {
			t.Errorf("got the columns %s, want %s", got, want)
		}
	}
	wantTypes("user id INT, zip INT, big DECIMAL(19,0), none STRING, ok BOOLEAN, seen TIMESTAMP, note STRING")
	rows := b.query("SELECT `user id`, zip, CAST(big AS STRING), none, date_format(seen, \"yyyy-MM-dd'T'HH:mm:ss.SSSSSS\"), note FROM " +
		b.table() + " ORDER BY 1")
	wantRows := [][]string{
		{"1", "123", "9223372036854775808", "NULL", "2024-01-01T00:00:00.000001", "a \"b\",\r\n\\"},
		{"2", "7", "1", "NULL", "2024-02-29T12:00:00.500000", "NULL"},
	}
	if diff := cmp.Diff(wantRows, rows); diff != "" {
		t.Errorf("the rows differ (-want +got):\n%s", diff)
	}
	// Other values have other types. Without values, the declared types are used.
	audience.rows = [][]jobs.Value{row("x", "AB1", "1", "y", "true", null, "n")}
	b.run(audience, inferred)
	wantTypes("user id STRING, zip STRING, big INT, none STRING, ok BOOLEAN, seen STRING, note STRING")
	audience.rows = nil
	b.run(audience, inferred)
	wantTypes("user id STRING, zip STRING, big STRING, none STRING, ok BOOLEAN, seen TIMESTAMP, note STRING")
}

// An audience without members gives a table with its columns and without rows, also
// where the table had rows.
func TestAnEmptyAudienceGivesAnEmptyTypedTable(t *testing.T) {
	t.Parallel()
	for _, kind := range fileFormats[:3] {
		b := newFixture(t, sandboxtest.Shared(t))
		audience := fakeAudience{fields: fields("id", "int", "a b", "date")}
		b.run(audience, withFormat(kind))
		const want = "id BIGINT, a b TIMESTAMP[[0]]"
		if got := b.columnTypes() + fmt.Sprint(b.query("SELECT count(*) FROM "+b.table())); got != want {
			t.Errorf("got the columns and the row count %s, want %s", got, want)
		}
		audience.rows = [][]jobs.Value{row("1", null)}
		b.run(audience, withFormat(kind))
		audience.rows = nil
		b.run(audience, withFormat(kind))
		if got := fmt.Sprint(b.query("SELECT count(*) FROM " + b.table())); got != "[[0]]" {
			t.Errorf("got the row count %s of a table that had a row, want 0", got)
		}
	}
}

// checklist 13 14: names with spaces and symbols become column names, with column
// mapping only where a name needs it. Names that differ only by case are refused.
func TestFieldNamesBecomeColumnNames(t *testing.T) {
	t.Parallel()
	odd := []string{"plain", "user id", "a,b;c", "x{y}=(z)", "back`tick", "quote\"d", "select", "ünï", "1st", "dot.ted", "😀"}
	for _, kind := range []jobs.AudienceExport{fileFormats[0], fileFormats[2]} {
		b := newFixture(t, sandboxtest.Shared(t))
		var pairs, cells []string
		for i, n := range odd {
			pairs, cells = append(pairs, n, "string"), append(cells, fmt.Sprint("v", i))
		}
		b.run(fakeAudience{fields: fields(pairs...), rows: [][]jobs.Value{row(cells...)}}, withFormat(kind))
		if got := b.query("SELECT * FROM " + b.table()); !slices.Equal(got[0], cells) {
			t.Errorf("got the rows %q, want %q", got, cells)
		}
		properties := func() map[string]string {
			all := map[string]string{}
			for _, r := range b.query("SHOW TBLPROPERTIES " + b.table()) {
				all[r[0]] = r[1]
			}
			return all
		}
		if p := properties(); p["delta.columnMapping.mode"] != "name" || p["lytics.job_id"] != "jb_test" {
			t.Errorf("got the properties %v, want column mapping by name and the owner jb_test", p)
		}
		b.query("DROP TABLE " + b.table())
		b.run(fakeAudience{fields: fields("plain", "string")}, withFormat(kind))
		if p := properties(); p["delta.columnMapping.mode"] != "" {
			t.Errorf("got column mapping %q for plain names, want none", p["delta.columnMapping.mode"])
		}
	}
	b := newFixture(t, sandboxtest.Shared(t))
	err := b.export(fakeAudience{fields: fields("Name", "string", "name", "string")}).Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), `"Name" and "name" differ only by case`) || !jobs.IsCode(err, jobs.CodeInvalid) {
		t.Errorf("got the error %v, want one that names both fields", err)
	}
}

// A value that is not of its column's type fails the run, in both formats, and the
// table keeps its rows.
func TestAValueOfTheWrongTypeFailsTheRun(t *testing.T) {
	t.Parallel()
	for _, kind := range []jobs.AudienceExport{fileFormats[0], fileFormats[2]} {
		b := newFixture(t, sandboxtest.Shared(t))
		b.run(fakeAudience{fields: fields("id", "int"), rows: [][]jobs.Value{row("1")}}, withFormat(kind))
		wrong := fakeAudience{fields: fields("id", "int"), rows: [][]jobs.Value{row("2"), row("12x")}}
		if err := b.export(wrong, withFormat(kind)).Run(t.Context()); err == nil {
			t.Errorf("%s: got no error, want one", kind.Format)
		}
		if got := fmt.Sprint(b.query("SELECT id FROM " + b.table())); got != "[[1]]" {
			t.Errorf("%s: got the rows %s, want [[1]]", kind.Format, got)
		}
		b.wantNoLeftovers()
	}
}
