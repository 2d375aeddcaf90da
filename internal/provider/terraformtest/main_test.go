package terraformtest

import (
	"os"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/provider/providertest"
)

func TestMain(m *testing.M) {
	// A developer's dev_overrides would replace the provider under test.
	if err := os.Unsetenv("TF_CLI_CONFIG_FILE"); err != nil {
		panic(err)
	}
	// Terraform inherits it, and collects its garbage less often: a fifth less CPU time.
	// This process, with the provider in it, has read the variable before.
	if err := os.Setenv("GOGC", "400"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// runTerraform runs steps in the real Terraform.
func runTerraform(t *testing.T, env *providertest.Environment, steps ...resource.TestStep) {
	t.Helper()
	resource.UnitTest(t, resource.TestCase{ProtoV6ProviderFactories: env.Factories(), Steps: steps})
}

const authorizationConfig = `
resource "lytics_databricks_authorization" "a" {
  label            = "warehouse"
  host             = "dbc-1.cloud.databricks.com"
  http_path        = "/sql/1.0/warehouses/w"
  token_wo         = "canary-7f3a"
  token_wo_version = 1
}
`

// importConfig is an import of main.sales.customers with more attributes.
func importConfig(more string) string {
	return authorizationConfig + `
resource "lytics_databricks_table_import" "t" {
  label            = "customers"
  authorization_id = lytics_databricks_authorization.a.id
  catalog          = "main"
  database         = "sales"
  table            = "customers"
  timestamp_column = "updated_at"
` + more + `
}
`
}
