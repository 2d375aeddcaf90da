package terraformtest

import (
	"regexp"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/provider/providertest"
)

// An authorization changes between logins in place, and after an import the plan is
// empty. auth_type is set by itself where another attribute tells it.
//
// checklist 47 49
func TestAuthorizationChangesItsLogin(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	const host = "adb-1.2.azuredatabricks.net"
	update := plans(action(authorizationAddress, plancheck.ResourceActionUpdate),
		plancheck.ExpectKnownValue(authorizationAddress, at("id"), knownvalue.NotNull()))
	login := func(text string) string { return authorizationWith(host, text) }
	has := func(kind string) []statecheck.StateCheck {
		return []statecheck.StateCheck{holds(authorizationAddress, at("auth_type"), knownvalue.StringExact(kind))}
	}
	imported := resource.TestStep{ResourceName: authorizationAddress, ImportState: true, ImportStateKind: resource.ImportBlockWithID}
	verified := resource.TestStep{ResourceName: authorizationAddress, ImportState: true, ImportStateVerify: true}
	application := func(tenant string, version string) string {
		return login(`azure_client_id = "app"
  azure_tenant_id = "` + tenant + `"
  azure_client_secret_wo = "secret ` + version + `"
  azure_client_secret_wo_version = ` + version)
	}
	github := login("auth_type = \"github-oidc\"\n  client_id = \"sp\"\n  audience = \"https://github.com/acme\"")
	command := login(`token_command = ["print-token", "a b"]`)
	runTerraform(t, env,
		resource.TestStep{Config: login(token("one", 1)), ConfigStateChecks: []statecheck.StateCheck{
			holds(authorizationAddress, at("auth_type"), knownvalue.Null())}, Check: expectSent(env, "one")},
		resource.TestStep{Config: github, ConfigPlanChecks: update, ConfigStateChecks: has("github-oidc"), Check: expectSent(env, "one")},
		resource.TestStep{Config: github, ConfigPlanChecks: plans(plancheck.ExpectEmptyPlan())},
		imported, verified,
		resource.TestStep{Config: command, ConfigPlanChecks: update, ConfigStateChecks: has("token-command")},
		imported, verified,
		resource.TestStep{Config: login("profile = \"ci\"\n  config_file = \"/etc/databrickscfg\""), ConfigPlanChecks: update,
			ConfigStateChecks: has("profile")},
		resource.TestStep{Config: login("auth_type = \"profile\"\n  profile = \"ci\"\n  config_file = \"/etc/databrickscfg\""),
			ConfigPlanChecks: plans(plancheck.ExpectEmptyPlan())},
		imported, verified,
		resource.TestStep{Config: application("directory", "1"), ConfigPlanChecks: update,
			ConfigStateChecks: append(has("azure-client-secret"),
				holds(authorizationAddress, at("azure_client_secret_wo"), knownvalue.Null())), Check: expectSent(env, "one", "secret 1")},
		imported, verified,
		// The secret belongs to its directory.
		resource.TestStep{Config: application("other", "1"), PlanOnly: true,
			ExpectError: regexp.MustCompile(`Another credential needs its client\s+secret`)},
		resource.TestStep{Config: application("other", "2"), ConfigPlanChecks: update, Check: expectSent(env, "one", "secret 1",
			"secret 2")},
		resource.TestStep{Config: login("token_env = \"T\""), ConfigPlanChecks: update, ConfigStateChecks: []statecheck.StateCheck{
			holds(authorizationAddress, at("auth_type"), knownvalue.Null()), holds(authorizationAddress, at("azure_tenant_id"),
				knownvalue.Null())}},
		imported, verified,
	)
}

// What a login lacks, and what is of another one, is an error of the plan at its
// attribute.
func TestMistakesInALoginAreNamed(t *testing.T) {
	t.Parallel()
	var steps []resource.TestStep
	for credential, want := range map[string]string{
		`auth_type = "magic"`:      `auth_type(?s).*github-oidc`,
		`auth_type = "token-file"`: `needs\s+token_file`,
		`azure_tenant_id = "t"`:    `azure_tenant_id needs auth_type`,
		`audience = "a"`:           `audience needs auth_type`,
		"auth_type = \"azure-cli\"\n  azure_client_id = \"a\"":                                                                            `azure_client_id is not for this login`,
		"profile = \"a\"\n  token_env = \"T\"":                                                                                            `Two credentials`,
		"auth_type = \"github-oidc\"\n  client_id = \"a\"\n  client_secret_wo = \"s\"\n  client_secret_wo_version = 1":                    `Two credentials`,
		"azure_client_id = \"a\"\n  azure_tenant_id = \"t\"\n  azure_client_secret_wo = \"s\"":                                            `needs\s+azure_client_secret_wo_version`,
		"azure_client_id = \"a\"\n  azure_client_secret_wo = \"s\"\n  azure_client_secret_wo_version = 1":                                 `needs\s+azure_tenant_id`,
		"azure_client_id = \"a\"\n  azure_tenant_id = \"t\"\n  auth_type = \"azure-client-secret\"\n  azure_client_secret_wo_version = 1": `The client secret is missing`,
		`token_command = []`: `at least 1`,
		"auth_type = \"google-id\"\n  google_service_account = \"a@b/../c\"": `is no service account`,
	} {
		steps = append(steps, resource.TestStep{Config: authorizationWith("adb-1.2.azuredatabricks.net", credential), PlanOnly: true,
			ExpectError: regexp.MustCompile(want)})
	}
	runTerraform(t, providertest.New(), steps...)
}
