package terraformtest

import (
	"fmt"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	tfstate "github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/provider/providertest"
)

// Every attribute is saved in the definition and read back from it.
//
// checklist 47
func TestImportAttributesAreReadBackUnchanged(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	all := importConfig(`
		key_columns       = ["id", "line"]
		exclude_columns   = ["ssn"]
		where             = "country = 'DE'"
		lookback          = "90m"
		expected_every    = "1560m"
		null_timestamps   = "include_once"
		future_timestamps = "include"
		batch_size        = 500
		row_limit         = 1000
		scratch_schema    = "main.scratch"
		full_refresh      = "1"`)
	runTerraform(t, env,
		resource.TestStep{
			Config: all,
			Check: func(*tfstate.State) error {
				for _, j := range env.Only().Jobs {
					i := j.Import
					if got := fmt.Sprintf("%s %v %v %s %s %s %s %d %d %s %s", j.ExpectedEvery(), i.KeyColumns, i.ExcludeColumns, i.Where, *i.Lookback,
						i.NullTimestamps, i.FutureTimestamps, i.BatchSize, i.RowLimit, i.ScratchSchema,
						i.FullRefresh); got != "26h0m0s [id line] [ssn] country = 'DE' 1h30m0s include_once include 500 1000 main.scratch 1" {
						return fmt.Errorf("defined %s", got)
					}
				}
				return nil
			},
		},
		resource.TestStep{Config: all, ConfigPlanChecks: plans(plancheck.ExpectEmptyPlan())},
		resource.TestStep{ResourceName: importAddress, ImportState: true, ImportStateKind: resource.ImportBlockWithID},
		resource.TestStep{
			Config: importConfig(`lookback = "24h0m0s"`),
			ConfigPlanChecks: plans(action(importAddress, plancheck.ResourceActionUpdate),
				plancheck.ExpectKnownValue(importAddress, at("null_timestamps"), knownvalue.StringExact("skip"))),
		},
		resource.TestStep{Config: importConfig(`lookback = "24h0m0s"`), ConfigPlanChecks: plans(plancheck.ExpectEmptyPlan())},
	)
}
