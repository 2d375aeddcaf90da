package provider_test

import (
	"os"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
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
		Open: w.open,
		NormalizeField: func(f jobs.Field) jobs.Field {
			if f.MergeOperation == "" {
				f.MergeOperation = "latest"
				if strings.ContainsAny(f.Type, "[") {
					f.MergeOperation = "merge"
				}
			}
			return f
		},
		NormalizeAudience: normalizeAudience,
		ValidateField: func(f jobs.Field) error {
			if f.MergeOperation == "sum" && f.Type == "string" {
				return jobs.Invalid("merge_operation", "Strings have no sum", "", "Use another merge operation.")
			}
			return nil
		},
		ValidateMapping: func(m jobs.Mapping) error {
			if strings.Contains(m.Expression, "(") != strings.Contains(m.Expression, ")") {
				return jobs.Invalid("expression", "A parenthesis is not closed", "", "Close it.")
			}
			return nil
		},
		ValidateExpressionType: func(expression string, f jobs.Field) error {
			if f.Type == "int" && strings.HasPrefix(expression, "tolower(") {
				return jobs.Invalid("expression", "The expression does not fit field "+f.ID, "It gives a string.", "Wrap it in toint(...).")
			}
			return nil
		},
		ValidateAudience: func(a jobs.Audience) error {
			if !strings.HasPrefix(a.Filter, "FILTER ") {
				return jobs.Invalid("filter", "The filter cannot be read", "It does not begin with FILTER.", "Correct it.")
			}
			if normalizeAudience(a).Slug == "" {
				return jobs.Invalid("slug", "No slug can be made from the name", "", "Give one.")
			}
			return nil
		},
		LookupEnv: func(string) (string, bool) { return "", false },
	}
}

func normalizeAudience(a jobs.Audience) jobs.Audience {
	if a.Slug == "" {
		a.Slug = strings.Trim(strings.ReplaceAll(strings.ToLower(a.Name), " ", "_"), "!")
	}
	return a
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
