package importer_test

import (
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// An error of the warehouse is no reason to give the feed up: the window would miss the
// older rows. The run fails, and the next one reads the same changes. An error of the feed
// is a reason, which the run's progress shows.
func TestTheFeedIsGivenUpForItsOwnErrorsOnly(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		message, state string
		givenUp        bool
	}{
		"internal error": {"[INTERNAL_ERROR] The Spark SQL phase planning failed. SQLSTATE: XX000", "XX000", false},
		"memory":         {"[UNABLE_TO_ACQUIRE_MEMORY] Unable to acquire 65536 bytes of memory, got 0. SQLSTATE: 53200", "53200", false},
		"no feed":        {"[DELTA_MISSING_CHANGE_DATA] Change data was not recorded. SQLSTATE: KD002", "KD002", true},
		"bad value":      {"[DIVIDE_BY_ZERO] Division by zero. SQLSTATE: 22012", "22012", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := sandboxtest.Start(t)
			b := newFixture(t, s, threeColumns)
			none := time.Duration(0)
			b.imp.Spec.Lookback = &none
			b.exec(feedOn, "INSERT INTO %t SELECT id, 'x', timestamp_micros(1700000000000000 + id * 1000000) FROM range(5)")
			b.run()
			b.exec("INSERT INTO %t VALUES (100, 'late', TIMESTAMP '2020-01-01 00:00:00')")
			s.SetFault(t, sandboxtest.Fault{Kind: "statement_error", Match: "table_changes", Message: c.message, SQLState: c.state, Times: -1})
			if c.givenUp {
				b.wantEvents()
				if got := strings.Join(b.phases, "\n"); !strings.Contains(got, "instead of the change data feed: ") {
					t.Errorf("got the phases\n%s\nwant one that says why the feed is not read", got)
				}
				return
			}
			if err := b.runOnce(); !jobs.IsCode(err, jobs.CodeFailed) {
				t.Fatalf("got the error %v, want one with code %s", err, jobs.CodeFailed)
			}
			s.ClearFaults(t)
			b.wantEvents(100)
		})
	}
}
