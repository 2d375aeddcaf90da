//nolint:thelper // what is given to onEach are the bodies of tests
package lytics_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/lyticstest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/lytics"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// end finishes a batch and adds up how many of its events are possibly duplicated.
func (b *fixture) end(f lytics.FinishBatch, commit func(*store.Tx, []jobs.RejectedEvent) error) error {
	result, err := f(commit)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.unsure += result.PossiblyDuplicated
	return err
}

// wantCommitted finishes a batch whose events are accepted.
func (b *fixture) wantCommitted(f lytics.FinishBatch) {
	b.t.Helper()
	if err := b.end(f, nil); err != nil {
		b.t.Error(err)
	}
}

// neverCommit is the commit of a batch that must not be committed.
func (b *fixture) neverCommit(*store.Tx, []jobs.RejectedEvent) error {
	b.t.Error("the batch was committed")
	return nil
}

// The uploads of two batches are on their way together, and those of both are no more than
// those of one could be.
func TestTheUploadsOfTwoBatchesAreOnTheirWayTogether(t *testing.T) {
	t.Parallel()
	notInShort(t)
	calls := &bulkCalls{}
	b := open(t, lyticstest.Options{}, calls.counted)
	arrived, release := b.hold(lytics.MaxUploads)
	list := largeEvents(6, 1)
	send := b.Sender("s")
	first := send(t.Context(), list[:3*perUpload]) // returns while none of its uploads is answered
	begun := make(chan lytics.FinishBatch)
	go func() { begun <- send(t.Context(), list[3*perUpload:]) }()
	for _, a := range arrived {
		<-a
	}
	release()
	b.wantCommitted(first)
	b.wantCommitted(<-begun)
	b.wantSideBySide(calls, 6, list)
}

// An upload that begins with the time with which the batch before ends waits for its
// answer, and no other upload does.
func TestEventsOfOneTimeArriveInTheirOrderAcrossBatches(t *testing.T) {
	t.Parallel()
	notInShort(t)
	var answered atomic.Bool
	calls := &bulkCalls{before: func(n int) {
		if n > 2 && !answered.Load() {
			t.Error("an upload did not wait for the one before it, which ends with the same time")
		}
	}}
	b := open(t, lyticstest.Options{}, calls.counted)
	arrived, release := b.hold(2)
	list := largeEvents(2, 1)
	send := b.Sender("s")
	first := send(t.Context(), []jobs.Event{{ID: "first", Time: list[0].Time, Data: []byte(`{}`)}})
	<-arrived[0]
	second := send(t.Context(), list)
	<-arrived[1] // the second upload of the batch
	answered.Store(true)
	release()
	b.wantCommitted(first)
	b.wantCommitted(second)
	ids := idsOf(list)
	b.wantIDs("s", slices.Concat([]string{"first"}, ids[perUpload:], ids[:perUpload])...)
}

// An upload that waits for one of the batch before is not sent when that one is refused.
func TestEventsOfOneTimeAreNotSentAfterAFailure(t *testing.T) {
	t.Parallel()
	b := open(t, lyticstest.Options{})
	released, arrived := make(chan struct{}), make(chan struct{})
	b.server.Inject(lyticstest.Fault{Path: bulk, Status: http.StatusForbidden, Hold: released, Held: arrived})
	list := events(0, 4)
	for i := range list {
		list[i].Time = day0
	}
	send := b.Sender("s")
	first := send(t.Context(), list[:2])
	<-arrived
	second := send(t.Context(), list[2:])
	close(released)
	refused(t, "the first", b.end(first, b.neverCommit), jobs.CodeForbidden, "platform.lytics.token")
	if b.end(second, b.neverCommit) == nil {
		t.Error("the second batch was accepted")
	}
	refused(t, "a third", b.end(send(t.Context(), events(4, 2)), b.neverCommit), jobs.CodeCancelled, "", "before these")
	if err := b.send("s", list); err != nil {
		t.Fatal(err)
	}
	b.wantIDs("s", idsOf(list)...)
	b.wantUnsure(0)
}

// checklist 64: nothing is committed after a cancel, whether Lytics has answered or not.
// The events may have arrived, and count when they are sent again.
func TestBatchesThatWereCancelledCountWhenTheyAreSentAgain(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, b *fixture) {
		ctx, cancel := context.WithCancel(t.Context())
		var answered atomic.Int32
		network := http.DefaultTransport
		accepted := make(chan struct{})
		b.reopen(func(c *lytics.Config) {
			c.HTTP = &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
				resp, err := network.RoundTrip(r)
				if r.URL.Path == bulk+"s" && answered.Add(1) == 1 {
					close(accepted)
				}
				return resp, err
			})}
		})
		send := b.Sender("s")
		first := send(ctx, events(0, 3))
		<-accepted
		arrived, _ := b.hold(1)
		second := send(ctx, events(3, 3))
		<-arrived[0]
		cancel()
		refused(t, "the first", b.end(first, b.neverCommit), jobs.CodeCancelled, "")
		refused(t, "the second", b.end(second, b.neverCommit), jobs.CodeCancelled, "")
		b.wantUnsure(0)
		b.reopen()
		if err := b.send("s", events(0, 8)); err != nil {
			t.Fatal(err)
		}
		b.wantUnsure(6)
		if n := len(b.ids("s")); n != 14 {
			t.Errorf("%d events arrived, want 8, and 6 of them again", n)
		}
	})
}

// sendBatches sends batches as an import does: each is begun before the one before it is
// finished, and the first error ends all. It returns how many were committed.
func (b *fixture) sendBatches(batches [][]jobs.Event) (committed int) {
	ctx, cancel := context.WithCancel(b.t.Context())
	defer cancel()
	send := b.Sender("s")
	failed := false
	end := func(f lytics.FinishBatch) {
		err := b.end(f, func(*store.Tx, []jobs.RejectedEvent) error {
			if failed {
				b.t.Error("a batch was committed after one that failed")
			}
			return nil
		})
		if err != nil {
			failed = true
			cancel()
		}
		if !failed {
			committed++
		}
	}
	var before lytics.FinishBatch
	for _, list := range batches {
		f := send(ctx, list)
		if before != nil {
			end(before)
		}
		if before = f; failed {
			break
		}
	}
	end(before)
	return committed
}

// checklist 22 64: with any faults in two batches on their way, each event arrives, and
// each that arrives again is counted.
func TestEachEventArrivesWhateverFailsInTwoBatches(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, 2))
			b := open(t, lyticstest.Options{})
			list := events(0, 30)
			batches := slices.Collect(slices.Chunk(list, 1+random.IntN(6)))
			for range 1 + random.IntN(8) {
				f := []lyticstest.Fault{
					{Status: 503}, {Status: 503, AfterEffect: true}, {Status: 429, RetryAfter: time.Minute}, {Cut: true},
					{Cut: true, AfterEffect: true, Partly: true}, {Garble: true}, {Status: 403},
				}[random.IntN(7)]
				f.Path, f.Skip = bulk, random.IntN(8)
				b.server.Inject(f)
			}
			for range 20 {
				if batches = batches[b.sendBatches(batches):]; len(batches) == 0 {
					break
				}
				b.reopen()
			}
			b.wantEachCounted(list)
		})
	}
}
