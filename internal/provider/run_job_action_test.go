package provider_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/provider/providertest"
)

// invoke runs lytics_run_job, and returns its progress messages and diagnostics.
func (r *client) invoke(given map[string]any) (said []string, diags []*tfprotov6.Diagnostic) {
	r.t.Helper()
	return r.invokeAction("lytics_run_job", given)
}

// planAction validates and plans an action.
func (r *client) planAction(action string, given map[string]any) []*tfprotov6.Diagnostic {
	r.t.Helper()
	server, _ := r.server.(tfprotov6.ActionServer)
	typ := r.schema.ActionSchemas[action].Schema.ValueType()
	config := dynamic(r.t, typ, build(typ, given))
	valid, err := server.ValidateActionConfig(r.t.Context(), &tfprotov6.ValidateActionConfigRequest{ActionType: action, Config: config})
	if err != nil {
		r.t.Fatal(err)
	}
	if failed(valid.Diagnostics) {
		return valid.Diagnostics
	}
	plan, err := server.PlanAction(r.t.Context(), &tfprotov6.PlanActionRequest{ActionType: action, Config: config})
	if err != nil {
		r.t.Fatal(err)
	}
	return plan.Diagnostics
}

// invokeAction runs an action that was planned earlier.
func (r *client) invokeAction(action string, given map[string]any) (said []string, diags []*tfprotov6.Diagnostic) {
	r.t.Helper()
	typ := r.schema.ActionSchemas[action].Schema.ValueType()
	stream, err := r.server.(tfprotov6.ActionServer).InvokeAction(r.t.Context(),
		&tfprotov6.InvokeActionRequest{ActionType: action, Config: dynamic(r.t, typ, build(typ, given))})
	if err != nil {
		r.t.Fatal(err)
	}
	for event := range stream.Events {
		switch e := event.Type.(type) {
		case tfprotov6.ProgressInvokeActionEventType:
			said = append(said, e.Message)
		case tfprotov6.CompletedInvokeActionEventType:
			diags = e.Diagnostics
		}
	}
	return said, diags
}

func TestTheActionRunsAJobAndReportsProgress(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	r := newClient(t, env)
	r.create("lytics_databricks_authorization", map[string]any{"label": "a", "host": "dbc-1.cloud.databricks.com",
		"http_path": "/p", "token_wo": "t", "token_wo_version": 1})
	var auth string
	for id := range env.Only().Authorizations {
		auth = id
	}
	r.create("lytics_databricks_table_import", map[string]any{"label": "j", "authorization_id": auth, "catalog": "main", "database": "sales",
		"table": "customers", "timestamp_column": "updated_at", "schedule": daily(nil)})
	var job string
	for id := range env.Only().Jobs {
		job = id
	}
	said, diags := r.invoke(map[string]any{"job_id": job})
	if failed(diags) || len(said) < 2 || !strings.Contains(said[len(said)-1], "succeeded: 100 rows read, 100 written") {
		t.Fatalf("it said %q and ended with %v", said, messages(diags))
	}
	if runs := env.Only().Runs; len(runs) != 1 || runs[0].Reason != jobs.ReasonManual {
		t.Fatalf("the runs are %+v", runs)
	}
	env.Change(func() {
		env.RunError = &jobs.Error{Code: jobs.CodeUnauthorized, Attribute: "token_wo", Summary: "The token was refused", Next: "Give another"}
	})
	pages := "https://runner.example.com/runs/"
	env.Pages = func(runID string) string { return pages + runID }
	const page = "https://runner.example.com/runs/run"
	said, diags = r.invoke(map[string]any{"job_id": job})
	if !failed(diags) || !strings.Contains(messages(diags)[0], "The token was refused") || !strings.Contains(messages(diags)[0], page) {
		t.Errorf("a failed run ended with %v", messages(diags))
	}
	if len(said) == 0 || !strings.Contains(said[0], page) {
		t.Errorf("where it can be looked at is not said first: %q", said)
	}
	if _, diags := r.invoke(map[string]any{"job_id": "job-none"}); !failed(diags) || !strings.Contains(messages(diags)[0], "job-none") {
		t.Errorf("an unknown job ended with %v", messages(diags))
	}
	if _, diags := r.invoke(map[string]any{"job_id": job, "wait": false}); !failed(diags) || !strings.Contains(messages(diags)[0],
		"No runner is connected") {
		t.Errorf("without a runner: got %v", messages(diags))
	}
	env.Change(func() { env.RunnerAlive, env.RunError = true, nil })
	said, diags = r.invoke(map[string]any{"job_id": job, "wait": false})
	if failed(diags) || !slices.ContainsFunc(said, func(s string) bool { return strings.Contains(s, "is left to the runner") }) {
		t.Errorf("left to a runner, it said %q and ended with %v", said, messages(diags))
	}
}
