package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/redact"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// Workers executes the work of claimed runs in other processes. This process keeps the
// lease, writes progress and log, and records the end, so that a run whose worker
// process dies ends as any other. They answer questions about workspaces too, because a
// malformed answer may end the process that decodes it.
type Workers interface {
	// Execute does the work of a run in one worker process, and calls report with its
	// progress. The error is what the work returned, a *WorkerLost if the process ended
	// before it did, or a *WorkersUnavailable if no process could be started. When ctx
	// ends, Execute stops the work and waits for its end.
	Execute(ctx context.Context, c store.Claim, report func(Report)) error
	// Ask has one worker process answer a question. Its errors are those of Execute, and
	// the cause of ctx; what the work returned is in the answer. When ctx ends, Ask stops
	// the work and waits for its end. Questions to one workspace, a host with its port, do
	// not keep those to others waiting.
	Ask(ctx context.Context, workspace string, q Question) (Answer, error)
}

// Report is the progress of a run in a worker process, and what it logged since the last
// report. Of Run, the reader uses the status, the phase, the progress and the counts.
type Report struct {
	Run jobs.Run     `json:"run"`
	Log []ReportLine `json:"log,omitempty"`
}

// ReportLine is a line of the log of a run in a worker process.
type ReportLine struct {
	jobs.LogLine
	// Phase is the phase that begins with the line; "" for none.
	Phase string `json:"phase,omitempty"`
}

// WorkerLost is the error of a run, or of a question, whose worker process ended before it did.
type WorkerLost struct {
	PID int
	// How is how the process ended, such as "signal: killed".
	How string
	// Output is what it printed last, such as the first lines of a fatal error.
	Output []string
}

func (e *WorkerLost) Error() string {
	text := fmt.Sprintf("worker process %d ended during its work: %s", e.PID, e.How)
	if len(e.Output) > 0 {
		text += ": " + e.Output[0]
	}
	return text
}

// WorkersUnavailable is the error of work for which no worker process could be started.
// It passes: the machine may have been out of memory or of processes.
type WorkersUnavailable struct{ Err error }

func (e *WorkersUnavailable) Error() string {
	return "no worker process could be started: " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *WorkersUnavailable) Unwrap() error { return e.Err }

// maxWorkersLost is the number of worker processes that a run may end before it fails.
const maxWorkersLost = 2

// inWorker reports whether a worker process does the work. A run that follows a job in
// Lytics decodes no rows and may wait for hours, so that it needs no process of its own.
func (x *execution) inWorker() bool {
	return x.e.options.Workers != nil && !x.job.ManagedBy.IsLytics()
}

// workInWorker executes the run in a worker process.
func (x *execution) workInWorker(ctx context.Context) error {
	err := x.e.options.Workers.Execute(ctx, *x.claim, x.takeReport)
	lost, ok := errors.AsType[*WorkerLost](err)
	if !ok {
		return err
	}
	// A dying process may print the credential. The redactor of this process knows it
	// once it was opened here.
	if auth, err := x.db.Authorization(ctx, x.job.AuthorizationID); err == nil {
		token, _ := x.e.token(ctx, auth) // without a token there is none to hide
		defer runtime.KeepAlive(token)
	}
	for i, line := range lost.Output {
		lost.Output[i] = redact.Text(line)
		x.addLogLine(store.LogError, lost.Output[i])
	}
	return err
}

// takeReport shows the progress of a worker process as this run's.
func (x *execution) takeReport(r Report) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if r.Run.Phase != x.run.Phase || len(r.Log) > 0 {
		x.showSoon()
	}
	x.run.Status, x.run.Phase, x.run.Progress, x.run.Counts = r.Run.Status, r.Run.Phase, r.Run.Progress, r.Run.Counts
	for _, line := range r.Log {
		x.log.append(logLine{at: line.At, level: line.Level, message: line.Message, phase: line.Phase})
	}
}

// lostTooOften is the error of a run that ended as many worker processes as it may.
func lostTooOften(lost *WorkerLost) error {
	detail := fmt.Sprintf("The last one was process %d (%s)", lost.PID, lost.How)
	if len(lost.Output) > 0 {
		detail += ": " + lost.Output[0]
	}
	return &jobs.Error{
		Code: jobs.CodeFailed, Summary: fmt.Sprintf("%d worker processes ended while they executed this run", maxWorkersLost),
		Detail: detail + ".",
		Next: "The cause may be a malformed answer of the warehouse, or rows that need more memory than worker_memory_mb. " +
			"Read the run's log, then run the job again: it continues where this run stopped.",
		Err: lost,
	}
}
