package terraformtest

import (
	"fmt"
	"regexp"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/provider/providertest"
)

// wait = false needs a runner, which executes the run.
func TestWaitFalseNeedsARunner(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	alive := func(yes bool) func() { return func() { env.Change(func() { env.RunnerAlive = yes }) } }
	runTerraform(t, env,
		resource.TestStep{Config: importConfig("wait = false"), ExpectError: regexp.MustCompile(`No runner is connected`)},
		resource.TestStep{PreConfig: alive(true), Config: importConfig(""), Check: expectEvents(env, customers, 100)},
		resource.TestStep{Config: importConfig("wait = false\ntriggers = { n = \"1\" }"), Check: func(*terraform.State) error {
			runs := env.Only().Runs
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

// The runner executes all runs of a job with after, including the first one.
func TestAJobAfterOthersIsLeftToTheRunner(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	env.RunnerAlive = true
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
	runTerraform(t, env,
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
	for _, r := range env.Only().Runs {
		if env.Only().Jobs[r.JobID].Export != nil {
			t.Errorf("the apply ran the export: %+v", r)
		}
	}
}

// The example of a runner can be applied.
func TestTheRunnersExampleApplies(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	env.RunnerAlive = true
	env.Variables = map[string]string{"LYTICS_RUNNER_TOKEN": "canary"}
	text := example(t, "runner/main.tf")
	variables := config.Variables{"databricks_token": config.StringVariable("t")}
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: env.Factories(),
		Steps: []resource.TestStep{
			{Config: text, ConfigVariables: variables},
			{Config: text, ConfigVariables: variables, ConfigPlanChecks: plans(plancheck.ExpectEmptyPlan())},
		},
	})
}
