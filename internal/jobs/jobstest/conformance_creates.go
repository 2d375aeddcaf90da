package jobstest

import (
	"context"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// Checklist 69: a process that was told to stop during a create confirms nothing of
// that create when it ends normally, and everything else.
func unansweredCreates(t *testing.T, open Opener) {
	t.Helper()
	a := open()
	auth := authorize(t, a, "warehouse")
	create := func(ctx context.Context, table string) string {
		t.Helper()
		j, err := a.CreateJob(ctx, importSpec(auth.ID, table))
		return must(t, "create job "+table, j, err).ID
	}
	create(t.Context(), "plain")
	answered, end := jobs.BeginCreate(t.Context())
	create(answered, "answered")
	end()

	told, stop := context.WithCancel(t.Context())
	told, end = jobs.BeginCreate(told)
	stopped := create(told, "stopped")
	stop()
	end()
	still, _ := jobs.BeginCreate(t.Context())
	unended := create(still, "unended")
	if _, err := a.CreateField(still, ownedField, "first"); err != nil {
		t.Fatal(err)
	}
	secret := jobs.NewSecret("dapi-1")
	change := jobs.AuthorizationChange{Token: &secret, AuthorizationSpec: jobs.AuthorizationSpec{
		Label: "unended", Host: "http://127.0.0.1", Port: 1, HTTPPath: "/p"}}
	lost, err := a.CreateAuthorization(still, change)
	lost = must(t, "create authorization", lost, err)
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}

	b := open()
	for _, table := range []string{"plain", "answered"} {
		refused(t, "the job "+table, errorOf(b.CreateJob(t.Context(), importSpec(auth.ID, table))), jobs.CodeConflict, "table")
	}
	for table, id := range map[string]string{"stopped": stopped, "unended": unended} {
		if j, err := b.CreateJob(t.Context(), importSpec(auth.ID, table)); err != nil || j.ID != id {
			t.Errorf("the job %s, created again: got %s, %v; want %s", table, j.ID, err, id)
		}
	}
	if f, err := b.CreateField(t.Context(), ownedField, "second"); err != nil {
		t.Errorf("the field, created again: got %+v, %v", f, err)
	}
	if got, err := b.CreateAuthorization(t.Context(), change); err != nil || got.ID != lost.ID {
		t.Errorf("the authorization, created again: got %s, %v; want %s", got.ID, err, lost.ID)
	}
}
