package exporter_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/exporter"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// people is an audience of n profiles.
func people(n int) fakeAudience {
	return fakeAudience{fields: fields("email", "string"), each: func(yield func([]jobs.Value, error) bool) {
		for i := range n {
			if !yield(row(strconv.Itoa(i)+"@example.com"), nil) {
				return
			}
		}
	}}
}

// A run that would shrink the table by more than max_shrink_percent changes nothing,
// leaves nothing, and says from what to what.
func TestAnExportRefusesToShrinkATableTooFar(t *testing.T) {
	t.Parallel()
	limit := func(percent int64) func(*exporter.Export) {
		return spec(func(s *jobs.AudienceExport) { s.MaxShrinkPercent = &percent })
	}
	b := newFixture(t, sandboxtest.Shared(t))
	b.run(people(12), limit(0)) // a table that is not there yet cannot shrink
	b.run(people(5000), limit(0))

	err := b.export(people(12), limit(99)).Run(t.Context())
	e, ok := errors.AsType[*jobs.Error](err)
	if !ok || e.Code != jobs.CodeFailed || e.Attribute != "max_shrink_percent" || e.Next == "" ||
		!strings.HasSuffix(e.Summary, b.database+".people from 5,000 to 12 rows") || !strings.Contains(e.Detail, "99.8 %") {
		t.Fatalf("got the error %#v, want one that names the numbers of rows", err)
	}
	if got := b.count(); got != "5000" {
		t.Errorf("after the refusal the table has %s rows, want 5000", got)
	}
	b.wantNoLeftovers()

	for _, c := range []struct {
		rows    int
		percent int64
		refused bool
	}{
		{2500, 49, true}, {2499, 50, true}, {2500, 50, false}, {2499, 0, true}, {2500, 0, false}, {2501, 0, false}, {0, 99, true}, {0, 100, false},
		{0, 0, false},
	} {
		before := b.count()
		err := b.export(people(c.rows), limit(c.percent)).Run(t.Context())
		want := strconv.Itoa(c.rows)
		if c.refused {
			want = before
		}
		if got := b.count(); got != want || (err != nil) != c.refused {
			t.Errorf("from %s to %d rows with %d %%: got %s rows and %v, want %s", before, c.rows, c.percent, got, err, want)
		}
	}
}

func (b *fixture) count() string {
	b.t.Helper()
	return b.query("SELECT count(*) FROM " + b.table())[0][0]
}
