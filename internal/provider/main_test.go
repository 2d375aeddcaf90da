package provider_test

import (
	"os"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/provider"
)

func TestMain(m *testing.M) {
	// A developer's dev_overrides would replace the provider under test.
	if err := os.Unsetenv("TF_CLI_CONFIG_FILE"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// dependencies join a provider to a world. The environment is empty.
func (w *world) dependencies() provider.Dependencies {
	return provider.Dependencies{
		Open:      w.open,
		LookupEnv: func(string) (string, bool) { return "", false },
	}
}

func (w *world) factories() map[string]func() (tfprotov6.ProviderServer, error) {
	return map[string]func() (tfprotov6.ProviderServer, error){
		"lytics": providerserver.NewProtocol6WithError(provider.New("test", w.dependencies())()),
	}
}

// runTerraform runs steps against a world, in the real Terraform.
func runTerraform(t *testing.T, w *world, steps ...resource.TestStep) {
	t.Helper()
	resource.UnitTest(t, resource.TestCase{ProtoV6ProviderFactories: w.factories(), Steps: steps})
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
