package lytics_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/lyticstest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/lytics"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

const poison = "poison-7"

// poisoned makes events of which those with these numbers are rejected.
func poisoned(n int, numbers ...int) []jobs.Event {
	list := events(0, n)
	for _, i := range numbers {
		list[i].Data = fmt.Appendf(nil, `{"id":"u%04d","text":%q}`, i, poison)
	}
	return list
}

// summaries describes rejected events: the id of one, or a range.
func summaries(rejected []jobs.RejectedEvent) (list []string) {
	for _, r := range rejected {
		text := r.ID
		if a := r.Among; a != nil {
			text = fmt.Sprintf("%d of %d: %s to %s", a.Rejected, a.Events, r.ID, a.LastID)
		}
		list = append(list, text)
	}
	slices.Sort(list)
	return list
}

func numbersTo(n int) (list []int) {
	for i := range n {
		list = append(list, i)
	}
	return list
}

// checklist 66: the rejected events of a batch are found by dry runs, and the
// accepted ones are sent once.
func TestRejectedEventsAreFoundByDryRuns(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		events   int
		rejected []int
		switches lyticstest.Switches
		format   lytics.UploadFormat
		dryRuns  int
	}{
		"one of many":       {events: 1000, rejected: []int{617}, dryRuns: 11},
		"the first":         {events: 100, rejected: []int{0}, dryRuns: 8},
		"the last":          {events: 100, rejected: []int{99}, dryRuns: 8},
		"several":           {events: 64, rejected: []int{0, 1, 31, 63}, dryRuns: 20},
		"all":               {events: 50, rejected: numbersTo(50), dryRuns: 0},
		"the only one":      {events: 1, rejected: []int{0}, dryRuns: 0},
		"message_count":     {events: 9, rejected: []int{4}, switches: lyticstest.Switches{CountRejected: true}, dryRuns: 5},
		"compressed arrays": {events: 9, rejected: []int{4}, switches: lyticstest.Switches{AcceptGzip: true, AcceptArrays: true, RefuseLines: true}, format: lytics.FormatJSONArrayGzip, dryRuns: 5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := open(t, lyticstest.Options{Switches: c.switches}, func(o *lytics.Config) { o.UploadFormat = c.format })
			b.server.RejectEventsWith(poison)
			list := poisoned(c.events, c.rejected...)
			rejected := b.append("s", list)
			var want, arrived []string
			for i, e := range list {
				if slices.Contains(c.rejected, i) {
					want = append(want, e.ID)
				} else {
					arrived = append(arrived, e.ID)
				}
			}
			slices.Sort(want)
			if d := cmp.Diff(want, summaries(rejected)); d != "" {
				t.Errorf("rejected (-want +got):\n%s", d)
			}
			for _, r := range rejected {
				if !strings.Contains(string(r.Data), poison) || r.Reason == "" || r.Bytes != int64(len(r.Data)) {
					t.Errorf("got the rejected event %+v, want its data and a reason", r)
				}
			}
			if len(arrived) > 0 { // without events there is no stream
				b.wantIDs("s", arrived...)
			}
			b.wantUnsure(0)
			var dry []string
			sent := b.asked(http.MethodPost, bulk)
			for _, r := range sent {
				if !strings.Contains(r.Query, "droperrors=true") {
					t.Errorf("sent %+v without droperrors", r)
				}
				if strings.Contains(r.Query, "dryrun=true") {
					dry = append(dry, r.Query)
				}
			}
			if len(dry) > c.dryRuns || len(sent) != len(dry)+1 || strings.Contains(sent[0].Query, "dryrun") {
				t.Errorf("got %d dry runs and %d uploads, the first %s; want at most %d, after one upload", len(dry), len(sent)-len(dry), sent[0].Query, c.dryRuns)
			}
			if wrong := b.server.Wrong(); len(wrong) > 0 {
				t.Errorf("not as documented: %v", wrong)
			}
		})
	}
}

// checklist 66: if dry runs do not tell which events were rejected, the quarantine
// gets the range, and no event is sent again.
func TestRejectedEventsThatDryRunsDoNotTellAreARange(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		prepare func(b *fixture)
		blind   bool
		want    []string
	}{
		"dry runs count no rejection": {func(b *fixture) { b.server.RejectEventsWith(poison) }, true, []string{"2 of 20: e0 to e19"}},
		"rejected only once":          {func(b *fixture) { b.server.Inject(lyticstest.Fault{Path: bulk, Reject: 3}) }, false, []string{"3 of 20: e0 to e19"}},
		"a dry run fails": {func(b *fixture) {
			b.server.RejectEventsWith(poison)
			b.server.Inject(lyticstest.Fault{Path: bulk, Status: http.StatusBadRequest, Skip: 3, Times: -1})
		}, false, []string{"1 of 10: e0 to e9", "1 of 10: e10 to e19"}},
		"a dry run contradicts another": {func(b *fixture) {
			b.server.RejectEventsWith(poison)
			b.server.Inject(lyticstest.Fault{Path: bulk, Reject: 9, Skip: 2})
		}, false, []string{"2 of 20: e0 to e19"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := open(t, lyticstest.Options{Switches: lyticstest.Switches{BlindDryRun: c.blind}})
			c.prepare(b)
			rejected := b.append("s", poisoned(20, 3, 14))
			if d := cmp.Diff(c.want, summaries(rejected)); d != "" {
				t.Errorf("rejected (-want +got):\n%s", d)
			}
			for _, r := range rejected {
				if r.Data != nil || !strings.Contains(r.Reason, "do not tell which") {
					t.Errorf("got %+v, want a range without data", r)
				}
			}
			if n := len(b.ids("s")); n != 20-int(jobs.RejectedRows(rejected)) {
				t.Errorf("%d events arrived", n)
			}
			b.wantUnsure(0)
		})
	}
}

// Many rejected events end the search: what is left is short ranges.
func TestTheSearchForRejectedEventsIsBounded(t *testing.T) {
	t.Parallel()
	b := open(t, lyticstest.Options{})
	b.server.RejectEventsWith(poison)
	var every3rd []int
	for i := 0; i < 3000; i += 3 {
		every3rd = append(every3rd, i)
	}
	rejected := b.append("s", poisoned(3000, every3rd...))
	if n := jobs.RejectedRows(rejected); n != 1000 {
		t.Errorf("%d events were rejected, want 1000", n)
	}
	for _, r := range rejected {
		if r.Among != nil && r.Among.Events > 12 {
			t.Errorf("got a range of %d events", r.Among.Events)
		}
	}
	if n := len(b.asked(http.MethodPost, bulk)); n > 401 {
		t.Errorf("%d requests", n)
	}
	if n := len(b.ids("s")); n != 2000 {
		t.Errorf("%d events arrived, want 2000", n)
	}
}

// An answer to a dry run that does not say so may come from an account that stored
// the events: the search ends, and they count as possibly duplicated.
func TestADryRunThatIsNotConfirmedEndsTheSearch(t *testing.T) {
	t.Parallel()
	dryRuns := 0
	b := open(t, lyticstest.Options{}, through(func(r *http.Request) (*http.Response, error) {
		body := `{"status":200,"data":{"message_count":7,"rejected_count":3}}`
		if r.URL.Query().Get("dryrun") == "true" {
			dryRuns++
		}
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: readCloser(body), Request: r}, nil
	}))
	rejected := b.append("s", events(0, 10))
	if d := cmp.Diff([]string{"3 of 10: e0 to e9"}, summaries(rejected)); d != "" || dryRuns != 1 {
		t.Errorf("got %d dry runs, rejected (-want +got):\n%s", dryRuns, d)
	}
	if result, err := b.Append(t.Context(), "s", events(0, 10), nil); err != nil || result.PossiblyDuplicated != 10 {
		t.Errorf("the answer to an append: got %+v, %v, want 10 possibly duplicated", result, err)
	}
}

// checklist 64 66: the process is killed between Lytics's answer and the commit. The
// next one sends the batch again and counts it as possibly duplicated; the rejected
// event is given to its commit, once.
func TestRejectedEventsOfAnUncommittedBatchAreRejectedAgain(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, b *fixture) {
		t.Helper()
		b.server.RejectEventsWith(poison)
		killed := errors.New("killed")
		if _, err := b.Append(t.Context(), "s", poisoned(5, 2), func(*store.Tx, []jobs.RejectedEvent) error { return killed }); !errors.Is(err, killed) {
			t.Fatalf("got the error %v, want %v", err, killed)
		}
		b.reopen()
		rejected := b.append("s", poisoned(5, 2))
		if d := cmp.Diff([]string{"e2"}, summaries(rejected)); d != "" {
			t.Errorf("rejected (-want +got):\n%s", d)
		}
		b.wantIDs("s", "e0", "e1", "e3", "e4", "e0", "e1", "e3", "e4")
		if got := b.append("s", events(10, 1)); len(got) != 0 {
			t.Errorf("the next batch: got the rejected events %+v", got)
		}
	})
}
