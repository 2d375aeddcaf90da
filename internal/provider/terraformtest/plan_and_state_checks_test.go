package terraformtest

import (
	"fmt"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	tfstate "github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/provider/providertest"
)

func at(name string, nested ...string) tfjsonpath.Path {
	p := tfjsonpath.New(name)
	for _, n := range nested {
		p = p.AtMapKey(n)
	}
	return p
}

func holds(address string, p tfjsonpath.Path, v knownvalue.Check) statecheck.StateCheck {
	return statecheck.ExpectKnownValue(address, p, v)
}

func plans(checks ...plancheck.PlanCheck) resource.ConfigPlanChecks {
	return resource.ConfigPlanChecks{PreApply: checks}
}

func action(address string, a plancheck.ResourceActionType) plancheck.PlanCheck {
	return plancheck.ExpectResourceAction(address, a)
}

// expectEvents checks the number of events in a stream, which shows lost and
// duplicated rows.
func expectEvents(env *providertest.Environment, stream string, n int) resource.TestCheckFunc {
	return func(*tfstate.State) error {
		var got int
		env.Change(func() { got = env.Only().Events[stream] })
		if got != n {
			return fmt.Errorf("stream %s holds %d events, want %d", stream, got, n)
		}
		return nil
	}
}

const customers = "databricks_main_sales_customers"

func addRows(env *providertest.Environment, n int) func() {
	return func() { env.AddRows(n) }
}

func failRuns(env *providertest.Environment, err *jobs.Error) func() {
	return func() { env.FailRuns(err) }
}
