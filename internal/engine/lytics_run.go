package engine

import (
	"context"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/lyticsjobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// startManaged starts the work of a job that Lytics executes. The run that follows it
// only watches, so that any process may execute or repeat it.
func (e *Engine) startManaged(ctx context.Context, db *store.DB, row *store.JobRow) error {
	_, j, err := e.accountJob(ctx, *row)
	if err != nil {
		return err
	}
	if err := e.startInLytics(ctx, db, row, j); err != nil {
		return err
	}
	// Runs of one authorization are limited to spare its warehouse. This run uses
	// none.
	row.AuthorizationID = jobs.LyticsIDPrefix + row.ID
	return nil
}

// followLytics is the work of a run of a job that Lytics executes.
func (x *execution) followLytics(ctx context.Context) error {
	account, j, err := x.e.accountJob(ctx, x.job)
	if err != nil {
		return err
	}
	x.update(func(r *jobs.Run) { r.Status, r.Phase = jobs.StatusRunning, "Lytics job "+j.ID })
	return lyticsjobs.Follow(ctx, account, j.ID, x.started(), lyticsReport{x})
}

// started is when the run was asked for, which is when Lytics was.
func (x *execution) started() time.Time { return x.now().CreatedAt }

// lyticsReport shows the work in Lytics as progress and log of a run.
type lyticsReport struct{ x *execution }

func (r lyticsReport) Doing(status, message string) {
	phase := status + " in Lytics"
	if message != "" {
		phase += " (" + message + ")"
	}
	r.x.update(func(run *jobs.Run) { run.Phase = phase })
}

func (r lyticsReport) Logged(line jobs.LogLine) {
	level := map[string]string{"warn": store.LogWarn, "error": store.LogError}[line.Level]
	if level == "" {
		level = store.LogInfo
	}
	r.x.addLogLine(level, "Lytics: "+line.Message)
}
