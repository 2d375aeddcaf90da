package provider_test

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	engineconfig "github.com/terraform-provider-lytics/terraform-provider-lytics/internal/config"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// What the runner keeps is not said beside it; the environment may be its own.
func TestTheRunnerBlockStandsAlone(t *testing.T) {
	t.Parallel()
	const runner = "runner = {\nurl = \"https://runner.example.com\"\ntoken = \"canary\"\n}\n"
	env := map[string]string{"LYTICS_RUNNER_URL": "https://env.example.com", "LYTICS_RUNNER_TOKEN": "canary"}
	for name, c := range map[string]struct {
		block, want string
		env         map[string]string
	}{
		"data_dir":            {runner + `data_dir = "/d"`, "data_dir is given beside the runner block", nil},
		"database_url":        {runner + `database_url = "postgres://h/d"`, "database_url is given beside", nil},
		"encryption_key_file": {runner + `encryption_key_file = "/k"`, "encryption_key_file is given beside", nil},
		"allow_private_hosts": {runner + `allow_private_hosts = true`, "allow_private_hosts is given beside", nil},
		"staging":             {runner + `staging = { s3 = { bucket = "b" } }`, "staging is given beside", nil},
		"platform":            {runner + `platform = { lytics = { token = "t" } }`, "platform is given beside", nil},
		"environment":         {`data_dir = "/d"`, "data_dir is given beside LYTICS_RUNNER_URL", env},
		"no address":          {`runner = { token = "canary" }`, "The runner has no address", nil},
		"no token":            {`runner = { url = "https://r" }`, "There is no token for the runner", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			resource.UnitTest(t, resource.TestCase{
				ProtoV6ProviderFactories: newWorld().factoriesIn(c.env),
				Steps: []resource.TestStep{{Config: "provider \"lytics\" {\n" + c.block + "\n}\n" + audienceConfig,
					ExpectError: regexp.MustCompile(strings.ReplaceAll(c.want, " ", `\s+`))}},
			})
		})
	}
	for name, c := range map[string]struct {
		block, url string
		env        map[string]string
	}{
		"block":       {"provider \"lytics\" {\n" + runner + "}\n", "https://runner.example.com", map[string]string{"LYTICS_STAGING_S3_BUCKET": "b", "LYTICS_DATA_DIR": "/d"}},
		"environment": {"", "https://env.example.com", env},
		"both":        {"provider \"lytics\" {\nrunner = {}\n}\n", "https://env.example.com", env},
	} {
		t.Run("from the "+name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			resource.UnitTest(t, resource.TestCase{
				ProtoV6ProviderFactories: w.factoriesIn(c.env), Steps: []resource.TestStep{{Config: c.block + audienceConfig}},
			})
			for _, got := range w.configs {
				if r := got.Runner; r == nil || r.URL != c.url || r.Token.Reveal() != "canary" || got.Engine.DataDir != "" || got.Engine.Staging != nil {
					t.Errorf("opened with %+v", got)
				}
			}
			if len(w.configs) == 0 {
				t.Error("nothing was opened")
			}
		})
	}
}

// A runner that owns the data directory executes runs by what it was told: what
// of the provider block has no effect then is said, once.
func TestWhatTheRunnerOfADataDirectoryPassesOver(t *testing.T) {
	t.Parallel()
	staging := map[string]any{"s3": map[string]any{"bucket": "b"}}
	said := func(remote string, block map[string]any) (all []string) {
		w := newWorld()
		w.remote = remote
		r := newRPCWith(t, w, block)
		for _, id := range []string{"age", "name"} {
			_, diags := r.apply(t.Context(), "lytics_field", nil, build(r.typ("lytics_field"), map[string]any{"id": id, "type": "string"}))
			if failed(diags) {
				t.Fatal(messages(diags))
			}
			all = append(all, messages(diags)...)
		}
		return all
	}
	const at = "the runner at /d/runner.sock"
	got := said(at, map[string]any{"data_dir": "/d", "staging": staging, "allow_private_hosts": true})
	if len(got) != 1 || !strings.Contains(got[0], "The runner at /d/runner.sock owns /d") || !strings.Contains(got[0], "no effect: allow_private_hosts, staging.") {
		t.Errorf("said %q", got)
	}
	if got := said(at, map[string]any{"data_dir": "/d"}); len(got) != 0 {
		t.Errorf("of nothing it said %q", got)
	}
	if got := said("", map[string]any{"data_dir": "/d", "staging": staging}); len(got) != 0 {
		t.Errorf("without a runner it said %q", got)
	}
}

// checklist 60: a runner that is not known yet never means the embedded store.
func TestAnUnknownRunnerKeepsStateUnread(t *testing.T) {
	t.Parallel()
	for _, attribute := range []string{"url", "token"} {
		t.Run(attribute, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			values := map[string]string{"url": `"https://runner.example.com"`, "token": `"canary"`}
			plain := strings.Trim(values[attribute], `"`)
			values[attribute] = "terraform_data.later.output"
			text := func(trigger, label string) string {
				return fmt.Sprintf(`
resource "terraform_data" "later" {
  input            = %q
  triggers_replace = %q
}
provider "lytics" {
  runner = { url = %s, token = %s }
}
`, plain, trigger, values["url"], values["token"]) + strings.Replace(audienceConfig, "VIP", label, 1)
			}
			check := func(*terraform.State) error {
				for _, c := range w.configs {
					if c.Runner == nil || c.Runner.URL != "https://runner.example.com" || c.Runner.Token.Reveal() != "canary" {
						return fmt.Errorf("opened with %+v", c)
					}
				}
				return nil
			}
			runTerraform(t, w,
				resource.TestStep{Config: text("1", "VIP"), Check: check},
				resource.TestStep{Config: text("2", "VIP"), ConfigPlanChecks: plans(action("lytics_audience.vip", plancheck.ResourceActionNoop)), Check: check})
			if w.made != 1 {
				t.Errorf("%d stores were made", w.made)
			}
		})
	}
}

// Nothing but a runner executes a run that no apply waits for.
func TestWaitFalseTakesARunner(t *testing.T) {
	t.Parallel()
	w := newWorld()
	alive := func(yes bool) func() { return func() { w.change(func(w *world) { w.runnerAlive = yes }) } }
	runTerraform(t, w,
		resource.TestStep{Config: importConfig("wait = false"), ExpectError: regexp.MustCompile(`Nobody would execute the run`)},
		resource.TestStep{PreConfig: alive(true), Config: importConfig(""), Check: expectEvents(w, customers, 100)},
		resource.TestStep{Config: importConfig("wait = false\ntriggers = { n = \"1\" }"), Check: func(*terraform.State) error {
			runs := w.only().runs
			if len(runs) != 2 || runs[1].Status != jobs.StatusQueued {
				return fmt.Errorf("the runs are %+v", runs)
			}
			return nil
		}, ConfigPlanChecks: plans(plancheck.ExpectUnknownValue(importAddress, at("last_run")))},
		resource.TestStep{Config: importConfig("wait = false\ntriggers = { n = \"1\" }"), ConfigPlanChecks: plans(plancheck.ExpectEmptyPlan())},
		// What runs nothing needs no runner.
		resource.TestStep{PreConfig: alive(false), Config: importConfig("wait = false\ntriggers = { n = \"1\" }\ndescription = \"d\"")},
	)
}

// A job that runs after others is the runner's, its first run too.
func TestAJobAfterOthersIsLeftToTheRunner(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.runnerAlive = true
	text := importConfig("") + `
resource "lytics_audience" "all" {
  name   = "All"
  filter = "FILTER *"
}
resource "lytics_databricks_audience_export" "e" {
  label            = "export"
  authorization_id = lytics_databricks_authorization.a.id
  audience_id      = lytics_audience.all.id
  catalog          = "main"
  database         = "sales"
  after            = [lytics_databricks_table_import.t.id]
}
data "lytics_jobs" "exports" {
  kind       = "audience_export"
  depends_on = [lytics_databricks_audience_export.e]
}
output "after" { value = data.lytics_jobs.exports.jobs[0].after == tolist([lytics_databricks_table_import.t.id]) && length(data.lytics_jobs.exports.jobs) == 1 }
output "status" { value = data.lytics_jobs.exports.jobs[0].status }
`
	runTerraform(t, w,
		resource.TestStep{
			Config: text,
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectKnownValue("lytics_databricks_audience_export.e", at("last_run"), knownvalue.Null()),
			}},
			Check: resource.ComposeTestCheckFunc(resource.TestCheckOutput("after", "true"), resource.TestCheckOutput("status", "never")),
		},
		resource.TestStep{Config: text, ConfigPlanChecks: plans(plancheck.ExpectEmptyPlan())},
		resource.TestStep{ResourceName: "lytics_databricks_audience_export.e", ImportState: true, ImportStateKind: resource.ImportBlockWithID},
	)
	for _, r := range w.only().runs {
		if w.only().jobs[r.JobID].Export != nil {
			t.Errorf("the apply ran the export: %+v", r)
		}
	}
}

// invoke runs the action, and gives what it said and how it ended.
func (r *rpc) invoke(given map[string]any) (said []string, diags []*tfprotov6.Diagnostic) {
	r.t.Helper()
	typ := r.schema.ActionSchemas["lytics_run_job"].Schema.ValueType()
	config := dynamic(r.t, typ, build(typ, given))
	plan, err := r.server.(tfprotov6.ActionServer).PlanAction(r.t.Context(), &tfprotov6.PlanActionRequest{ActionType: "lytics_run_job", Config: config})
	if err != nil || failed(plan.Diagnostics) {
		r.t.Fatal(err, plan)
	}
	stream, err := r.server.(tfprotov6.ActionServer).InvokeAction(r.t.Context(), &tfprotov6.InvokeActionRequest{ActionType: "lytics_run_job", Config: config})
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

func TestTheActionRunsAJobAndSaysHowFarItIs(t *testing.T) {
	t.Parallel()
	w := newWorld()
	r := newRPC(t, w)
	r.create("lytics_databricks_authorization", map[string]any{"label": "a", "host": "dbc-1.cloud.databricks.com", "http_path": "/p", "token_wo": "t", "token_wo_version": 1})
	var auth string
	for id := range w.only().authorizations {
		auth = id
	}
	r.create("lytics_databricks_table_import", map[string]any{"label": "j", "authorization_id": auth, "catalog": "main", "database": "sales",
		"table": "customers", "timestamp_column": "updated_at", "schedule": daily(nil)})
	var job string
	for id := range w.only().jobs {
		job = id
	}
	said, diags := r.invoke(map[string]any{"job_id": job})
	if failed(diags) || len(said) < 2 || !strings.Contains(said[len(said)-1], "succeeded: 100 rows read, 100 written") {
		t.Fatalf("it said %q and ended with %v", said, messages(diags))
	}
	if runs := w.only().runs; len(runs) != 1 || runs[0].Reason != jobs.ReasonManual {
		t.Fatalf("the runs are %+v", runs)
	}
	w.change(func(w *world) {
		w.fail = &jobs.Error{Code: jobs.CodeUnauthorized, Attribute: "token_wo", Summary: "The token was refused", Next: "Give another"}
	})
	pages := "https://runner.example.com/runs/"
	w.pages.Store(&pages)
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
	if _, diags := r.invoke(map[string]any{"job_id": job, "wait": false}); !failed(diags) || !strings.Contains(messages(diags)[0], "Nobody would execute") {
		t.Errorf("with nobody to leave it to: %v", messages(diags))
	}
	w.change(func(w *world) { w.runnerAlive, w.fail = true, nil })
	said, diags = r.invoke(map[string]any{"job_id": job, "wait": false})
	if failed(diags) || !slices.ContainsFunc(said, func(s string) bool { return strings.Contains(s, "is left to the runner") }) {
		t.Errorf("left to a runner, it said %q and ended with %v", said, messages(diags))
	}
}

// The example of a runner is a configuration that works.
func TestTheRunnersExampleApplies(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.runnerAlive = true
	text := example(t, "runner/main.tf")
	variables := config.Variables{"databricks_token": config.StringVariable("t")}
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: w.factoriesIn(map[string]string{"LYTICS_RUNNER_TOKEN": "canary"}),
		Steps: []resource.TestStep{
			{Config: text, ConfigVariables: variables},
			{Config: text, ConfigVariables: variables, ConfigPlanChecks: plans(plancheck.ExpectEmptyPlan())},
		},
	})
}

// A runner's configuration file has every key of the provider block but runner.
func TestTheConfigurationFileHasTheProvidersKeys(t *testing.T) {
	t.Parallel()
	r := newRPC(t, newWorld())
	var compare func(at string, attributes []*tfprotov6.SchemaAttribute, keys reflect.Type)
	compare = func(at string, attributes []*tfprotov6.SchemaAttribute, keys reflect.Type) {
		fields := map[string]reflect.Type{}
		for i := range keys.NumField() {
			fields[keys.Field(i).Tag.Get("yaml")] = keys.Field(i).Type
		}
		for _, a := range attributes {
			field, ok := fields[a.Name]
			switch {
			case at+a.Name == "runner":
			case !ok:
				t.Errorf("the provider block has %s%s, and the configuration file has not", at, a.Name)
			case a.NestedType != nil:
				compare(at+a.Name+".", a.NestedType.Attributes, field.Elem())
			}
		}
	}
	compare("", r.schema.Provider.Block.Attributes, reflect.TypeFor[engineconfig.Engine]())
}
