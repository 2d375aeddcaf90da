package provider_test

import (
	"fmt"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/config"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/provider"
)

func providerConfig(dir string) string {
	return fmt.Sprintf("provider \"lytics\" {\n  data_dir = %q\n}\n", dir)
}

// Planning what exists nowhere yet leaves the disk alone.
//
// checklist 61
func TestPlanMakesNoStore(t *testing.T) {
	t.Parallel()
	w := newWorld()
	runTerraform(t, w, resource.TestStep{Config: importConfig(""), PlanOnly: true, ExpectNonEmptyPlan: true})
	if w.made != 0 {
		t.Errorf("%d stores were made by a plan", w.made)
	}
}

// checklist 58
func TestLostStoreIsAnErrorAndKeepsState(t *testing.T) {
	t.Parallel()
	w := newWorld()
	here, there := "/data/here", "/data/there"
	config := func(dir string) string { return providerConfig(dir) + importConfig("") + audienceConfig }
	ways := `(?s)Nothing was removed from state.*LYTICS_DATA_DIR.*store-1.*backup.*terraform state rm`
	var kept *fakeStore
	runTerraform(t, w,
		resource.TestStep{Config: config(here)},
		resource.TestStep{Config: config(there), ExpectError: regexp.MustCompile(`(?s)There is no store at /data/there.*` + ways)},
		resource.TestStep{Config: config(there), Destroy: true, ExpectError: regexp.MustCompile(ways)},
		// A different one is no better.
		resource.TestStep{
			PreConfig: func() {
				_, err := (&fakeAPI{w: w, dir: there}).Store(t.Context(), true)
				if err != nil {
					t.Error(err)
				}
			},
			Config: config(there), ExpectError: regexp.MustCompile(`(?s)not the store that the state was made with.*store-2.*` + ways),
		},
		resource.TestStep{
			PreConfig: func() { w.change(func(w *world) { kept = w.stores[here]; delete(w.stores, here) }) },
			Config:    config(here), ExpectError: regexp.MustCompile(ways),
		},
		resource.TestStep{
			PreConfig: func() { w.change(func(w *world) { w.stores[here] = kept }) },
			Config:    config(here), ConfigPlanChecks: plans(plancheck.ExpectEmptyPlan()),
			Check: func(*terraform.State) error {
				if n := kept.streams[customers]; n != 100 || len(w.stores) != 2 {
					return fmt.Errorf("%d events and %d stores", n, len(w.stores))
				}
				return nil
			},
		},
	)
}

// checklist 60
func TestUnknownConfigurationOpensNothing(t *testing.T) {
	t.Parallel()
	w := newWorld()
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
	runTerraform(t, w,
		resource.TestStep{
			Config: config("1", "VIP"),
			Check: func(*terraform.State) error {
				opened = w.opened
				for _, c := range w.configs {
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
			Check: expectEvents(w, customers, 100),
		},
	)
	if opened == 0 || w.made != 1 {
		t.Errorf("opened %d times, made %d stores", opened, w.made)
	}
}

// While it is not known which account is meant, nothing is read: another
// platform's "not found" would drop everything from state.
func TestUnknownPlatformKeepsState(t *testing.T) {
	t.Parallel()
	w := newWorld()
	config := func(trigger string) string {
		return `
resource "terraform_data" "token" {
  input            = "canary"
  triggers_replace = "` + trigger + `"
}
provider "lytics" {
  platform = { lytics = { token = terraform_data.token.output } }
}
` + audienceConfig
	}
	check := func(*terraform.State) error {
		for _, c := range w.configs {
			if a := c.Engine.LyticsAccount(); a == nil || a.Token.Reveal() != "canary" {
				return fmt.Errorf("opened with %+v", a)
			}
		}
		return nil
	}
	runTerraform(t, w,
		resource.TestStep{Config: config("1"), Check: check},
		resource.TestStep{Config: config("2"), ConfigPlanChecks: plans(action("lytics_audience.vip", plancheck.ResourceActionNoop)), Check: check})
}

func TestConfigurationAndEnvironment(t *testing.T) {
	t.Parallel()
	work, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	const staged = `staging = { s3 = {
		bucket = "b"
		prefix = "p"
		endpoint = "http://127.0.0.1:9000"
		use_path_style = true
		access_key_id = "AK"
		secret_access_key = "canary"
		credential = "uc"
	} }`
	for name, c := range map[string]struct {
		block string
		env   map[string]string
		check func(config.Engine) bool
	}{
		"defaults": {"", nil, func(c config.Engine) bool {
			return c.DataDir == filepath.Join(work, ".lytics") && c.EncryptionKeyFile == "" && !config.Bool(c.AllowPrivateHosts) && c.Staging == nil
		}},
		"environment": {"", map[string]string{"LYTICS_DATA_DIR": "/e", "LYTICS_ENCRYPTION_KEY_FILE": "/k", "LYTICS_ALLOW_PRIVATE_HOSTS": "true",
			"LYTICS_STAGING_S3_BUCKET": "eb", "LYTICS_STAGING_S3_REGION": "r", "LYTICS_STAGING_S3_USE_PATH_STYLE": "1",
			"LYTICS_STAGING_S3_ACCESS_KEY_ID": "EK", "LYTICS_STAGING_S3_SECRET_ACCESS_KEY": "ES"}, func(c config.Engine) bool {
			s := c.S3()
			return c.DataDir == "/e" && c.EncryptionKeyFile == "/k" && config.Bool(c.AllowPrivateHosts) && s.Bucket == "eb" &&
				s.Region == "r" && config.Bool(s.UsePathStyle) && s.AccessKeyID == "EK" && s.SecretAccessKey.Reveal() == "ES"
		}},
		"block wins": {"data_dir = \"/b\"\nallow_private_hosts = false\n" + staged,
			map[string]string{"LYTICS_DATA_DIR": "/e", "LYTICS_ALLOW_PRIVATE_HOSTS": "true", "LYTICS_STAGING_S3_BUCKET": "eb", "LYTICS_STAGING_S3_ACCESS_KEY_ID": "EK"},
			func(c config.Engine) bool {
				s := c.S3()
				return c.DataDir == "/b" && !config.Bool(c.AllowPrivateHosts) && s.Bucket == "b" && s.Prefix == "p" && config.Bool(s.UsePathStyle) &&
					s.Endpoint == "http://127.0.0.1:9000" && s.AccessKeyID == "AK" && s.SecretAccessKey.Reveal() == "canary" && s.Credential == "uc"
			}},
		"the embedded platform": {"", map[string]string{"LYTICS_API_TOKEN": "t"}, func(c config.Engine) bool { return c.LyticsAccount() == nil }},
		"an account from the environment": {"platform = { lytics = {} }", map[string]string{"LYTICS_API_TOKEN": " t\n", "LYTICS_API_URL": "https://a",
			"LYTICS_BULK_URL": "https://b", "LYTICS_ACCOUNT_ID": "7"}, func(c config.Engine) bool {
			return *c.LyticsAccount() == config.Lytics{Token: config.NewSecret("t"), APIURL: "https://a", BulkURL: "https://b", AccountID: "7"}
		}},
		"an account from the block": {`platform = { lytics = {
				token = "canary"
				api_url = "https://x"
			} }`, map[string]string{"LYTICS_API_TOKEN": "t", "LYTICS_API_URL": "https://a"}, func(c config.Engine) bool {
			return *c.LyticsAccount() == config.Lytics{Token: config.NewSecret("canary"), APIURL: "https://x"}
		}},
		"a profile is not mixed with keys": {`staging = { s3 = {
				bucket = "b"
				profile = "team"
			} }`, map[string]string{"LYTICS_STAGING_S3_PROFILE": "other"}, func(c config.Engine) bool {
			return c.S3().Profile == "team" && c.S3().AccessKeyID == "" && c.S3().SecretAccessKey.Empty()
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			steps := []resource.TestStep{{Config: "provider \"lytics\" {\n" + c.block + "\n}\n" + audienceConfig}}
			resource.UnitTest(t, resource.TestCase{ProtoV6ProviderFactories: w.factoriesIn(c.env), Steps: steps})
			for _, got := range w.configs {
				if !c.check(got.Engine) {
					t.Errorf("the configuration is %+v, staging %+v", got, got.Engine.Staging)
				}
			}
			if len(w.configs) == 0 {
				t.Error("nothing was opened")
			}
		})
	}
}

func TestConfigurationErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		block, want string
		env         map[string]string
	}{
		"flag":       {"", "LYTICS_ALLOW_PRIVATE_HOSTS is \"maybe\"", map[string]string{"LYTICS_ALLOW_PRIVATE_HOSTS": "maybe"}},
		"no bucket":  {"staging = { s3 = {} }", "bucket has no name", nil},
		"half a key": {"", "Half of the staging credential", map[string]string{"LYTICS_STAGING_S3_BUCKET": "b", "LYTICS_STAGING_S3_ACCESS_KEY_ID": "k"}},
		"two halves": {"staging = { s3 = {\nbucket = \"b\"\naccess_key_id = \"a\"\n} }", "Half of the staging credential",
			map[string]string{"LYTICS_STAGING_S3_SECRET_ACCESS_KEY": "s"}},
		"both":      {"staging = { s3 = {\nbucket = \"b\"\naccess_key_id = \"a\"\nsecret_access_key = \"b\"\nprofile = \"p\"\n} }", "(?i)invalid attribute combination", nil},
		"no token":  {"platform = { lytics = {} }", "There is no API token for Lytics", nil},
		"empty":     {`data_dir = ""`, "data_dir cannot be used", nil},
		"no events": {`database_url = "postgres://h/d"`, "no place for its events", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			resource.UnitTest(t, resource.TestCase{
				ProtoV6ProviderFactories: newWorld().factoriesIn(c.env),
				Steps: []resource.TestStep{{Config: "provider \"lytics\" {\n" + c.block + "\n}\n" + audienceConfig,
					ExpectError: regexp.MustCompile(c.want)}},
			})
		})
	}
}

func (w *world) factoriesIn(env map[string]string) map[string]func() (tfprotov6.ProviderServer, error) {
	deps := w.dependencies()
	deps.LookupEnv = func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	return map[string]func() (tfprotov6.ProviderServer, error){
		"lytics": providerserver.NewProtocol6WithError(provider.New("test", deps)()),
	}
}

func TestFunctions(t *testing.T) {
	t.Parallel()
	runTerraform(t, newWorld(), resource.TestStep{
		Config: `
output "stream" {
  value = provider::lytics::default_stream("main", "sales", "customers")
}
output "table" {
  value = provider::lytics::export_table("vip")
}
`,
		ConfigStateChecks: []statecheck.StateCheck{
			statecheck.ExpectKnownOutputValue("stream", knownvalue.StringExact(customers)),
			statecheck.ExpectKnownOutputValue("table", knownvalue.StringExact("lytics_user_vip")),
		},
	})
}
