package importer

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// The second batch is sent while the first is not answered, a third one is not, and the
// cursor waits for the first.
func TestTheNextBatchIsSentBeforeOneIsCommitted(t *testing.T) {
	t.Parallel()
	l := newLyticsImport(t)
	accepted, released := make(chan struct{}), make(chan struct{})
	l.upload = func(batch int, _ *http.Request, send sendUpload) (*http.Response, error) {
		resp, err := send()
		switch batch {
		case 0:
			<-released
		case 1:
			close(accepted)
		case 2:
			if c, err := ReadCursor(t.Context(), l.db, "k"); err != nil || c.Sent == 0 {
				t.Errorf("got the cursor %+v, %v with three batches on their way, want one after the first", c, err)
			}
		}
		return resp, err
	}
	done := make(chan error)
	go func() { done <- l.run(t.Context()) }()
	<-accepted
	l.wantSent(0)
	close(released)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	l.wantSent(3 * ownBatch)
	l.wantArrived(1, 1, 1)
	if c := l.progress.Counts; c.RowsRead != 12 || c.RowsWritten != 12 || c.PossiblyDuplicated != 0 {
		t.Errorf("got the counts %+v, want 12 rows read and written, none of them possibly twice", c)
	}
}

// refuseFirstBatch has Lytics refuse the first batch, after it has accepted the second.
func (l *lyticsImport) refuseFirstBatch() {
	accepted := make(chan struct{})
	l.upload = func(batch int, r *http.Request, send sendUpload) (*http.Response, error) {
		if batch == 0 {
			<-accepted
			return forbidden(r)
		}
		defer close(accepted)
		return send()
	}
}

// checklist 64
func TestABatchIsNotCommittedAfterOneThatFailed(t *testing.T) {
	t.Parallel()
	l := newLyticsImport(t)
	l.refuseFirstBatch()
	if err := l.run(t.Context()); !jobs.IsCode(err, jobs.CodeForbidden) {
		t.Errorf("got the error %v, want that of the first batch", err)
	}
	l.wantSent(0)
	l.wantNext(ownBatch, 1, 2, 1)
}

// readBody is a body that closes a channel when it was read.
type readBody struct {
	io.ReadCloser
	read chan struct{}
}

func (b readBody) Close() error {
	close(b.read)
	return b.ReadCloser.Close()
}

// What Lytics refused did not arrive, and is not counted when it is sent.
func TestABatchThatWasRefusedBesideAnotherOneIsNotCounted(t *testing.T) {
	t.Parallel()
	l := newLyticsImport(t)
	refused := make(chan struct{})
	l.upload = func(batch int, r *http.Request, _ sendUpload) (*http.Response, error) {
		if batch == 0 {
			<-refused
		}
		resp, err := forbidden(r)
		if batch == 1 {
			resp.Body = readBody{resp.Body, refused}
		}
		return resp, err
	}
	if err := l.run(t.Context()); !jobs.IsCode(err, jobs.CodeForbidden) {
		t.Errorf("got the error %v, want that of Lytics", err)
	}
	l.wantSent(0)
	l.wantNext(0, 1, 1, 1)
}

func TestABatchIsCommittedBeforeOneThatFailed(t *testing.T) {
	t.Parallel()
	l := newLyticsImport(t)
	refused := make(chan struct{})
	refuse := sync.OnceFunc(func() { close(refused) })
	l.upload = func(batch int, r *http.Request, send sendUpload) (*http.Response, error) {
		if batch == 0 {
			<-refused
			return send()
		}
		defer refuse()
		return forbidden(r)
	}
	if err := l.run(t.Context()); !jobs.IsCode(err, jobs.CodeForbidden) {
		t.Errorf("got the error %v, want that of the second batch", err)
	}
	l.wantSent(ownBatch)
	l.wantNext(0, 1, 1, 1)
}

// checklist 64: a run is cancelled while two batches have arrived and are not answered.
func TestARunIsCancelledWithTwoBatchesOnTheirWay(t *testing.T) {
	t.Parallel()
	l := newLyticsImport(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	arrived := make(chan struct{}, 2)
	l.upload = func(_ int, r *http.Request, send sendUpload) (*http.Response, error) {
		resp, err := send()
		arrived <- struct{}{}
		<-r.Context().Done()
		if err == nil {
			err = resp.Body.Close()
		}
		return nil, errors.Join(err, r.Context().Err())
	}
	done := make(chan error)
	go func() { done <- l.run(ctx) }()
	<-arrived
	<-arrived
	cancel()
	if err := <-done; err == nil {
		t.Error("got no error of a cancelled run")
	}
	l.wantSent(0)

	// The next run sends the second batch again, and fails with the first: it counts both.
	l.refuseFirstBatch()
	if err := l.run(t.Context()); !jobs.IsCode(err, jobs.CodeForbidden) || l.progress.PossiblyDuplicated != 2*ownBatch {
		t.Errorf("got %v and the counts %+v, want a refusal, and %d events possibly duplicated", err, l.progress.Counts, 2*ownBatch)
	}
	l.wantNext(2*ownBatch, 2, 3, 1)
}

// checklist 2 64: another process takes the run over while both batches were accepted and
// none is committed.
func TestARunThatWasTakenOverCommitsNoBatchOnItsWay(t *testing.T) {
	t.Parallel()
	l := newLyticsImport(t)
	var lost atomic.Bool
	l.Fence = func(*store.Tx) error {
		if lost.Load() {
			return store.ErrFenced
		}
		return nil
	}
	accepted := make(chan struct{})
	l.upload = func(batch int, _ *http.Request, send sendUpload) (*http.Response, error) {
		resp, err := send()
		if batch == 0 {
			<-accepted
			lost.Store(true)
		} else {
			close(accepted)
		}
		return resp, err
	}
	if err := l.run(t.Context()); !errors.Is(err, store.ErrFenced) {
		t.Errorf("got the error %v, want the one of the fence", err)
	}
	l.wantSent(0)
	lost.Store(false)
	l.wantNext(2*ownBatch, 2, 2, 1)
}

// checklist 66: the quarantine is full after the first batch, whose rejected row it has. The
// second batch, which was accepted, is not committed.
func TestABatchIsNotCommittedAfterTheQuarantineIsFull(t *testing.T) {
	t.Parallel()
	l := newLyticsImport(t)
	l.rows[1].text = strings.Repeat("x", 17<<10) // no event of Lytics can be as long
	full := errors.New("no room")
	l.Quarantine = fullQuarantine{quarantineOf("k"), full}
	accepted := make(chan struct{})
	l.upload = func(batch int, _ *http.Request, send sendUpload) (*http.Response, error) {
		resp, err := send()
		if batch == 0 {
			<-accepted
		} else {
			close(accepted)
		}
		return resp, err
	}
	if err := l.run(t.Context()); !errors.Is(err, full) {
		t.Errorf("got the error %v, want that of the quarantine", err)
	}
	l.wantSent(ownBatch)
	if n := len(quarantined(t, l.db, "k")); n != 1 || l.progress.RowsRejected != 1 {
		t.Errorf("got %d rows in quarantine and %d counted, want 1", n, l.progress.RowsRejected)
	}
	l.Quarantine, l.upload = quarantineOf("k"), nil
	if err := l.run(t.Context()); err != nil || l.progress.PossiblyDuplicated != ownBatch {
		t.Errorf("got %v and the counts %+v, want the %d events of the second batch possibly duplicated", err, l.progress.Counts, ownBatch)
	}
	l.wantSent(3 * ownBatch)
}
