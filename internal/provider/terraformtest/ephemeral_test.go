package terraformtest

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	tfstate "github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/provider/providertest"
)

// The example of the ephemeral profile reads it, and no value of it is in state.
func TestEphemeralProfileIsNotInState(t *testing.T) {
	t.Parallel()
	const field = `
resource "lytics_field" "email" {
  id            = "email"
  type          = "string"
  is_identifier = true
}
`
	text := example(t, "ephemeral-resources/lytics_profile/ephemeral-resource.tf")
	runTerraform(t, providertest.New(),
		resource.TestStep{Config: field},
		resource.TestStep{
			Config: field + text,
			Check: func(s *tfstate.State) error {
				if text := s.String(); strings.Contains(text, "lifetime_value") || strings.Contains(text, "ann@example.com") {
					return fmt.Errorf("the state has values of the profile:\n%s", text)
				}
				return nil
			},
		},
		// Another value than that of the profile fails: the profile was read.
		resource.TestStep{
			Config:      field + strings.Replace(text, `["0.10"]`, `["0.11"]`, 1),
			ExpectError: regexp.MustCompile(`local-exec provisioner error`),
		},
	)
}

// A token that an authorization issues reaches another block, and is not in state.
func TestEphemeralAccessTokenIsNotInState(t *testing.T) {
	t.Parallel()
	const authorization = `
resource "lytics_databricks_authorization" "warehouse" {
  label                    = "warehouse"
  host                     = "dbc-1.cloud.databricks.com"
  http_path                = "/sql/1.0/warehouses/w"
  client_id                = "sp"
  client_secret_wo         = "s"
  client_secret_wo_version = 1
}
`
	block, _, found := strings.Cut(example(t, "ephemeral-resources/lytics_databricks_access_token/ephemeral-resource.tf"), "\n# The provider of Databricks")
	if !found {
		t.Fatal("the example gives its token to nothing")
	}
	use := func(test string) string {
		return authorization + block + `
resource "terraform_data" "user" {
  triggers_replace = ["` + test + `"]

  provisioner "local-exec" {
    command     = "test \"$TOKEN\" ` + test + `"
    environment = { TOKEN = ephemeral.lytics_databricks_access_token.warehouse.token }
  }
}
`
	}
	runTerraform(t, providertest.New(),
		resource.TestStep{Config: authorization},
		resource.TestStep{
			Config: use("!= ''"),
			Check: func(s *tfstate.State) error {
				if text := s.String(); strings.Contains(text, "issued for") {
					return fmt.Errorf("the state has the token:\n%s", text)
				}
				return nil
			},
		},
		// A token that is not empty was read.
		resource.TestStep{Config: use("= ''"), ExpectError: regexp.MustCompile(`local-exec provisioner error`)},
	)
}
