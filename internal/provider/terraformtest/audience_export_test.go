package terraformtest

import (
	"regexp"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/provider/providertest"
)

const exportAddress = "lytics_databricks_audience_export.e"

const audienceConfig = `
resource "lytics_audience" "vip" {
  name   = "VIP customers"
  filter = "FILTER EXISTS email"
}
`

func exportConfig(audience, more string) string {
	return authorizationConfig + audienceConfig + `
resource "lytics_databricks_audience_export" "e" {
  label            = "vip"
  authorization_id = lytics_databricks_authorization.a.id
  audience_id      = ` + audience + `
  catalog          = "main"
  database         = "sales"
` + more + `
}
`
}

// checklist 47
func TestExportRunsOnceAndNamesItsTable(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	const vip = "lytics_audience.vip.id"
	table := func(name string) plancheck.PlanCheck {
		return plancheck.ExpectKnownValue(exportAddress, at("table_name"), knownvalue.StringExact(name))
	}
	runTerraform(t, env,
		resource.TestStep{
			Config: exportConfig(vip, `fields = ["email", "name"]`),
			// The audience is made in the same apply.
			ConfigPlanChecks: plans(plancheck.ExpectUnknownValue(exportAddress, at("table_name"))),
			ConfigStateChecks: []statecheck.StateCheck{
				holds(exportAddress, at("table_name"), knownvalue.StringExact("lytics_user_vip_customers")),
				holds(exportAddress, at("overwrite_existing"), knownvalue.Bool(false)),
				holds(exportAddress, at("last_run", "table"), knownvalue.StringExact("main.sales.lytics_user_vip_customers")),
				holds(exportAddress, at("last_run", "rows_written"), knownvalue.Int64Exact(7)),
			},
		},
		resource.TestStep{ResourceName: exportAddress, ImportState: true, ImportStateKind: resource.ImportBlockWithID},
		resource.TestStep{ResourceName: exportAddress, ImportState: true, ImportStateVerify: true},
		// All fields instead of some, in place and without a run.
		resource.TestStep{
			Config: exportConfig(vip, ""),
			ConfigPlanChecks: plans(action(exportAddress, plancheck.ResourceActionUpdate), table("lytics_user_vip_customers"),
				plancheck.ExpectKnownValue(exportAddress, at("last_run", "rows_written"), knownvalue.Int64Exact(7))),
		},
		resource.TestStep{
			Config:           exportConfig(vip, `table_name = "vips"`),
			ConfigPlanChecks: plans(action(exportAddress, plancheck.ResourceActionReplace), table("vips")),
		},
		resource.TestStep{
			Config:           exportConfig(vip, ""),
			ConfigPlanChecks: plans(action(exportAddress, plancheck.ResourceActionReplace), table("lytics_user_vip_customers")),
		},
		// By slug: the audience is there, so the table is known.
		resource.TestStep{
			Config:           exportConfig(`"vip_customers"`, "depends_on = [lytics_audience.vip]"),
			ConfigPlanChecks: plans(action(exportAddress, plancheck.ResourceActionUpdate), table("lytics_user_vip_customers")),
		},
	)
}

func TestExportPointsAtTheFaultyField(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	env.RunError = &jobs.Error{Code: jobs.CodeInvalid, Attribute: "fields.1", Summary: "The audience has no field mail", Next: "Correct it."}
	runTerraform(t, env, resource.TestStep{
		Config:      exportConfig("lytics_audience.vip.id", `fields = ["email", "mail"]`),
		ExpectError: regexp.MustCompile(`(?s)The run of "vip" failed.*fields = \["email", "mail"\].*no field mail`),
	})
}
