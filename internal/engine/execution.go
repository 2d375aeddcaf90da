package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

var (
	errStopping = errors.New("the process that executes the run is stopping")
	errAsked    = errors.New("the run was cancelled on request")
)

// execution is one run, executed by this process: one that it queued for
// itself, or in a runner a shared one that it claimed.
type execution struct {
	e      *Engine
	db     *store.DB
	job    store.JobRow
	shared bool
	// lost is set when another process took the run; to be read after execute.
	lost bool

	ctx    context.Context
	cancel context.CancelCauseFunc
	done   chan struct{}

	mu    sync.Mutex
	run   jobs.Run
	log   runLog
	claim *store.Claim
	// moved is told when there is something to show before the next beat.
	moved chan struct{}
}

func newExecution(e *Engine, db *store.DB, job store.JobRow, run jobs.Run, claim *store.Claim) *execution {
	// The run outlives the call that started it; Close and CancelRun end it.
	ctx, cancel := context.WithCancelCause(context.Background())
	return &execution{
		e: e, db: db, job: job, run: run, claim: claim, ctx: ctx, cancel: cancel,
		done: make(chan struct{}), moved: make(chan struct{}, 1),
	}
}

func (x *execution) now() jobs.Run {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.run
}

func (x *execution) update(f func(*jobs.Run)) {
	x.mu.Lock()
	defer x.mu.Unlock()
	before := x.run.Phase
	f(&x.run)
	if x.run.Phase != before {
		x.log.phase(x.run.Phase)
		x.tell()
	}
}

func (x *execution) say(level, message string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.log.add(level, message)
	x.tell()
}

func (x *execution) tell() {
	select {
	case x.moved <- struct{}{}:
	default:
	}
}

// execute does the work of a claimed run under a heartbeat, and records its
// end.
func (x *execution) execute() {
	ctx, stop := context.WithCancelCause(x.ctx)
	beats := make(chan struct{})
	go func() {
		defer close(beats)
		x.beat(ctx, stop)
	}()
	err := x.work(ctx)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = cause
	}
	stop(nil)
	<-beats
	x.finish(err)
}

// waitTurn queues until the job has no other active run and its warehouse has
// room for one more.
func (x *execution) waitTurn() error {
	for {
		claim, waiting, err := x.db.ClaimRun(x.ctx, x.run.ID, x.e.instance, x.e.options.Name, x.e.options.MaxRunsPerAuthorization)
		if err != nil {
			if cause := context.Cause(x.ctx); cause != nil {
				return cause
			}
			return err
		}
		if claim != nil {
			x.claim = claim
			return x.begin()
		}
		x.update(func(r *jobs.Run) { r.Phase = waiting })
		select {
		case <-x.ctx.Done():
			return context.Cause(x.ctx)
		case <-time.After(pollOther):
		}
	}
}

// begin notes that the run has its claim.
func (x *execution) begin() error {
	started, err := x.db.Clock(x.ctx)
	x.update(func(r *jobs.Run) {
		r.Status, r.Phase, r.Attempt, r.Runner = jobs.StatusWaiting, "connecting", x.claim.Attempt, x.e.options.Name
		if r.StartedAt == nil {
			r.StartedAt = &started
		}
	})
	return err
}

// How quickly a request to cancel is seen, and the least time between two
// heartbeats that show progress.
const (
	pollCancel = 300 * time.Millisecond
	minBeat    = time.Second
)

// beat renews the lease and shows progress to other processes. It stops the
// work when the run was cancelled, when another process took it, or when no
// renewal succeeded for as long as the lease lasts.
func (x *execution) beat(ctx context.Context, stop context.CancelCauseFunc) {
	tick := time.NewTicker(pollCancel)
	defer tick.Stop()
	renewed, beaten := time.Now(), time.Now()
	changed := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-x.moved:
			changed = true
		case <-tick.C:
			if asked, err := x.db.CancelRequested(ctx, x.run.ID); err == nil && asked {
				stop(errAsked)
				return
			}
		}
		if since := time.Since(beaten); since < store.Heartbeat && (!changed || since < minBeat) {
			continue
		}
		beaten, changed = time.Now(), false
		asked, err := x.show(ctx)
		switch {
		case err == nil:
			renewed = beaten
			if asked {
				stop(errAsked)
			}
		case errors.Is(err, store.ErrFenced):
			stop(err)
		case time.Since(renewed) > store.Lease:
			stop(fmt.Errorf("the store could not be written for %s: %w", store.Lease, err))
		}
	}
}

// show beats with what is new.
func (x *execution) show(ctx context.Context) (asked bool, err error) {
	x.mu.Lock()
	run, lines := x.run, x.log.take()
	x.mu.Unlock()
	asked, err = x.db.BeatRun(ctx, x.claim, run, entries(lines)...)
	if err != nil {
		x.mu.Lock()
		x.log.putBack(lines)
		x.mu.Unlock()
	}
	return asked, err
}

// fence fails inside a transaction when another process has the run.
func (x *execution) fence(tx *store.Tx) error { return store.Fence(x.ctx, tx, x.claim) }

// Phase, Advance and Count implement the movements' Progress.
func (x *execution) Phase(name string, total int64) {
	x.update(func(r *jobs.Run) { r.Phase, r.Progress = name, jobs.Progress{Total: total} })
}

// Advance implements Progress.
func (x *execution) Advance(n int64) { x.update(func(r *jobs.Run) { r.Done += n }) }

// Count implements Progress.
func (x *execution) Count(f func(*jobs.Counts)) { x.update(func(r *jobs.Run) { f(&r.Counts) }) }
