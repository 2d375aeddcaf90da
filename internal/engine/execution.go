package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/tracing"
)

var (
	errStopping        = errors.New("the process that executes the run is stopping")
	errCancelRequested = errors.New("the run was cancelled on request")
)

// execution is a run that this process executes: it queued the run for itself,
// or as a runner it claimed a shared one.
type execution struct {
	e      *Engine
	db     *store.DB
	job    store.JobRow
	shared bool
	// lost reports that another process took the run over. Read it after execute.
	lost bool

	ctx    context.Context
	cancel context.CancelCauseFunc
	done   chan struct{}

	// phases are the spans of the run's phases, while this process does its work.
	phases atomic.Pointer[tracing.Phases]

	mu    sync.Mutex
	run   jobs.Run
	log   runLog
	claim *store.Claim
	// progressed signals that there is something to write before the next heartbeat.
	progressed chan struct{}
}

func newExecution(e *Engine, db *store.DB, job store.JobRow, run jobs.Run, claim *store.Claim) *execution {
	// The run outlives the call that started it; Close and CancelRun end it.
	ctx, cancel := context.WithCancelCause(jobs.WithRun(context.Background(), jobs.RunRef{RunID: run.ID, JobID: job.ID}))
	return &execution{
		e: e, db: db, job: job, run: run, claim: claim, ctx: ctx, cancel: cancel,
		done: make(chan struct{}), progressed: make(chan struct{}, 1),
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
	x.run.Failure = x.run.Failure.Redacted()
	if x.run.Phase != before {
		x.log.phase(x.run.Phase)
		x.tracePhase(x.run.Phase)
		x.showSoon()
	}
}

// tracePhase begins the span of a phase. The text in brackets behind its name is
// progress.
func (x *execution) tracePhase(name string) {
	if p := x.phases.Load(); p != nil {
		head, _, _ := strings.Cut(name, " (")
		p.Begin(head)
	}
}

func (x *execution) addLogLine(level, message string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.log.add(level, message)
	x.showSoon()
}

func (x *execution) showSoon() {
	select {
	case x.progressed <- struct{}{}:
	default:
	}
}

// execute does the work of a claimed run under a heartbeat, and records its
// end.
func (x *execution) execute() {
	traced, end := tracing.Start(x.ctx, "run "+string(x.job.Kind()), attribute.String("lytics.run.id", x.run.ID),
		attribute.String("lytics.job.id", x.job.ID), attribute.String("lytics.job.label", x.job.Label),
		attribute.Int("lytics.run.attempt", x.claim.Attempt), attribute.String("lytics.run.reason", string(x.run.Reason)))
	x.claim.Trace = tracing.Carrier(traced)
	ctx, stop := context.WithCancelCause(traced)
	beats := make(chan struct{})
	go func() {
		defer close(beats)
		x.keepLease(ctx, stop)
	}()
	err := x.guardedWork(ctx)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = cause
	}
	stop(nil)
	<-beats
	x.finish(err)
	ended := x.now()
	if ended.Status != jobs.StatusFailed {
		err = nil
	}
	end(tracedError(err), attribute.String("lytics.run.status", string(ended.Status)), attribute.Int64("lytics.run.rows_read", ended.RowsRead),
		attribute.Int64("lytics.run.rows_written", ended.RowsWritten))
	tracing.Flush()
}

// tracedError is what a trace says of the error of a run: its detail may have values of
// rows, such as one that the warehouse could not cast.
func tracedError(err error) error {
	if e, ok := errors.AsType[*jobs.Error](err); ok && !errors.Is(err, context.Canceled) {
		return errors.New(e.Summary)
	}
	return err
}

// waitTurn waits until the run can be claimed: no other run of the job is active,
// and fewer than the limit of its authorization are.
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

// begin updates the run after its claim.
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

// pollCancel is how often a request to cancel is looked for, and minBeat the
// least time between two heartbeats that only write progress.
const (
	pollCancel = 300 * time.Millisecond
	minBeat    = time.Second
)

// keepLease renews the lease and writes progress and log lines to the store. It stops
// the work when the run was cancelled, when another process took it over, or when
// no renewal succeeded for as long as the lease lasts.
func (x *execution) keepLease(ctx context.Context, stop context.CancelCauseFunc) {
	tick := time.NewTicker(pollCancel)
	defer tick.Stop()
	renewed, beaten := time.Now(), time.Now()
	changed := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-x.progressed:
			changed = true
		case <-tick.C:
			if asked, err := x.db.CancelRequested(ctx, x.run.ID); err == nil && asked {
				stop(errCancelRequested)
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
				stop(errCancelRequested)
			}
		case errors.Is(err, store.ErrFenced):
			stop(err)
		case time.Since(renewed) > store.Lease:
			stop(fmt.Errorf("the store could not be written for %s: %w", store.Lease, err))
		}
	}
}

// show writes one heartbeat, with the progress and the log lines since the last.
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

// fence fails, inside a transaction, if another process has taken the run over.
func (x *execution) fence(tx *store.Tx) error { return store.Fence(x.ctx, tx, x.claim) }

// Phase, Advance and Count implement the movements' Progress.
func (x *execution) Phase(name string, total int64) {
	x.update(func(r *jobs.Run) { r.Phase, r.Progress = name, jobs.Progress{Total: total} })
}

// Advance implements Progress.
func (x *execution) Advance(n int64) { x.update(func(r *jobs.Run) { r.Done += n }) }

// Count implements Progress.
func (x *execution) Count(f func(*jobs.Counts)) { x.update(func(r *jobs.Run) { f(&r.Counts) }) }
