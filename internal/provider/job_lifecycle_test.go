package provider_test

import (
	"context"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/provider/providertest"
)

var (
	authorizationGiven = documentedResources["databricks_authorization"].base
	importGiven        = documentedResources["databricks_table_import"].base
)

// With -refresh=false nothing is read, so the plan tells the store that state has
// the object.
//
// checklist 44
func TestPlanWithoutRefreshConfirms(t *testing.T) {
	t.Parallel()
	env := documentedEnvironment(t)
	r := newClient(t, env)
	authorization := r.create("lytics_databricks_authorization", authorizationGiven)
	job := r.create("lytics_databricks_table_import", importGiven)
	clear(env.Only().Confirmed)

	for resource, s := range map[string]*resourceState{"lytics_databricks_authorization": authorization, "lytics_databricks_table_import": job} {
		plan := r.plan(resource, s, build(r.typ(resource), documentedResources[strings.TrimPrefix(resource, "lytics_")].base))
		if failed(plan.Diagnostics) || !r.value(resource, plan.PlannedState).Equal(s.value) {
			t.Errorf("%s: %v, planned %s", resource, messages(plan.Diagnostics), r.value(resource, plan.PlannedState))
		}
		var id string
		if err := pick(t, s.value, "id").As(&id); err != nil || !env.Only().Confirmed[id] {
			t.Errorf("%s %s was not confirmed (%v)", resource, id, err)
		}
	}

	clear(env.Only().Jobs)
	plan := r.plan("lytics_databricks_table_import", job, build(r.typ("lytics_databricks_table_import"), importGiven))
	if text := strings.Join(messages(plan.Diagnostics), "\n"); !strings.Contains(text, "without -refresh=false") {
		t.Errorf("a job that is gone is planned without a word: %q", text)
	}
	// Destroying it is fine: it is gone already.
	typ := r.typ("lytics_databricks_table_import")
	if plan := r.plan("lytics_databricks_table_import", job, tftypes.NewValue(typ, nil)); failed(plan.Diagnostics) {
		t.Errorf("a job that is gone cannot be destroyed: %v", messages(plan.Diagnostics))
	}
}

// Ctrl-C during a run cancels the run. The definition is in state, and the next
// apply continues.
//
// checklist 27, 44
func TestInterruptedApply(t *testing.T) {
	t.Parallel()
	env := documentedEnvironment(t)
	env.RunsHang = true
	r := newClient(t, env)
	const resource = "lytics_databricks_table_import"
	ctx, interrupt := context.WithCancel(t.Context())
	env.OnHang = func() { interrupt() }
	s, diags := r.apply(ctx, resource, nil, build(r.typ(resource), importGiven))
	if text := strings.Join(messages(diags), "\n"); !failed(diags) || !strings.Contains(text,
		"was interrupted") || !strings.Contains(text, "next apply continues") {
		t.Errorf("the interruption is reported as %q", text)
	}
	var status, id string
	if err := pick(t, s.value, "last_run", "status").As(&status); err != nil || status != string(jobs.StatusCancelled) {
		t.Errorf("the run in state is %q (%v)", status, err)
	}
	if err := pick(t, s.value, "id").As(&id); err != nil || id == "" {
		t.Errorf("state has no id: %v", err)
	}
}

func TestScheduleWithoutRunnerWarns(t *testing.T) {
	t.Parallel()
	const resource = "lytics_databricks_table_import"
	warned := func(env *providertest.Environment, schedule any) bool {
		r := newClient(t, env)
		given := with(importGiven, map[string]any{"schedule": schedule})
		plan := r.plan(resource, nil, build(r.typ(resource), given))
		if failed(plan.Diagnostics) {
			t.Fatal(messages(plan.Diagnostics))
		}
		return strings.Contains(strings.Join(messages(plan.Diagnostics), ""), "Nothing will execute this schedule")
	}
	env := documentedEnvironment(t)
	if !warned(env, daily(nil)) {
		t.Error("no runner is alive, and nothing is said")
	}
	if !warned(providertest.New(), daily(nil)) {
		t.Error("there is no store yet, and nothing is said")
	}
	if warned(env, nil) || warned(env, daily(map[string]any{"paused": true})) {
		t.Error("a warning where nothing is to be executed")
	}
	env.RunnerAlive = true
	if warned(env, daily(nil)) {
		t.Error("a warning although a runner is alive")
	}
}

// terraform import of a job of the wrong kind, and of an object that does not
// exist.
func TestImportOfTheWrongObject(t *testing.T) {
	t.Parallel()
	env := documentedEnvironment(t)
	r := newClient(t, env)
	s := r.create("lytics_databricks_table_import", importGiven)
	var id string
	if err := pick(t, s.value, "id").As(&id); err != nil {
		t.Fatal(err)
	}
	read := func(resource, id string) (*tfprotov6.ReadResourceResponse, tftypes.Value) {
		imported, err := r.server.ImportResourceState(t.Context(), &tfprotov6.ImportResourceStateRequest{TypeName: resource, ID: id})
		if err != nil || failed(imported.Diagnostics) {
			t.Fatal(err, messages(imported.Diagnostics))
		}
		got := imported.ImportedResources[0]
		resp, err := r.server.ReadResource(t.Context(), &tfprotov6.ReadResourceRequest{TypeName: resource, CurrentState: got.State,
			Private: got.Private})
		if err != nil {
			t.Fatal(err)
		}
		if resp.NewState == nil {
			return resp, tftypes.Value{}
		}
		return resp, r.value(resource, resp.NewState)
	}
	resp, _ := read("lytics_databricks_audience_export", id)
	if text := strings.Join(messages(resp.Diagnostics), ""); !strings.Contains(text, "Import it as a lytics_databricks_table_import") {
		t.Errorf("an import taken for an export: %q", text)
	}
	if resp, v := read("lytics_field", "nobody"); failed(resp.Diagnostics) || !v.IsNull() {
		t.Errorf("a field that is not there: %v, %v", messages(resp.Diagnostics), v)
	}
}

// If the run that changed triggers started fails, state and store keep the prior
// triggers: the next plan shows the difference, with or without a refresh.
func TestFailedRerunKeepsPriorTriggers(t *testing.T) {
	t.Parallel()
	env := documentedEnvironment(t)
	r := newClient(t, env)
	const resource = "lytics_databricks_table_import"
	first := r.create(resource, importGiven)
	env.RunError = &jobs.Error{Code: jobs.CodeFailed, Summary: "broken"}
	changed := with(importGiven, map[string]any{"triggers": map[string]any{"n": "2"}, "label": "new"})
	second, diags := r.apply(t.Context(), resource, first, build(r.typ(resource), changed))
	if !failed(diags) {
		t.Fatal("a failed run fails no apply")
	}
	for _, name := range []string{"triggers", "last_run"} {
		if got, want := pick(t, second.value, name), pick(t, first.value, name); !got.Equal(want) {
			t.Errorf("%s is %s in state, want the prior %s", name, got, want)
		}
	}
	if pick(t, second.value, "label").Equal(pick(t, first.value, "label")) {
		t.Error("the definition that was saved is not in state")
	}
	for _, j := range env.Only().Jobs {
		if j.Triggers["n"] != "1" || j.Label != "new" {
			t.Errorf("the store holds triggers %v and label %s", j.Triggers, j.Label)
		}
	}
}

// An attribute of the provider block is named in the text of the error, since no
// line of the resource is at fault.
func TestAProviderBlockErrorNamesTheAttribute(t *testing.T) {
	t.Parallel()
	env := documentedEnvironment(t)
	env.RunError = &jobs.Error{Code: jobs.CodeInvalid, Attribute: "staging.s3.bucket", Summary: "The bucket does not exist"}
	const resource = "lytics_databricks_audience_export"
	r := newClient(t, env)
	_, diags := r.apply(t.Context(), resource, nil, build(r.typ(resource), documentedResources["databricks_audience_export"].base))
	if len(diags) != 1 || diags[0].Attribute != nil || !strings.Contains(diags[0].Detail, "attribute at fault is staging.s3.bucket") {
		t.Errorf("%v", messages(diags))
	}
}

// checklist 61
func TestPlanCreatesNoStore(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	c := newClient(t, env)
	for _, resource := range []string{"lytics_databricks_authorization", "lytics_databricks_table_import", "lytics_audience"} {
		given := documentedResources[resource[len("lytics_"):]].base
		if diags := c.validateAndPlan(resource, given); failed(diags) {
			t.Errorf("%s: %q", resource, messages(diags))
		}
	}
	if env.Created != 0 {
		t.Errorf("a plan created %d stores, want none", env.Created)
	}
}

func TestTimeLimitOfAnApply(t *testing.T) {
	t.Parallel()
	env := documentedEnvironment(t)
	env.RunsHang = true
	c := newClient(t, env)
	const resource = "lytics_databricks_table_import"
	given := with(importGiven, map[string]any{"timeouts": map[string]any{"create": "300ms"}})
	_, diags := c.apply(t.Context(), resource, nil, build(c.typ(resource), given))
	checkError(t, diags, "timeouts", `took longer than 300ms.*cursor is kept.*Raise timeouts.create`)
}

func TestTwoResourcesOfOneKey(t *testing.T) {
	t.Parallel()
	c := newClient(t, documentedEnvironment(t))
	const resource = "lytics_databricks_table_import"
	c.create(resource, importGiven)
	_, diags := c.apply(t.Context(), resource, nil, build(c.typ(resource), with(importGiven, map[string]any{"label": "twin"})))
	checkError(t, diags, "table", `Another job moves the same table.*terraform import`)
}

// An apply that was killed before it wrote state has registered a job that no
// state knows.
//
// checklist 44
func TestInterruptedCreateConvergesOnOneJob(t *testing.T) {
	t.Parallel()
	env := documentedEnvironment(t)
	const stream = "databricks_main_sales_customers"
	env.Change(func() {
		env.Only().Jobs["job-lost"] = jobs.Job{ID: "job-lost", JobSpec: jobs.JobSpec{AuthorizationID: "auth-1", Import: &jobs.TableImport{
			Catalog: "main", Database: "sales", Table: "customers", TimestampColumn: "updated_at", Stream: stream}}}
	})
	state := newClient(t, env).create("lytics_databricks_table_import", importGiven)
	if id, want := pick(t, state.value, "id"), tftypes.NewValue(tftypes.String, "job-lost"); !id.Equal(want) {
		t.Errorf("got the job %s, want %s", id, want)
	}
	if got := env.Only().Events[stream]; got != 100 {
		t.Errorf("the stream has %d events, want 100", got)
	}
}
