package jobstest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

func emptyQuarantine(t *testing.T, open Opener) {
	t.Helper()
	a := open()
	ctx := t.Context()
	want := jobs.QuarantineList{Entries: []jobs.QuarantineEntry{}}
	refused(t, "without a store", errorOf(a.QuarantinedRows(ctx, jobs.QuarantineFilter{})), jobs.CodeStore, "")
	j := createImport(t, a, "customers")
	for what, f := range map[string]jobs.QuarantineFilter{
		"of a job": {JobID: j.ID}, "of a run": {RunID: "run_x", WithData: true, Limit: 3}, "of a job that does not exist": {JobID: "job_x"},
	} {
		list, err := a.QuarantinedRows(ctx, f)
		if d := cmp.Diff(want, must(t, what, list, err)); d != "" {
			t.Errorf("%s: want and got:\n%s", what, d)
		}
	}
	for _, ids := range [][]int64{nil, {1, 2}} {
		if got, err := a.ResendQuarantined(ctx, j.ID, ids); err != nil || got != (jobs.Resent{}) {
			t.Errorf("send %v again: got %+v, %v; want nothing", ids, got, err)
		}
		if n, err := a.DropQuarantined(ctx, j.ID, ids); err != nil || n != 0 {
			t.Errorf("drop %v: got %d, %v; want 0", ids, n, err)
		}
	}
	refused(t, "send rows of no job", errorOf(a.ResendQuarantined(ctx, "job_x", nil)), jobs.CodeNotFound, "")
	refused(t, "drop rows of no job", errorOf(a.DropQuarantined(ctx, "job_x", nil)), jobs.CodeNotFound, "")
}
