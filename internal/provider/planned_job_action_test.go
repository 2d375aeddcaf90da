package provider_test

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs/jobstest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/provider/providertest"
)

// customersGiven is the import of sixObjects, with a change.
func customersGiven(t *testing.T, states map[string]*resourceState, change map[string]any) map[string]any {
	t.Helper()
	return with(map[string]any{"label": "customers", "authorization_id": idOf(t, states["lytics_databricks_authorization"]),
		"catalog": "main", "database": "sales", "table": "customers", "timestamp_column": "updated_at", "key_columns": []string{"id"},
		"lookback": "90m", "schedule": daily(nil), "triggers": map[string]any{"n": "1"}}, change)
}

// A plan that changes a job and has an action of it checks the definition that the job gets,
// and not the stored one. What is not known yet is left to the invocation.
func TestActionsAreCheckedWithThePlannedDefinition(t *testing.T) {
	t.Parallel()
	const run, pause, resume = "lytics_run_job", "lytics_pause_job", "lytics_resume_job"
	paused := func(value any) map[string]any {
		return map[string]any{"schedule": daily(map[string]any{"paused": value})}
	}
	for name, test := range map[string]struct {
		stored, planned map[string]any
		action          string
		more            map[string]any
		refused         string
	}{
		"paused is taken out":          {paused(true), nil, resume, nil, ""},
		"paused is added":              {nil, paused(true), resume, nil, "The job's definition decides"},
		"paused is not known":          {paused(true), paused(tftypes.UnknownValue), resume, nil, ""},
		"the schedule is taken out":    {nil, map[string]any{"schedule": nil}, pause, nil, "nothing to pause"},
		"a schedule is added":          {map[string]any{"schedule": nil}, nil, pause, nil, ""},
		"the schedule is not known":    {map[string]any{"schedule": nil}, map[string]any{"schedule": tftypes.UnknownValue}, pause, nil, ""},
		"full_refresh is taken out":    {map[string]any{"full_refresh": "1"}, nil, run, map[string]any{"full_refresh": true}, ""},
		"full_refresh is added":        {nil, map[string]any{"full_refresh": "1"}, run, map[string]any{"full_refresh": true}, "has full_refresh"},
		"nothing is changed":           {paused(true), paused(true), resume, nil, "The job's definition decides"},
		"nothing is changed, no pause": {nil, nil, resume, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := providertest.New()
			c, states := sixObjects(t, env)
			prior, diags := c.apply(t.Context(), tableImportType, states[tableImportType],
				build(c.typ(tableImportType), customersGiven(t, states, test.stored)))
			if failed(diags) {
				t.Fatal(messages(diags))
			}
			// Terraform plans in another process than it applied in.
			c = newClient(t, env)
			plan := c.plan(tableImportType, prior, build(c.typ(tableImportType), customersGiven(t, states, test.planned)))
			if failed(plan.Diagnostics) {
				t.Fatal(messages(plan.Diagnostics))
			}
			diags = c.planAction(test.action, with(map[string]any{"job_id": idOf(t, prior)}, test.more))
			if test.refused == "" && failed(diags) || test.refused != "" && !says(diags, test.refused) {
				t.Errorf("got %q, want %q", messages(diags), test.refused)
			}
		})
	}
}

// A job that the same apply creates has no id at plan: the plan of the action says nothing.
// The invocation checks and uses the definition that the job has by then, and not one of an
// earlier moment.
func TestActionsOfAJobThatTheApplyCreates(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	c := newClient(t, env)
	invoke := func(action, id string) ([]string, []*tfprotov6.Diagnostic) {
		return c.invokeAction(action, map[string]any{"job_id": id})
	}
	actions := []string{"lytics_run_job", "lytics_cancel_run", "lytics_pause_job", "lytics_resume_job"}
	for _, action := range actions { // there is no store yet either
		if diags := c.planAction(action, map[string]any{"job_id": tftypes.UnknownValue}); len(diags) > 0 {
			t.Errorf("%s, before the job exists: got %q", action, messages(diags))
		}
	}
	states := map[string]*resourceState{}
	states["lytics_databricks_authorization"] = c.create("lytics_databricks_authorization", authorizationGiven)
	created := c.create(tableImportType, customersGiven(t, states, nil))
	id := idOf(t, created)
	for _, action := range actions {
		if _, diags := invoke(action, id); failed(diags) {
			t.Errorf("%s: got %q", action, messages(diags))
		}
	}
	if got := env.Only().Jobs[id].Paused; got {
		t.Error("the job is paused, want resumed by the last action")
	}

	changed, diags := c.apply(t.Context(), tableImportType, created, build(c.typ(tableImportType),
		customersGiven(t, states, map[string]any{"schedule": daily(map[string]any{"paused": true})})))
	if failed(diags) {
		t.Fatal(messages(diags))
	}
	if _, diags := invoke("lytics_resume_job", id); !says(diags, "The job's definition decides") {
		t.Errorf("after the definition has paused: got %q", messages(diags))
	}
	var sent []string
	env.Change(func() {
		env.Intercept = func(call *jobstest.Call) (bool, error) {
			if call.Method == "PauseJob" || call.Method == "StartRun" {
				sent = append(sent, call.Method)
			}
			return false, nil
		}
	})
	// The plan of the next change, which another process applies.
	planned := c.plan(tableImportType, changed, build(c.typ(tableImportType), customersGiven(t, states, nil)))
	if failed(planned.Diagnostics) {
		t.Fatal(messages(planned.Diagnostics))
	}
	if diags := c.planAction("lytics_resume_job", map[string]any{"job_id": id}); len(diags) > 0 {
		t.Errorf("with the planned definition: got %q", messages(diags))
	}
	if said, diags := invoke("lytics_resume_job", id); !says(diags, "The job's definition decides") || len(sent) > 0 {
		t.Errorf("invoked before the change: it said %q, ended with %q, and sent %q", said, messages(diags), sent)
	}
	env.Change(func() { delete(env.Only().Jobs, id) })
	if _, diags := invoke("lytics_run_job", id); !says(diags, id) || len(sent) > 0 {
		t.Errorf("a job that is gone by then: got %q, sent %q", messages(diags), sent)
	}
}
