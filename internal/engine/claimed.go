package engine

import (
	"context"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/tracing"
)

// reportInterval is how often a worker process reports progress.
const reportInterval = 300 * time.Millisecond

// ExecuteClaimed does the work of a run that another process claimed, in that process's
// name, and reports its progress. It renews no lease and does not record the end: that
// process does. This process writes to the store only behind the claim's fence, and is
// not registered on it.
//
// The last report is made before ExecuteClaimed returns. When ctx ends, the work ends
// with the context's cause.
func (e *Engine) ExecuteClaimed(ctx context.Context, c store.Claim, report func(Report)) error {
	db, err := e.open(ctx, readStore)
	if err != nil {
		return err
	}
	run, err := db.Run(ctx, c.RunID)
	if err != nil {
		return err
	}
	job, err := db.Job(ctx, c.JobID)
	if err != nil {
		return err
	}
	x := newExecution(e, db, job, run, &c)
	defer context.AfterFunc(ctx, func() { x.cancel(context.Cause(ctx)) })()
	defer x.cancel(nil)
	ended, reported := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(reported)
		tick := time.NewTicker(reportInterval)
		defer tick.Stop()
		for {
			select {
			case <-ended:
				return
			case <-tick.C:
			case <-x.progressed:
			}
			report(x.newReport())
		}
	}()
	err = x.guardedWork(tracing.Continue(x.ctx, c.Trace))
	tracing.Flush()
	close(ended)
	<-reported
	report(x.newReport())
	return err
}

// newReport returns the progress, and takes the log lines.
func (x *execution) newReport() Report {
	x.mu.Lock()
	defer x.mu.Unlock()
	r := Report{Run: x.run}
	for _, l := range x.log.take() {
		r.Log = append(r.Log, ReportLine{LogLine: jobs.LogLine{At: l.at, Level: l.level, Message: l.message}, Phase: l.phase})
	}
	return r
}
