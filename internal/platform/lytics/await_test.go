package lytics_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/lyticstest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/lytics"
)

func waiting(d time.Duration) func(*lytics.Config) {
	return func(c *lytics.Config) { c.ProfileWait = d }
}

// await waits for profiles, and returns the progress that was reported.
func (b *fixture) await() (platform.Lag, [][2]int64) {
	b.t.Helper()
	var progress [][2]int64
	lag, err := b.AwaitProfiles(b.t.Context(), func(done, total int64) { progress = append(progress, [2]int64{done, total}) })
	b.must(nil, err)
	return lag, progress
}

// An accepted event is in a queue. The wait ends when the stream has counted the
// events that were sent, whatever it had counted before, and in another process too.
func TestTheProfilesOfSentEventsAreWaitedFor(t *testing.T) {
	t.Parallel()
	for _, switches := range []lyticstest.Switches{{ProfileLag: 4}, {ProfileLag: 4, StreamCountCT: true}} {
		b := open(t, lyticstest.Options{Switches: switches}, waiting(10*time.Minute))
		b.profiles(3)
		if lag, progress := b.await(); lag.Note != "" || len(progress) == 0 {
			t.Errorf("got lag %+v and progress %v, want none missing after a wait", lag, progress)
		}
		b.must(nil, b.send("s", events(3, 2)))
		b.must(nil, b.send("s", events(5, 2)))
		if rows, err := b.scanned("id"); err != nil || len(rows) != 3 {
			t.Fatalf("before the wait: got %v, %v; want the 3 profiles of before", rows, err)
		}
		b.reopen(waiting(10 * time.Minute))
		lag, progress := b.await()
		if lag != (platform.Lag{}) || len(progress) == 0 || progress[0] != [2]int64{0, 4} {
			t.Errorf("got lag %+v and progress %v, want nothing missing, and 0 of 4 first", lag, progress)
		}
		if rows, err := b.scanned("id"); err != nil || len(rows) != 7 {
			t.Errorf("after the wait: got %v, %v; want 7 profiles", rows, err)
		}
		// Nothing was sent since: Lytics is not asked.
		before := len(b.asked(http.MethodGet, "/v2/stream"))
		if lag, progress := b.await(); lag != (platform.Lag{}) || progress != nil || len(b.asked(http.MethodGet, "/v2/stream")) != before {
			t.Errorf("a second wait: got %+v, %v; want no request", lag, progress)
		}
		if wrong := b.server.Wrong(); len(wrong) != 0 {
			t.Errorf("not as documented: %v", wrong)
		}
	}
}

// The wait is bounded, its end says what is missing, and the same events are not
// waited for again.
func TestTheWaitForProfilesIsBounded(t *testing.T) {
	t.Parallel()
	b := open(t, lyticstest.Options{Switches: lyticstest.Switches{ProfileLag: 1 << 30}}, waiting(5*time.Minute))
	b.profiles(3)
	b.must(nil, b.send("other", events(0, 1)))
	lag, progress := b.await()
	if lag.Events != 4 || !strings.Contains(lag.Note, "3 of the 3 events sent to stream s") || !strings.Contains(lag.Note, "stream other") {
		t.Errorf("got %+v, want 4 events of both streams", lag)
	}
	if total := b.clock.Total(); total > 5*time.Minute || total < 4*time.Minute {
		t.Errorf("waited for %s, want almost 5 minutes", total)
	}
	if d := cmp.Diff([2]int64{0, 4}, progress[len(progress)-1]); d != "" {
		t.Errorf("progress: want and got:\n%s", d)
	}
	if lag, _ := b.await(); lag != (platform.Lag{}) {
		t.Errorf("a second wait: got %+v, want none", lag)
	}
}

// A token that may not read streams imports all the same, and the wait says that it
// cannot tell.
func TestAStreamWhoseCountCannotBeReadStopsNoImport(t *testing.T) {
	t.Parallel()
	b := open(t, lyticstest.Options{}, waiting(5*time.Minute))
	b.server.Inject(lyticstest.Fault{Method: http.MethodGet, Path: "/v2/stream", Status: http.StatusForbidden, Times: -1})
	b.profiles(3)
	if lag, _ := b.await(); lag.Events != 0 || !strings.Contains(lag.Note, "the count of stream s cannot be read") || b.clock.Total() != 0 {
		t.Errorf("got %+v after a wait of %s, want a note at once", lag, b.clock.Total())
	}
	if rows, err := b.scanned("id"); err != nil || len(rows) != 3 {
		t.Errorf("got %v, %v; want 3 profiles", rows, err)
	}

	ended := open(t, lyticstest.Options{})
	ended.server.Inject(lyticstest.Fault{Method: http.MethodGet, Path: "/v2/stream", Status: http.StatusUnauthorized})
	refused(t, "a token that is not accepted", ended.send("s", events(0, 1)), jobs.CodeUnauthorized, "platform.lytics.token")
}
