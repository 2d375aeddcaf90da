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
