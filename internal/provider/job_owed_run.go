package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// privateOwedRunKey is the key in private state of a job that owes its first run: it
// was imported or untainted, and no run of it has succeeded. The next apply runs it.
const privateOwedRunKey = "owed_run"

func owesRun(ctx context.Context, private privateReader, diags *diag.Diagnostics) bool {
	raw, d := private.GetKey(ctx, privateOwedRunKey)
	diags.Append(d...)
	return len(raw) > 0
}

func rememberOwedRun(ctx context.Context, private privateWriter, owed bool, diags *diag.Diagnostics) {
	var raw []byte // removes the key
	if owed {
		raw = []byte("true")
	}
	diags.Append(private.SetKey(ctx, privateOwedRunKey, raw)...)
}

// neverSucceeded reports whether a job has no run that succeeded, or that an apply
// accepted although it failed (fail_on_error = false).
func neverSucceeded(ctx context.Context, api jobs.API, job jobs.Job) (bool, error) {
	succeeded, err := api.ListRuns(ctx, jobs.RunFilter{JobID: job.ID, Statuses: []jobs.Status{jobs.StatusSucceeded}, Limit: 1})
	if err != nil || len(succeeded) > 0 {
		return false, err
	}
	accepted, err := lastRunOfApply(ctx, api, job)
	return accepted == nil, err
}
