package terraformtest

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs/jobstest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/provider/providertest"
)

const authorizationAddress = "lytics_databricks_authorization.a"

func authorizationWith(host, credential string) string {
	return fmt.Sprintf(`
resource "lytics_databricks_authorization" "a" {
  label     = "warehouse"
  host      = %q
  http_path = "/sql/1.0/warehouses/w"
  %s
}
`, host, credential)
}

func token(text string, version int) string {
	return fmt.Sprintf("token_wo = %q\n  token_wo_version = %d", text, version)
}

// expectSent checks which tokens reached the store, in order.
func expectSent(env *providertest.Environment, tokens ...string) resource.TestCheckFunc {
	return func(*terraform.State) error {
		if got, want := strings.Join(env.SentTokens, " "), strings.Join(tokens, " "); got != want {
			return fmt.Errorf("the tokens %q were sent, want %q", got, want)
		}
		return nil
	}
}

// checklist 47, 49
func TestAuthorizationSendsItsTokenWhenAsked(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	const host, other = "dbc-1.cloud.databricks.com", "dbc-2.cloud.databricks.com"
	update := plans(action(authorizationAddress, plancheck.ResourceActionUpdate),
		plancheck.ExpectKnownValue(authorizationAddress, at("id"), knownvalue.NotNull()))
	runTerraform(t, env,
		resource.TestStep{
			Config: authorizationWith(host, token("one", 1)),
			ConfigStateChecks: []statecheck.StateCheck{
				holds(authorizationAddress, at("port"), knownvalue.Int64Exact(443)),
				holds(authorizationAddress, at("check_connection"), knownvalue.Bool(true)),
				holds(authorizationAddress, at("token_wo"), knownvalue.Null()),
			},
			Check: expectSent(env, "one"),
		},
		resource.TestStep{ResourceName: authorizationAddress, ImportState: true, ImportStateKind: resource.ImportBlockWithID},
		resource.TestStep{ResourceName: authorizationAddress, ImportState: true, ImportStateVerify: true},
		// Another token without another version is not seen.
		resource.TestStep{Config: authorizationWith(host, token("two", 1)), ConfigPlanChecks: plans(plancheck.ExpectEmptyPlan())},
		resource.TestStep{Config: authorizationWith(host, token("two", 2)), ConfigPlanChecks: update, Check: expectSent(env, "one", "two")},
		resource.TestStep{Config: authorizationWith(host, "description = \"x\"\n"+token("two", 2)), ConfigPlanChecks: update,
			Check: expectSent(env, "one", "two")},
		// The token belongs to its host.
		resource.TestStep{Config: authorizationWith(other, token("two", 2)), PlanOnly: true,
			ExpectError: regexp.MustCompile(`(?s)A changed host needs the token again.*host\s+=.*` + host)},
		resource.TestStep{Config: authorizationWith(host, "port = 8443\n"+token("two", 2)), PlanOnly: true,
			ExpectError: regexp.MustCompile(`(?s)A changed port needs the token again.*port\s+=.*` + host + `:443`)},
		resource.TestStep{Config: authorizationWith(host, "ca_file = \"/etc/ca.pem\"\n"+token("two", 2)), PlanOnly: true,
			ExpectError: regexp.MustCompile(`(?s)A changed ca_file needs the token again.*ca_file\s+=.*/etc/ca\.pem`)},
		resource.TestStep{Config: authorizationWith(other, token("three", 3)), ConfigPlanChecks: update,
			Check: expectSent(env, "one", "two", "three")},
		// A version may stay without its token, but not change without it.
		resource.TestStep{Config: authorizationWith(other, "token_wo_version = 3"), ConfigPlanChecks: plans(plancheck.ExpectEmptyPlan())},
		resource.TestStep{Config: authorizationWith(other, "token_wo_version = 4"), PlanOnly: true,
			ExpectError: regexp.MustCompile("The token is missing")},
		// The environment's variable takes its place.
		resource.TestStep{Config: authorizationWith(other, `token_env = "DATABRICKS_TOKEN"`), ConfigPlanChecks: update,
			Check: expectSent(env, "one", "two", "three")},
		resource.TestStep{ResourceName: authorizationAddress, ImportState: true, ImportStateKind: resource.ImportBlockWithID},
	)
}

// If the stored secret cannot be decrypted, the next plan sends it again.
func TestUnreadableSecretIsSentAgain(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	readable := func(ok bool) func() { return func() { env.Change(func() { env.SecretsUnreadable = !ok }) } }
	config := authorizationWith("dbc-1.cloud.databricks.com", token("one", 1))
	runTerraform(t, env,
		resource.TestStep{Config: config},
		resource.TestStep{PreConfig: readable(false), RefreshState: true, ExpectNonEmptyPlan: true},
		resource.TestStep{PreConfig: readable(true), Config: config, Check: expectSent(env, "one")},
		resource.TestStep{PreConfig: readable(false), Config: config, Check: expectSent(env, "one", "one"), ExpectNonEmptyPlan: true},
	)
}

func TestRefusedTokenNamesItsAttribute(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	env.Token = "good"
	const host = "dbc-1.cloud.databricks.com"
	runTerraform(t, env,
		resource.TestStep{Config: authorizationWith(host, token("bad", 1)),
			ExpectError: regexp.MustCompile(`(?s)The warehouse refuses the token.*token_wo\s+=.*answered 401.*Create a new token`)},
		resource.TestStep{Config: authorizationWith(host, token("bad", 1)+"\n  check_connection = false")},
		resource.TestStep{Config: authorizationWith(host, token("good", 2))},
	)
}

func TestAuthorizationInUseIsNotDestroyed(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	runTerraform(t, env,
		resource.TestStep{Config: authorizationConfig},
		resource.TestStep{
			PreConfig: func() {
				env.Change(func() {
					for id := range env.Only().Authorizations {
						env.Only().Jobs["job-x"] = jobs.Job{ID: "job-x",
							JobSpec: jobs.JobSpec{Label: "nightly", AuthorizationID: id, Import: &jobs.TableImport{}}}
					}
				})
			},
			Config: authorizationConfig, Destroy: true,
			ExpectError: regexp.MustCompile(`(?s)is in use.*nightly`),
		},
		resource.TestStep{PreConfig: func() { env.Change(func() { clear(env.Only().Jobs) }) }, Config: authorizationConfig},
	)
}

// checklist 46
func TestOnlyNotFoundRemovesFromState(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	runTerraform(t, env,
		resource.TestStep{Config: authorizationConfig},
		resource.TestStep{
			PreConfig: func() { env.Change(func() { clear(env.Only().Authorizations) }) },
			Config:    authorizationConfig, ConfigPlanChecks: plans(action(authorizationAddress, plancheck.ResourceActionCreate)),
		},
		resource.TestStep{
			PreConfig: func() {
				env.Change(func() {
					env.Intercept = func(c *jobstest.Call) (bool, error) {
						return c.Method != "Store", &jobs.Error{Code: jobs.CodeUnreachable, Summary: "The disk does not answer"}
					}
				})
			},
			Config:      authorizationConfig,
			ExpectError: regexp.MustCompile(`The disk does not answer`),
		},
		resource.TestStep{
			PreConfig: func() { env.Change(func() { env.Intercept = nil }) },
			Config:    authorizationConfig, ConfigPlanChecks: plans(plancheck.ExpectEmptyPlan()),
		},
	)
}

// The token is in nothing that Terraform and the provider write: state, plans,
// logs at level TRACE, and the errors of a failed apply.
//
// checklist 43
func TestTheTokenIsInNeitherStateNorLogs(t *testing.T) {
	const canary = "canary-7f3a"
	logs := t.TempDir()
	t.Setenv("TF_LOG", "TRACE")
	t.Setenv("TF_ACC_LOG", "TRACE")
	t.Setenv("TF_ACC_LOG_PATH", filepath.Join(logs, "provider.log"))
	t.Setenv("TF_LOG_PATH_MASK", filepath.Join(logs, "%s.log"))
	env := providertest.New()
	env.RunError = &jobs.Error{Code: jobs.CodeFailed, Summary: "broken"}
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: env.Factories(),
		Steps: []resource.TestStep{
			{Config: importConfig(""), ExpectError: regexp.MustCompile("broken")},
			{PreConfig: failRuns(env, nil), Config: importConfig(""), Check: func(s *terraform.State) error {
				if strings.Contains(s.String(), canary) {
					return fmt.Errorf("the token is in state")
				}
				return nil
			}},
		},
	})
	if len(env.SentTokens) == 0 || env.SentTokens[0] != canary {
		t.Fatalf("the store received %q, so the search proves nothing", env.SentTokens)
	}
	files := 0
	err := filepath.WalkDir(logs, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		files += len(text)
		for line := range strings.Lines(string(text)) {
			// Terraform's own test harness writes the configuration it was given.
			if strings.Contains(line, canary) && !strings.Contains(line, "token_wo         =") {
				t.Errorf("%s: %.300s", filepath.Base(path), line)
			}
		}
		return err
	})
	if err != nil || files == 0 {
		t.Fatalf("no logs were written: %v", err)
	}
}

// checklist 47 49: the certificate authorities of an authorization change in place with its
// token, and are imported. A credential that is not stored is not given again.
func TestTheCAFileOfAnAuthorization(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	const host = "dbc-1.cloud.databricks.com"
	update := plans(action(authorizationAddress, plancheck.ResourceActionUpdate))
	with := func(file, credential string) string {
		return authorizationWith(host, fmt.Sprintf("ca_file = %q\n  %s", file, credential))
	}
	runTerraform(t, env,
		resource.TestStep{Config: with("/etc/a.pem", token("one", 1)),
			ConfigStateChecks: []statecheck.StateCheck{holds(authorizationAddress, at("ca_file"), knownvalue.StringExact("/etc/a.pem"))}},
		resource.TestStep{ResourceName: authorizationAddress, ImportState: true, ImportStateKind: resource.ImportBlockWithID},
		resource.TestStep{ResourceName: authorizationAddress, ImportState: true, ImportStateVerify: true},
		resource.TestStep{Config: authorizationWith(host, token("one", 1)), PlanOnly: true,
			ExpectError: regexp.MustCompile(`A changed ca_file needs the token again`)},
		resource.TestStep{Config: "resource \"terraform_data\" \"ca\" { input = \"/etc/c.pem\" }\n" + authorizationWith("dbc-2.cloud.databricks.com",
			"ca_file = terraform_data.ca.output\n"+token("one", 1)), PlanOnly: true,
			ExpectError: regexp.MustCompile(`A changed host needs the token again`)},
		resource.TestStep{Config: with("", token("two", 2)), PlanOnly: true, ExpectError: regexp.MustCompile(`ca_file cannot be used as it is`)},
		resource.TestStep{Config: with("/etc/b.pem", token("two", 2)), ConfigPlanChecks: update, Check: expectSent(env, "one", "two")},
		resource.TestStep{Config: with("/etc/b.pem", `token_env = "DATABRICKS_TOKEN"`), ConfigPlanChecks: update},
		resource.TestStep{Config: with("/etc/c.pem", `token_env = "DATABRICKS_TOKEN"`), ConfigPlanChecks: update},
		resource.TestStep{Config: authorizationWith(host, `token_env = "DATABRICKS_TOKEN"`), ConfigPlanChecks: update,
			ConfigStateChecks: []statecheck.StateCheck{holds(authorizationAddress, at("ca_file"), knownvalue.Null())}},
	)
}
