package provider_test

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs/jobstest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/provider/providertest"
)

func says(diags []*tfprotov6.Diagnostic, text string) bool {
	return failed(diags) && strings.Contains(strings.Join(messages(diags), "\n"), text)
}

// Each action finds at plan what its invocation would fail with. What is not known yet is
// left to the invocation.
func TestActionsAreCheckedAtPlan(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	c, states := sixObjects(t, env)
	imports, exports := idOf(t, states[tableImportType]), idOf(t, states[exportType])
	const run, cancelRun, pause, resume = "lytics_run_job", "lytics_cancel_run", "lytics_pause_job", "lytics_resume_job"
	for _, action := range []string{run, cancelRun, pause, resume} {
		if diags := c.planAction(action, map[string]any{"job_id": imports}); len(diags) > 0 {
			t.Errorf("%s: got %q", action, messages(diags))
		}
		if diags := c.planAction(action, map[string]any{"job_id": "job-none"}); !says(diags, "job-none") {
			t.Errorf("%s of no job: got %q", action, messages(diags))
		}
		if diags := c.planAction(action, map[string]any{"job_id": tftypes.UnknownValue}); len(diags) > 0 {
			t.Errorf("%s of a job that is not created yet: got %q", action, messages(diags))
		}
	}
	for _, test := range []struct {
		action string
		given  map[string]any
		want   string
	}{
		{run, map[string]any{"job_id": imports, "wait": false}, "No runner is connected"},
		{run, map[string]any{"job_id": imports, "timeout": "soon"}, "is not a length of time"},
		{run, map[string]any{"job_id": imports, "timeout": "-1h"}, "is not a length of time"},
		{run, map[string]any{"job_id": exports, "full_refresh": true}, "An export has no full refresh"},
		{run, map[string]any{"job_id": imports, "full_refresh": true, "wait": false}, "A full refresh needs wait"},
		{pause, map[string]any{"job_id": exports}, "nothing to pause"},
		{resume, map[string]any{"job_id": exports}, "nothing to resume"},
	} {
		if diags := c.planAction(test.action, test.given); !says(diags, test.want) {
			t.Errorf("%s %v: got %q, want %q", test.action, test.given, messages(diags), test.want)
		}
	}
	env.Change(func() {
		j := env.Only().Jobs[imports]
		paused := false
		j.Schedule.Paused, j.Import.FullRefresh = &paused, "2"
		env.Only().Jobs[imports] = j
	})
	if diags := c.planAction(pause, map[string]any{"job_id": imports}); !says(diags, "schedule.paused") {
		t.Errorf("a job whose definition decides: got %q", messages(diags))
	}
	if diags := c.planAction(run, map[string]any{"job_id": imports, "full_refresh": true}); !says(diags, "definition of the job has full_refresh") {
		t.Errorf("a definition with full_refresh: got %q", messages(diags))
	}
	unknown, _ := configure(t, env, map[string]any{"data_dir": tftypes.UnknownValue})
	if diags := unknown.planAction(run, map[string]any{"job_id": "job-none"}); len(diags) > 0 {
		t.Errorf("while the store is not known: got %q", messages(diags))
	}
}

// checklist 57: a full refresh marks the definition for the run alone. The plan of the
// job's resource stays empty, also after a run that failed.
func TestTheActionRefreshesOnce(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	c, states := sixObjects(t, env)
	id := idOf(t, states[tableImportType])
	var during string
	env.Change(func() {
		env.Intercept = func(call *jobstest.Call) (bool, error) {
			if call.Method == "StartRun" {
				during = env.Only().Jobs[id].Import.FullRefresh
			}
			return false, nil
		}
	})
	for _, fault := range []*jobs.Error{nil, {Code: jobs.CodeUnreachable, Summary: "The warehouse is gone"}} {
		env.FailRuns(fault)
		during = ""
		said, diags := c.invoke(map[string]any{"job_id": id, "full_refresh": true, "timeout": "1h"})
		if failed(diags) != (fault != nil) {
			t.Errorf("it said %q and ended with %q", said, messages(diags))
		}
		if !strings.HasPrefix(during, "action ") {
			t.Errorf("during the run, full_refresh is %q, want a mark", during)
		}
		if after := env.Only().Jobs[id].Import.FullRefresh; after != "" {
			t.Errorf("after the run, full_refresh is %q, want none", after)
		}
		if read, diags := c.read(tableImportType, states[tableImportType]); failed(diags) || !read.value.Equal(states[tableImportType].value) {
			t.Errorf("the resource changed: %q", messages(diags))
		}
	}
}

// The action takes its mark from the definition as it is after the run, and leaves the rest
// as it is: fail_on_error, and what was changed during the run.
func TestTheRefreshLeavesTheRestOfTheDefinition(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	c, states := sixObjects(t, env)
	id := idOf(t, states[tableImportType])
	const changed = "changed during the run"
	env.Change(func() {
		j := env.Only().Jobs[id]
		j.FailOnError = false
		env.Only().Jobs[id] = j
		env.Intercept = func(call *jobstest.Call) (bool, error) {
			if call.Method == "StartRun" {
				j := env.Only().Jobs[id]
				j.Description = changed
				env.Only().Jobs[id] = j
			}
			return false, nil
		}
	})
	if said, diags := c.invoke(map[string]any{"job_id": id, "full_refresh": true}); failed(diags) {
		t.Fatalf("it said %q and ended with %q", said, messages(diags))
	}
	after := env.Only().Jobs[id]
	if after.FailOnError {
		t.Error("after the run, fail_on_error is true, want false as before")
	}
	if after.Description != changed {
		t.Errorf("after the run, the description is %q, want %q", after.Description, changed)
	}
	if after.Import.FullRefresh != "" {
		t.Errorf("after the run, full_refresh is %q, want none", after.Import.FullRefresh)
	}
}

// A run that takes longer than timeout is cancelled, and the action fails.
func TestTheActionHasATimeLimit(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	c, states := sixObjects(t, env)
	env.Change(func() { env.RunsHang = true })
	_, diags := c.invoke(map[string]any{"job_id": idOf(t, states[tableImportType]), "timeout": "10ms"})
	if !says(diags, "took longer than 10ms") || !says(diags, "Raise timeout") {
		t.Errorf("got %q", messages(diags))
	}
	for _, r := range env.Only().Runs {
		if r.Status.Active() {
			t.Errorf("run %s is still active", r.ID)
		}
	}
}

func TestTheActionsPauseAndResume(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	c, states := sixObjects(t, env)
	id := idOf(t, states[tableImportType])
	for _, test := range []struct {
		action, says string
		paused       bool
	}{
		{"lytics_pause_job", "is paused", true}, {"lytics_pause_job", "is paused", true},
		{"lytics_resume_job", "its next run is planned for 2023-11-15T00:00:00Z", false},
	} {
		said, diags := c.invokeAction(test.action, map[string]any{"job_id": id})
		if failed(diags) || !strings.Contains(strings.Join(said, "\n"), test.says) {
			t.Errorf("%s: it said %q and ended with %q", test.action, said, messages(diags))
		}
		if got := env.Only().Jobs[id].Paused; got != test.paused {
			t.Errorf("%s: paused is %v, want %v", test.action, got, test.paused)
		}
		if read, _ := c.read(tableImportType, states[tableImportType]); !read.value.Equal(states[tableImportType].value) {
			t.Errorf("%s changes the job's resource", test.action)
		}
	}
	of := map[string]any{"job_id": idOf(t, states[exportType])}
	if _, diags := c.invokeAction("lytics_pause_job", of); !says(diags, "nothing to pause") {
		t.Errorf("a job without a schedule: got %q", messages(diags))
	}
}

// checklist 27: the action cancels the active run of a job, or only the one that is named.
func TestTheActionCancelsRuns(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	c, states := sixObjects(t, env)
	id, other := idOf(t, states[tableImportType]), idOf(t, states[exportType])
	cancelRun := func(given map[string]any) ([]string, []*tfprotov6.Diagnostic) {
		return c.invokeAction("lytics_cancel_run", given)
	}
	if said, diags := cancelRun(map[string]any{"job_id": id}); failed(diags) || !strings.Contains(said[0], "has no active run") {
		t.Errorf("without a run: it said %q and ended with %q", said, messages(diags))
	}
	run := jobs.Run{ID: "run-active", JobID: id, Status: jobs.StatusRunning, Reason: jobs.ReasonSchedule}
	env.Change(func() { env.Only().Runs = append(env.Only().Runs, run) })
	for _, given := range []map[string]any{{"job_id": id, "run_id": "run-none"}, {"job_id": other, "run_id": run.ID}} {
		if _, diags := cancelRun(given); !failed(diags) {
			t.Errorf("%v: want an error", given)
		}
	}
	said, diags := cancelRun(map[string]any{"job_id": id})
	if failed(diags) || !strings.Contains(strings.Join(said, ""), "run run-active of \"customers\" was cancelled") {
		t.Errorf("it said %q and ended with %q", said, messages(diags))
	}
	for _, r := range env.Only().Runs {
		if r.ID == run.ID && r.Status != jobs.StatusCancelled {
			t.Errorf("the run is %s", r.Status)
		}
	}
	if said, diags := cancelRun(map[string]any{"job_id": id, "run_id": run.ID}); failed(diags) || !strings.Contains(said[0], "no active run") {
		t.Errorf("a run that has ended: it said %q and ended with %q", said, messages(diags))
	}
}
