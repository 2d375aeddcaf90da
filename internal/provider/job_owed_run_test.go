package provider_test

import (
	"context"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

const importedStream = "databricks_main_sales_customers"

// idOf reads the id in a state.
func idOf(t *testing.T, s *resourceState) string {
	t.Helper()
	var id string
	if err := pick(t, s.value, "id").As(&id); err != nil {
		t.Fatal(err)
	}
	return id
}

// Checklist 69: Terraform left at the second Ctrl-C, and the plugin ends normally. It
// confirms the job of the open create to nobody, and everything else.
func TestACreateThatWasToldToStopIsContinued(t *testing.T) {
	t.Parallel()
	env := documentedEnvironment(t)
	r := newClient(t, env)
	first := r.create("lytics_databricks_authorization", authorizationGiven)
	env.RunsHang = true
	ctx, stop := context.WithCancel(t.Context())
	env.OnHang = func() { stop() }
	lost, diags := r.apply(ctx, importResource, nil, build(r.typ(importResource), importGiven))
	if !failed(diags) {
		t.Fatal("an interrupted apply reports no error")
	}
	if err := env.End(); err != nil {
		t.Fatal(err)
	}
	if !env.Only().Confirmed[idOf(t, first)] || env.Only().Confirmed[idOf(t, lost)] {
		t.Errorf("confirmed are %v, want %s and not %s", env.Only().Confirmed, idOf(t, first), idOf(t, lost))
	}
	env.RunsHang, env.OnHang = false, nil
	next := newClient(t, env).create(importResource, importGiven)
	if got, want := idOf(t, next), idOf(t, lost); got != want {
		t.Errorf("the next apply made the job %s, want %s", got, want)
	}
	if got := env.Only().Events[importedStream]; got != 100 {
		t.Errorf("the stream has %d events, want 100", got)
	}
}

// Checklist 69: a job whose first run failed and that was untainted, or imported, owes
// the run.
func TestAJobThatNeverSucceededOwesARun(t *testing.T) {
	t.Parallel()
	for name, of := range map[string]func(t *testing.T, r *client, s *resourceState) *resourceState{
		"untainted": func(_ *testing.T, _ *client, s *resourceState) *resourceState { return s },
		"imported": func(t *testing.T, r *client, s *resourceState) *resourceState {
			t.Helper()
			resp, err := r.server.ImportResourceState(t.Context(), &tfprotov6.ImportResourceStateRequest{TypeName: importResource, ID: idOf(t, s)})
			if err != nil || failed(resp.Diagnostics) {
				t.Fatal(err, messages(resp.Diagnostics))
			}
			got := resp.ImportedResources[0]
			return &resourceState{r.value(importResource, got.State), got.Private, got.Identity}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := documentedEnvironment(t)
			env.RunError = &jobs.Error{Code: jobs.CodeFailed, Summary: "broken"}
			r := newClient(t, env)
			config := build(r.typ(importResource), importGiven)
			s, diags := r.apply(t.Context(), importResource, nil, config)
			if text := strings.Join(messages(diags), ""); !strings.Contains(text, "terraform untaint") {
				t.Errorf("the error does not name terraform untaint: %s", text)
			}
			refreshed := func(s *resourceState) *resourceState {
				t.Helper()
				s, diags := r.read(importResource, s)
				if failed(diags) {
					t.Fatal(messages(diags))
				}
				return s
			}
			lastRun := func(s *resourceState) tftypes.Value {
				t.Helper()
				plan := r.plan(importResource, s, config)
				if failed(plan.Diagnostics) {
					t.Fatal(messages(plan.Diagnostics))
				}
				return pick(t, r.value(importResource, plan.PlannedState), "last_run")
			}
			s = refreshed(of(t, r, s))
			if lastRun(s).IsKnown() {
				t.Fatal("the plan shows no run")
			}
			if s, diags = r.apply(t.Context(), importResource, s, config); !failed(diags) || lastRun(s).IsKnown() {
				t.Fatalf("after another failure: %v, and the plan shows no run", messages(diags))
			}
			env.FailRuns(nil)
			if s, diags = r.apply(t.Context(), importResource, s, config); failed(diags) {
				t.Fatal(messages(diags))
			}
			if got := env.Only().Events[importedStream]; got != 100 || !lastRun(refreshed(s)).IsKnown() {
				t.Errorf("the stream has %d events, want 100 and no further run", got)
			}
		})
	}
}

// A run that somebody else started pays the debt.
func TestASuccessfulRunOfAnotherProcessIsOwedNoMore(t *testing.T) {
	t.Parallel()
	env := documentedEnvironment(t)
	env.RunError = &jobs.Error{Code: jobs.CodeFailed, Summary: "broken"}
	r := newClient(t, env)
	config := build(r.typ(importResource), importGiven)
	s, _ := r.apply(t.Context(), importResource, nil, config)
	env.FailRuns(nil)
	api := env.Open(env.Targets()[0].Engine.DataDir)
	run, err := api.StartRun(t.Context(), idOf(t, s), jobs.ReasonManual)
	if err != nil {
		t.Fatal(err)
	}
	if run, err = api.WaitRun(t.Context(), run.ID, nil); err != nil || run.Status != jobs.StatusSucceeded {
		t.Fatalf("the run is %+v, %v", run, err)
	}
	s, diags := r.read(importResource, s)
	plan := r.plan(importResource, s, config)
	if failed(diags) || !pick(t, r.value(importResource, plan.PlannedState), "last_run").IsKnown() {
		t.Errorf("the plan shows a run although one succeeded: %v", messages(diags))
	}
}
