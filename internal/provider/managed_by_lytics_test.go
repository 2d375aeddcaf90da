package provider_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs/jobstest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/provider/providertest"
)

const importResource = "lytics_databricks_table_import"

// inLytics are the attributes of a job that Lytics executes.
var inLytics = map[string]any{"managed_by": "lytics", "authorization_id": "auth-3"}

// What Lytics has not is refused, at the attribute that asks for it.
func TestAttributesThatLyticsHasNotAreRefused(t *testing.T) {
	t.Parallel()
	env := documentedEnvironment(t)
	schedule := func(more map[string]any) map[string]any { return map[string]any{"schedule": daily(more)} }
	refused := map[string]map[string]map[string]any{
		importResource: {
			"where": {"where": "a = 1"}, "columns": {"columns": []string{"id"}}, "exclude_columns": {"exclude_columns": []string{"id"}},
			"key_columns": {"key_columns": []string{"id"}}, "lookback": {"lookback": "1h"}, "null_timestamps": {"null_timestamps": "error"},
			"changes":           {"changes": "compare"},
			"future_timestamps": {"future_timestamps": "include"}, "scratch_schema": {"scratch_schema": "main.scratch"},
			"full_refresh": {"full_refresh": "2"}, "max_rejected": {"max_rejected": 3}, "after": {"after": []string{"job-9"}}, "expected_every": {"expected_every": "26h"},
			"schedule.day_of_month":      schedule(map[string]any{"frequency": "monthly", "day_of_month": 3}),
			"schedule.catch_up":          schedule(map[string]any{"catch_up": "skip"}),
			"schedule.start_immediately": schedule(map[string]any{"start_immediately": false}),
			"schedule.time_of_day":       schedule(map[string]any{"frequency": "hourly", "time_of_day": "00:15"}),
		},
		"lytics_databricks_audience_export": {
			"table_name": {"table_name": "t"}, "overwrite_existing": {"overwrite_existing": true}, "column_types": {"column_types": "inferred"},
			"format": {"format": "parquet"}, "compression": {"compression": "none"}, "scratch_schema": {"scratch_schema": "main.scratch"},
			"max_shrink_percent":    {"max_shrink_percent": 0},
			"query_timeout_minutes": {"query_timeout_minutes": 5}, "schedule.frequency": schedule(map[string]any{"frequency": "hourly"}),
		},
	}
	for resource, cases := range refused {
		base := with(documentedResources[strings.TrimPrefix(resource, "lytics_")].base, inLytics)
		for attribute, change := range cases {
			t.Run(resource+"/"+attribute, func(t *testing.T) {
				t.Parallel()
				diags := newClient(t, env).validateAndPlan(resource, with(base, change))
				// For a path into the schedule Terraform finds no line.
				shown, _, _ := strings.Cut(attribute, ".")
				checkError(t, diags, shown, "Lytics")
			})
		}
		if diags := newClient(t, env).validateAndPlan(resource, base); failed(diags) {
			t.Errorf("%s without those attributes: %v", resource, messages(diags))
		}
		paused := with(base, schedule(map[string]any{"paused": true, "start_immediately": false}))
		if diags := newClient(t, env).validateAndPlan(resource, paused); failed(diags) {
			t.Errorf("%s that is created paused: %v", resource, messages(diags))
		}
	}
	authorization := with(authorizationGiven, map[string]any{"managed_by": "lytics"})
	noToken := map[string]any{"token_wo": nil, "token_wo_version": nil}
	for attribute, change := range map[string]map[string]any{
		"ca_file":   {"ca_file": "/etc/ca.pem"},
		"client_id": with(noToken, map[string]any{"client_id": "sp", "client_secret_wo": "s", "client_secret_wo_version": 1}),
		"token_env": with(noToken, map[string]any{"token_env": "T"}),
		"host":      {"host": "http://127.0.0.1"},
	} {
		checkError(t, newClient(t, env).validateAndPlan("lytics_databricks_authorization", with(authorization, change)), attribute, "Lytics")
	}
}

// Lytics executes without a runner, and both sides keep to their own authorizations.
func TestPlansOfJobsInLytics(t *testing.T) {
	t.Parallel()
	env := documentedEnvironment(t)
	r := newClient(t, env)
	given := with(importGiven, inLytics)
	if diags := r.validateAndPlan(importResource, with(given, map[string]any{"schedule": daily(nil), "wait": false})); len(diags) != 0 {
		t.Errorf("got %v, want no word about a runner", messages(diags))
	}
	for name, change := range map[string]map[string]any{
		"this provider's job with Lytics' authorization": {"managed_by": "provider", "authorization_id": "auth-3"},
		"Lytics' job with this provider's authorization": {"managed_by": "lytics", "authorization_id": "auth-1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkError(t, newClient(t, env).validateAndPlan(importResource, with(importGiven, change)), "authorization_id", "cannot be used by this job")
		})
	}
	for name, store := range map[string]*providertest.Environment{"no store yet": providertest.New(), "a store": documentedEnvironment(t)} {
		store.Change(func() { store.Lytics = false })
		diags := newClient(t, store).validateAndPlan("lytics_databricks_authorization", with(authorizationGiven, map[string]any{"managed_by": "lytics"}))
		checkError(t, diags, "managed_by", "no Lytics account")
		if name == "no store yet" && store.Created != 0 {
			t.Error("the plan created a store, want none")
		}
	}
	// Without a store, the provider block says that there is an account.
	account := newConfiguredClient(t, providertest.New(), map[string]any{"platform": map[string]any{"lytics": map[string]any{"token": "t"}}})
	if diags := account.validateAndPlan("lytics_databricks_authorization", with(authorizationGiven, map[string]any{"managed_by": "lytics"})); failed(diags) {
		t.Errorf("with an account and no store: %v", messages(diags))
	}
}

// A move is an update in place that says what becomes of the rows. From Lytics, it has
// to say where to continue.
func TestAJobMovesBetweenTheSidesInPlace(t *testing.T) {
	t.Parallel()
	env := documentedEnvironment(t)
	r := newClient(t, env)
	watermark := time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)
	here := r.create(importResource, importGiven)
	env.Change(func() { env.Only().Runs[0].Watermark = &watermark })
	there := with(importGiven, inLytics)
	plan := r.plan(importResource, here, build(r.typ(importResource), there))
	if text := strings.Join(messages(plan.Diagnostics), "\n"); failed(plan.Diagnostics) || len(plan.RequiresReplace) != 0 ||
		!strings.Contains(text, "2026-05-06 07:08:09") || !strings.Contains(text, "a second time") {
		t.Errorf("got replacements %v and %q, want an update in place that names the second", plan.RequiresReplace, text)
	}
	moved, diags := r.apply(t.Context(), importResource, here, build(r.typ(importResource), there))
	if failed(diags) || !pick(t, moved.value, "id").Equal(pick(t, here.value, "id")) {
		t.Fatalf("got %v and id %v, want the id %v", messages(diags), pick(t, moved.value, "id"), pick(t, here.value, "id"))
	}
	plan = r.plan(importResource, moved, build(r.typ(importResource), importGiven))
	checkError(t, plan.Diagnostics, "since_timestamp", "missing for the move from Lytics")
	back := with(importGiven, map[string]any{"since_timestamp": "2026-06-01 00:00:00"})
	plan = r.plan(importResource, moved, build(r.typ(importResource), back))
	if failed(plan.Diagnostics) || len(plan.RequiresReplace) != 0 {
		t.Errorf("got %v and replacements %v, want an update in place", messages(plan.Diagnostics), plan.RequiresReplace)
	}

	const resource = "lytics_databricks_audience_export"
	given := documentedResources["databricks_audience_export"].base
	export := r.create(resource, given)
	plan = r.plan(resource, export, build(r.typ(resource), with(given, inLytics)))
	if table := pick(t, r.value(resource, plan.PlannedState), "table_name"); failed(plan.Diagnostics) || len(plan.RequiresReplace) != 0 || !table.IsNull() {
		t.Errorf("got %v, replacements %v and table %v, want an update in place without a table", messages(plan.Diagnostics), plan.RequiresReplace, table)
	}
	if moved, diags = r.apply(t.Context(), resource, export, build(r.typ(resource), with(given, inLytics))); failed(diags) {
		t.Fatal(messages(diags))
	}
	plan = r.plan(resource, moved, build(r.typ(resource), given))
	if failed(plan.Diagnostics) || len(plan.RequiresReplace) != 0 {
		t.Errorf("got %v and replacements %v, want an update in place", messages(plan.Diagnostics), plan.RequiresReplace)
	}
}

// Ten creations an hour is Lytics' limit. A creation waits for it, as long as the
// apply may take.
func TestACreationWaitsForTheLimitOfLytics(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		env := documentedEnvironment(t)
		refusals := 30
		env.Intercept = func(c *jobstest.Call) (bool, error) {
			if c.Method != "CreateJob" || refusals == 0 {
				return false, nil
			}
			refusals--
			return true, &jobs.Error{Code: jobs.CodeLimited, Summary: "Cannot create job", Detail: "429", Next: "Apply again later"}
		}
		r := newClient(t, env)
		begun := time.Now()
		r.create(importResource, with(importGiven, inLytics))
		if waited := time.Since(begun); waited != 30*time.Minute || refusals != 0 {
			t.Errorf("got %d refusals left after %s, want none after 30m", refusals, waited)
		}
		refusals = 1000
		given := with(importGiven, with(inLytics, map[string]any{"table": "other", "timeouts": map[string]any{"create": "10m"}}))
		_, diags := r.apply(t.Context(), importResource, nil, build(r.typ(importResource), given))
		checkError(t, diags, "timeouts", "timeouts.create, which is 10m0s")
	})
}

// The data source shows the state of Lytics, and not that of a run.
func TestJobsShowsTheStateOfLytics(t *testing.T) {
	t.Parallel()
	env := documentedEnvironment(t)
	r := newClient(t, env)
	r.create(importResource, with(importGiven, inLytics))
	wake := time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)
	env.Change(func() {
		s := env.Only()
		for id, j := range s.Jobs {
			j.Lytics, j.NextRunAt = &jobs.LyticsState{ID: "abc", Status: "fault-2"}, &wake
			s.Jobs[id] = j
			for n := range 30 {
				s.Logs[id] = append(s.Logs[id], jobs.LogLine{At: wake, Level: "info", Message: fmt.Sprintf("line %d", n)})
			}
		}
	})
	state, diags := r.dataSource("lytics_jobs", nil)
	if failed(diags) {
		t.Fatal(messages(diags))
	}
	var rows []tftypes.Value
	if err := pick(t, state, "jobs").As(&rows); err != nil || len(rows) != 1 {
		t.Fatalf("got %d jobs, %v; want 1", len(rows), err)
	}
	got := map[string]string{}
	for _, name := range []string{"managed_by", "lytics_id", "status", "next_run_at"} {
		var text string
		if err := pick(t, rows[0], name).As(&text); err != nil {
			t.Fatal(err)
		}
		got[name] = text
	}
	want := map[string]string{"managed_by": "lytics", "lytics_id": "abc", "status": "fault-2", "next_run_at": "2026-05-06T07:08:09Z"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the job (-want +got):\n%s", diff)
	}
	var lines []tftypes.Value
	if err := pick(t, rows[0], "lytics_log").As(&lines); err != nil || len(lines) != 20 {
		t.Errorf("got %d lines of the log, %v; want the newest 20", len(lines), err)
	}
}
