//nolint:thelper // what is given to onEach are the bodies of tests
package lytics_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/lyticstest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/lytics"
)

// perUpload is the number of events of an upload of largeEvents.
const perUpload = (lytics.UsualUpload + 12_099) / 12_100

// largeEvents makes events of 12,100 bytes that fill a number of uploads. The events
// i*atOnce to (i+1)*atOnce have one time.
func largeEvents(uploads, atOnce int) []jobs.Event {
	list := events(0, uploads*perUpload)
	for i := range list {
		frame := len(fmt.Sprintf(`{"_event_id":%q,"_event_time":"2024-01-01T00:00:00.000000Z","text":""}`+"\n", list[i].ID))
		list[i].Data = fmt.Appendf(nil, `{"text":%q}`, strings.Repeat("x", 12_100-frame))
		list[i].Time = day0.Add(time.Duration(i/atOnce) * time.Second)
	}
	return list
}

// bulkCalls counts the uploads of a platform that are on their way.
type bulkCalls struct {
	// before is called before the request of a number, counted from 1; it may be nil.
	before func(n int)

	mu                sync.Mutex
	begun, open, most int
}

// counted is a change of the configuration that counts.
func (c *bulkCalls) counted(o *lytics.Config) {
	network := &http.Transport{MaxIdleConnsPerHost: lytics.MaxUploads}
	o.HTTP = &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
		if !strings.HasPrefix(r.URL.Path, bulk) {
			return network.RoundTrip(r)
		}
		c.mu.Lock()
		c.begun++
		n := c.begun
		c.open++
		c.most = max(c.most, c.open)
		c.mu.Unlock()
		if c.before != nil {
			c.before(n)
		}
		resp, err := network.RoundTrip(r)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.open--
		return resp, err
	})}
}

// hold makes the next n uploads wait for their answers, after they have arrived.
func (b *fixture) hold(n int) (arrived []chan struct{}, release func()) {
	released := make(chan struct{})
	for range n {
		held := make(chan struct{})
		b.server.Inject(lyticstest.Fault{Path: bulk, Hold: released, Held: held})
		arrived = append(arrived, held)
	}
	release = sync.OnceFunc(func() { close(released) })
	b.t.Cleanup(release)
	return arrived, release
}

// notInShort leaves out a test whose batches of many megabytes take a second of CPU.
func notInShort(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("LEFT OUT of make unit: make test sends batches of many megabytes")
	}
}

// wantSideBySide checks that the events arrived once, in so many uploads, of which as many as may
// be were on their way at once.
func (b *fixture) wantSideBySide(calls *bulkCalls, uploads int, list []jobs.Event) {
	b.t.Helper()
	if calls.begun != uploads || calls.most != lytics.MaxUploads {
		b.t.Errorf("got %d uploads, up to %d at once; want %d and %d", calls.begun, calls.most, uploads, lytics.MaxUploads)
	}
	got, want := b.ids("s"), idsOf(list)
	slices.Sort(got)
	slices.Sort(want)
	if d := cmp.Diff(want, got); d != "" {
		b.t.Errorf("arrived (-want +got):\n%s", d)
	}
	b.wantUnsure(0)
}

func TestUploadsOfABatchAreOnTheirWayTogether(t *testing.T) {
	t.Parallel()
	calls := &bulkCalls{}
	b := open(t, lyticstest.Options{}, calls.counted)
	arrived, release := b.hold(lytics.MaxUploads)
	list := largeEvents(6, 1)
	done := make(chan error)
	go func() { done <- b.send("s", list) }()
	for _, a := range arrived {
		<-a // no upload waits for the answer to another one
	}
	release()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	b.wantSideBySide(calls, 6, list)
}

func idsOf(list []jobs.Event) (ids []string) {
	for _, e := range list {
		ids = append(ids, e.ID)
	}
	return ids
}

// Nothing but their arrival tells the order of events of one time: they are in one
// upload, or in uploads that wait for each other.
func TestEventsOfOneTimeArriveInTheirOrder(t *testing.T) {
	t.Parallel()
	notInShort(t)
	for name, c := range map[string]struct{ uploads, atOnce, most int }{
		"all of one time": {5, 5 * perUpload, 1},
		"many of a time":  {6, 2*perUpload + 7, lytics.MaxUploads},
		"a few of a time": {3, 7, lytics.MaxUploads},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			calls := &bulkCalls{}
			b := open(t, lyticstest.Options{}, calls.counted)
			list := largeEvents(c.uploads, c.atOnce)
			if err := b.send("s", list); err != nil {
				t.Fatal(err)
			}
			place := map[string]int{}
			for i, id := range b.ids("s") {
				place[id] = i
			}
			if len(place) != len(list) {
				t.Errorf("%d events arrived, want %d", len(place), len(list))
			}
			for i, e := range list[1:] {
				if before := list[i]; before.Time.Equal(e.Time) && place[before.ID] > place[e.ID] {
					t.Fatalf("%s arrived before %s, which has the same time", e.ID, before.ID)
				}
			}
			if calls.most > c.most {
				t.Errorf("%d uploads were on their way at once, want at most %d", calls.most, c.most)
			}
		})
	}
}

// checklist 23: Lytics asks one upload to wait, and all wait.
func TestAllUploadsWaitWhenLyticsAsksOne(t *testing.T) {
	t.Parallel()
	notInShort(t)
	for name, fault := range map[string]lyticstest.Fault{
		"429": {Path: bulk, Status: 429, RetryAfter: 77 * time.Second},
		"503": {Path: bulk, Status: 503, RetryAfter: 77 * time.Second},
		// Lytics documents no Retry-After.
		"429 without a time": {Path: bulk, Status: 429},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asked, early := make(chan struct{}), make(chan int, 10)
			calls := &bulkCalls{before: func(n int) {
				switch {
				case n > lytics.MaxUploads:
					early <- n
				case n > 1:
					<-asked
				}
			}}
			b := open(t, lyticstest.Options{}, calls.counted)
			clock := lytics.UseHeldClock(b.Platform)
			b.server.Inject(fault)
			done := make(chan error, 1)
			go func() { done <- b.send("s", largeEvents(lytics.MaxUploads+2, 1)) }()
			<-clock.Waiting // the upload that was asked to wait
			close(asked)
			for range 2 { // those that had not begun
				select {
				case <-clock.Waiting:
				case n := <-early:
					t.Fatalf("request %d was sent in the pause", n)
				}
			}
			clock.Advance(78 * time.Second)
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		})
	}
}

// checklist 64: what cannot be repeated ends the other uploads. They have arrived, and
// count when they are sent again; what was refused or had not begun does not.
func TestAnErrorOfOneUploadEndsAll(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, b *fixture) {
		const held = lytics.MaxUploads - 1
		arrived, _ := b.hold(held)
		b.server.Inject(lyticstest.Fault{Path: bulk, Status: http.StatusForbidden})
		b.reopen((&bulkCalls{before: func(n int) {
			for i := range min(n-1, held) { // one upload after the other arrives
				<-arrived[i]
			}
		}}).counted)
		list := largeEvents(6, 1)
		refused(t, "one of several uploads", b.send("s", list), jobs.CodeForbidden, "platform.lytics.token")
		b.wantUnsure(0)
		if n := len(b.ids("s")); n != held*perUpload {
			t.Fatalf("%d events arrived, want %d", n, held*perUpload)
		}
		b.reopen()
		if err := b.send("s", list); err != nil {
			t.Fatal(err)
		}
		b.wantUnsure(held * perUpload)
		if n := len(b.ids("s")); n != len(list)+held*perUpload {
			t.Errorf("%d events arrived, want %d", n, len(list)+held*perUpload)
		}
	})
}

// checklist 64: a process is killed while uploads are on their way, whatever their
// number: the next one counts all events of the batch.
func TestAllUploadsOnTheirWayAreCountedAfterAKill(t *testing.T) {
	t.Parallel()
	notInShort(t)
	for _, uploads := range []int{1, 2, lytics.MaxUploads + 1} {
		t.Run(fmt.Sprint(uploads), func(t *testing.T) {
			t.Parallel()
			onEach(t, func(t *testing.T, b *fixture) {
				arrived, _ := b.hold(min(uploads, lytics.MaxUploads))
				list := largeEvents(uploads, 1)
				killed, end := context.WithCancel(t.Context())
				done, first := make(chan error), b.Platform
				go func() {
					_, err := first.Append(killed, "s", list, nil)
					done <- err
				}()
				for _, a := range arrived {
					<-a
				}
				b.reopen() // what a killed process leaves is what is in the store now
				result, err := b.Append(t.Context(), "s", list, nil)
				if want := (jobs.AppendResult{Written: int64(len(list)), PossiblyDuplicated: int64(len(list))}); err != nil || result != want {
					t.Errorf("got %+v, %v, want %+v", result, err, want)
				}
				end()
				refused(t, "the killed one", <-done, jobs.CodeCancelled, "")
				if n, want := len(b.ids("s")), len(list)+len(arrived)*perUpload; n != want {
					t.Errorf("%d events arrived, want %d", n, want)
				}
			})
		})
	}
}

// checklist 66
func TestRejectedEventsOfSeveralUploadsAreFound(t *testing.T) {
	t.Parallel()
	b := open(t, lyticstest.Options{})
	b.server.RejectEventsWith(poison)
	list := largeEvents(6, 1)
	var want []string
	for _, i := range []int{0, perUpload - 1, perUpload, 3*perUpload + 5, len(list) - 1} {
		list[i].Data = fmt.Appendf(nil, `{"text":%q}`, poison+strings.Repeat("x", 11_900))
		want = append(want, list[i].ID)
	}
	rejected := b.append("s", list)
	if d := cmp.Diff(want, idsOfRejected(rejected)); d != "" {
		t.Errorf("rejected, in their order (-want +got):\n%s", d)
	}
	got := b.ids("s")
	slices.Sort(got)
	if n := len(slices.Compact(slices.Clone(got))); len(got) != len(list)-len(want) || n != len(got) {
		t.Errorf("%d events arrived, %d of them different; want %d, each once", len(got), n, len(list)-len(want))
	}
}

func idsOfRejected(rejected []jobs.RejectedEvent) (ids []string) {
	for _, r := range rejected {
		ids = append(ids, r.ID)
	}
	return ids
}

// checklist 22 64: with any faults in any uploads, each event arrives, and each that
// arrives again is counted.
func TestEachEventArrivesWhateverFailsInItsUpload(t *testing.T) {
	t.Parallel()
	notInShort(t)
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, 1))
			b := open(t, lyticstest.Options{})
			list := largeEvents(1+random.IntN(5), 1+random.IntN(20))
			for range 1 + random.IntN(6) {
				f := []lyticstest.Fault{
					{Status: 503}, {Status: 503, AfterEffect: true}, {Status: 429, RetryAfter: time.Minute}, {Cut: true},
					{Cut: true, AfterEffect: true, Partly: true}, {Garble: true}, {Status: 403}, {Status: 400, AfterEffect: true},
				}[random.IntN(8)]
				f.Path, f.Skip = bulk, random.IntN(8)
				b.server.Inject(f)
			}
			for range 20 {
				if b.send("s", list) == nil {
					break
				}
				b.reopen()
			}
			b.wantEachCounted(list)
		})
	}
}

// wantEachCounted checks that each event arrived, and that those that arrived again are
// counted.
func (b *fixture) wantEachCounted(list []jobs.Event) {
	b.t.Helper()
	times := map[string]int{}
	for _, id := range b.ids("s") {
		times[id]++
	}
	again := int64(0)
	for _, e := range list {
		if times[e.ID] == 0 {
			b.t.Fatalf("%s did not arrive", e.ID)
		}
		if times[e.ID] > 1 {
			again++
		}
	}
	if b.unsure < again {
		b.t.Errorf("%d events arrived more than once, and %d are counted", again, b.unsure)
	}
}
