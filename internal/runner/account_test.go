package runner_test

import (
	"cmp"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/lyticstest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner"
)

// checklist 65: a scheduled run refuses a token of another Lytics account than the
// store's, before it reads or sends anything.
func TestScheduledRunRefusesAnotherAccount(t *testing.T) {
	t.Parallel()
	const token, own, other = "token-of-an-account", "11111111111111111111111111111111", "22222222222222222222222222222222"
	account, err := lyticstest.New(lyticstest.Options{Token: token, AccountID: own})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = account.Close() })
	b := newFixture(t)
	b.work = nil // the runs do what they do in the product
	b.platform = engine.Lytics(engine.LyticsAccount{Token: jobs.NewSecret(token), APIURL: account.APIURL, BulkURL: account.BulkURL})
	e := b.apply()
	auth := b.authorize(e)
	// The first call binds the store to the account.
	if _, err := e.CreateField(t.Context(), jobs.Field{ID: "email", Type: "string", IsIdentifier: true}, "mine"); err != nil {
		t.Fatal(err)
	}
	account.SetAccount(other)
	j := b.job(e, auth.ID, "customers", startImmediately)
	b.runner(runner.Config{})
	var run jobs.Run
	eventually(t, "the end of the scheduled run", func() bool {
		runs, err := e.ListRuns(t.Context(), jobs.RunFilter{JobID: j.ID, Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		if len(runs) > 0 {
			run = runs[0]
		}
		return run.Status != "" && !run.Status.Active()
	})
	if run.Status != jobs.StatusFailed || run.Reason != jobs.ReasonSchedule {
		t.Fatalf("got a run with status %s, reason %s and failure %+v, want a failed run of the schedule", run.Status, run.Reason, run.Failure)
	}
	if code := run.Failure.Code; code != jobs.CodeStore {
		t.Errorf("got a failure with code %s, want %s", code, jobs.CodeStore)
	}
	text := cmp.Or(run.Failure.Detail, run.Failure.Summary)
	for _, id := range []string{own, other} {
		if !strings.Contains(text, id) {
			t.Errorf("got the failure %q, want it to name account %s", text, id)
		}
	}
	if len(run.Statements) != 0 {
		t.Errorf("the run sent %d statements to the warehouse, want none", len(run.Statements))
	}
}
