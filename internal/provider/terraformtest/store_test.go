package terraformtest

import (
	"fmt"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs/jobstest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/provider/providertest"
)

func providerConfig(dir string) string {
	return fmt.Sprintf("provider \"lytics\" {\n  data_dir = %q\n}\n", dir)
}

// checklist 58
func TestLostStoreIsAnErrorAndKeepsState(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	here, there := "/data/here", "/data/there"
	config := func(dir string) string { return providerConfig(dir) + importConfig("") + audienceConfig }
	ways := `(?s)Nothing was removed from state.*LYTICS_DATA_DIR.*store-1.*backup.*terraform state rm`
	var kept *jobstest.Store
	runTerraform(t, env,
		resource.TestStep{Config: config(here)},
		resource.TestStep{Config: config(there), ExpectError: regexp.MustCompile(`(?s)There is no store at /data/there.*` + ways)},
		resource.TestStep{Config: config(there), Destroy: true, ExpectError: regexp.MustCompile(ways)},
		// A different one is no better.
		resource.TestStep{
			PreConfig: func() {
				_, err := env.Open(there).Store(t.Context(), true)
				if err != nil {
					t.Error(err)
				}
			},
			Config: config(there), ExpectError: regexp.MustCompile(`(?s)not the store that the state belongs to.*store-2.*` + ways),
		},
		resource.TestStep{
			PreConfig: func() { env.Change(func() { kept = env.Stores[here]; delete(env.Stores, here) }) },
			Config:    config(here), ExpectError: regexp.MustCompile(ways),
		},
		resource.TestStep{
			PreConfig: func() { env.Change(func() { env.Stores[here] = kept }) },
			Config:    config(here), ConfigPlanChecks: plans(plancheck.ExpectEmptyPlan()),
			Check: func(*terraform.State) error {
				if n := kept.Events[customers]; n != 100 || len(env.Stores) != 2 {
					return fmt.Errorf("%d events and %d stores", n, len(env.Stores))
				}
				return nil
			},
		},
	)
}

// checklist 60
func TestUnknownConfigurationOpensNothing(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	// The directory's name comes from a resource that a change replaces.
	config := func(trigger, label string) string {
		return `
resource "terraform_data" "dir" {
  input            = "/data/here"
  triggers_replace = "` + trigger + `"
}
provider "lytics" {
  data_dir = terraform_data.dir.output
}
resource "lytics_audience" "vip" {
  name   = "` + label + `"
  slug   = "vip"
  filter = "FILTER EXISTS email"
}
` + importConfig("")
	}
	opened := 0
	runTerraform(t, env,
		resource.TestStep{
			Config: config("1", "VIP"),
			Check: func(*terraform.State) error {
				opened = len(env.Targets())
				for _, c := range env.Targets() {
					if c.Engine.DataDir != filepath.FromSlash("/data/here") {
						return fmt.Errorf("%s was opened", c.Engine.DataDir)
					}
				}
				return nil
			},
		},
		resource.TestStep{Config: config("1", "VIP"), ConfigPlanChecks: plans(plancheck.ExpectEmptyPlan())},
		resource.TestStep{
			Config: config("2", "Best"),
			ConfigPlanChecks: plans(
				action("lytics_audience.vip", plancheck.ResourceActionUpdate),
				action(importAddress, plancheck.ResourceActionNoop)),
			Check: expectEvents(env, customers, 100),
		},
	)
	if opened == 0 || env.Created != 1 {
		t.Errorf("opened %d times, made %d stores", opened, env.Created)
	}
}
