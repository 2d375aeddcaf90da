package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/retry"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// attempts bound those of a run whose failures are transient. The pauses are
// waited for in the queue, by whichever process claims the run next.
var attempts = retry.Policy{Attempts: 6, First: 15 * time.Second, Longest: 10 * time.Minute, Factor: 4}

// transient reports whether the next attempt may succeed: the warehouse, the
// staging, the platform or the store could not be reached. A wrong definition or
// a refused credential is not transient.
func transient(err error) bool {
	if e, ok := errors.AsType[*WorkError](err); ok {
		return e.Transient
	}
	if _, ok := errors.AsType[*WorkersUnavailable](err); ok {
		return true
	}
	return jobs.IsCode(err, jobs.CodeUnreachable) || store.Transient(err)
}

// finish records how the execution ended.
func (x *execution) finish(err error) {
	lost, workerLost := errors.AsType[*WorkerLost](err)
	switch {
	case errors.Is(err, store.ErrFenced):
		// Another process has the run, and writes for it.
		x.lost = true
		x.update(func(r *jobs.Run) {
			r.Status, r.Phase = jobs.StatusFailed, ""
			r.Failure = jobs.Failure{Code: jobs.CodeFailed, Summary: "This process lost the run", Detail: err.Error() + "."}
		})
	case x.shared && errors.Is(err, errStopping):
		x.requeue(store.Requeue{Phase: "queued: its runner stopped"}, store.LogInfo,
			fmt.Sprintf("Runner %s is stopping: the run is handed over, and continues where it stopped.", x.e.options.Name))
	case x.shared && x.now().Reason != jobs.ReasonApply && transient(err) && x.claim.Attempt < attempts.Attempts:
		wait := attempts.Pause(x.claim.Attempt).Round(time.Second)
		x.requeue(store.Requeue{Phase: "queued: tried again after a failure that may pass", Wait: wait, Failed: true}, store.LogWarn,
			fmt.Sprintf("Attempt %d of %d failed, the next one is in %s: %s", x.claim.Attempt, attempts.Attempts, wait, err))
	case x.shared && workerLost && x.claim.WorkersLost+1 < maxWorkersLost:
		// The new claim's number fences what the process left unfinished at the database.
		x.requeue(store.Requeue{Phase: "queued: its worker process was lost", Failed: true, WorkerLost: true}, store.LogWarn,
			fmt.Sprintf("Worker process %d was lost (%s); attempt %d continues where it stopped.", lost.PID, lost.How, x.claim.Attempt+1))
	case x.shared && workerLost:
		x.recordEnd(lostTooOften(lost))
	default:
		x.recordEnd(err)
	}
}

func (x *execution) recordEnd(err error) {
	x.update(func(r *jobs.Run) {
		r.Phase = ""
		switch {
		case err == nil:
			r.Status = jobs.StatusSucceeded
			x.log.end(store.LogInfo, "succeeded")
		case errors.Is(err, errCancelRequested),
			errors.Is(err, errStopping),
			errors.Is(err, context.Canceled),
			jobs.IsCode(err, jobs.CodeCancelled):
			r.Status = jobs.StatusCancelled
			r.Failure = jobs.Failure{Code: jobs.CodeCancelled, Summary: "The run was cancelled: " + err.Error(), Next: jobs.RunAgain}
			if x.job.ManagedBy.IsLytics() {
				r.Failure.Next = "Only the waiting ended: Lytics continues its work. Read the job's log."
			}
			x.log.end(store.LogWarn, r.Failure.String())
		default:
			r.Status, r.Failure = jobs.StatusFailed, jobs.FailureOf(err)
			x.log.end(store.LogError, r.Failure.String())
		}
	})
	x.logWarnings()
	if err := x.record(func(ctx context.Context, log []store.LogEntry) error {
		return x.db.FinishRun(ctx, x.claim, x.now(), log...)
	}); err != nil {
		x.update(func(r *jobs.Run) {
			r.Status = jobs.StatusFailed
			r.Failure = jobs.Failure{
				Code: jobs.CodeStore, Summary: "The end of the run could not be recorded", Detail: err.Error() + ".",
				Next: "Run the job again: what this run moved is kept.",
			}
		})
	}
}

// logWarnings logs what a reader of the counts must not overlook.
func (x *execution) logWarnings() {
	run := x.now()
	for _, w := range []struct {
		n    int64
		text string
	}{
		{run.RowsNull, "%d rows have no timestamp and were skipped."},
		{run.RowsFuture, "%d rows lie after the warehouse's clock and wait for a later run."},
		{run.RowsRejected, "%d rows were rejected and are in quarantine."},
		{run.PossiblyDuplicated, "%d events were sent a second time with the same ids, because the answer to the first was lost."},
		{run.Conflicts, "%d users have more identities than one user has, and were left as they are."},
	} {
		if w.n > 0 {
			x.addLogLine(store.LogWarn, fmt.Sprintf(w.text, w.n))
		}
	}
}

func (x *execution) requeue(q store.Requeue, level, message string) {
	x.mu.Lock()
	x.log.end(level, message)
	x.mu.Unlock()
	err := x.record(func(ctx context.Context, log []store.LogEntry) error {
		return x.db.RequeueRun(ctx, x.claim, x.now(), q, log...)
	})
	x.update(func(r *jobs.Run) {
		r.Status, r.Phase = jobs.StatusQueued, q.Phase
		if err != nil {
			// Its lease ends by itself, and another runner takes it over.
			r.Phase = "queued: its lease ends"
		}
	})
}

// recordTimeout bounds the last write of a run. If the store cannot be written
// for so long, the run stays as it is, and its lease ends: another process takes
// it over.
const recordTimeout = 20 * time.Second

// record writes the end of a run and its last log lines. It tries again while the
// store cannot be written.
func (x *execution) record(write func(ctx context.Context, log []store.LogEntry) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), recordTimeout)
	defer cancel()
	x.mu.Lock()
	lines := x.log.take()
	x.mu.Unlock()
	_, err := retry.Do(ctx, retry.Policy{First: pollOther}, func(int) (struct{}, error) {
		return struct{}{}, write(ctx, entries(lines))
	}, func(_ int, err error) retry.Decision {
		return retry.If(!errors.Is(err, store.ErrFenced) && jobs.IsCode(err, jobs.CodeStore))
	})
	return err
}
