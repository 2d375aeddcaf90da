package provider_test

import (
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/config"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/provider/providertest"
)

var audienceGiven = map[string]any{"name": "VIP customers", "filter": "FILTER EXISTS email"}

// block is a provider block; nested blocks are maps.
type block = map[string]any

func TestConfigurationAndEnvironment(t *testing.T) {
	t.Parallel()
	work, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		given block
		env   map[string]string
		check func(config.Engine) bool
	}{
		"defaults": {nil, nil, func(c config.Engine) bool {
			return c.DataDir == filepath.Join(work, ".lytics") && c.EncryptionKeyFile == "" && !config.Bool(c.AllowPrivateHosts) && c.Staging == nil
		}},
		"environment": {nil, map[string]string{"LYTICS_DATA_DIR": "/e", "LYTICS_ENCRYPTION_KEY_FILE": "/k", "LYTICS_ALLOW_PRIVATE_HOSTS": "true",
			"LYTICS_STAGING_S3_BUCKET": "eb", "LYTICS_STAGING_S3_REGION": "r", "LYTICS_STAGING_S3_USE_PATH_STYLE": "1",
			"LYTICS_STAGING_S3_ACCESS_KEY_ID": "EK", "LYTICS_STAGING_S3_SECRET_ACCESS_KEY": "ES"}, func(c config.Engine) bool {
			s := c.S3()
			return c.DataDir == "/e" && c.EncryptionKeyFile == "/k" && config.Bool(c.AllowPrivateHosts) && s.Bucket == "eb" &&
				s.Region == "r" && config.Bool(s.UsePathStyle) && s.AccessKeyID == "EK" && s.SecretAccessKey.Reveal() == "ES"
		}},
		"the block goes before the environment": {
			block{"data_dir": "/b", "allow_private_hosts": false, "staging": block{"s3": block{
				"bucket": "b", "prefix": "p", "endpoint": "http://127.0.0.1:9000", "use_path_style": true,
				"access_key_id": "AK", "secret_access_key": "canary", "credential": "uc",
			}}},
			map[string]string{"LYTICS_DATA_DIR": "/e", "LYTICS_ALLOW_PRIVATE_HOSTS": "true", "LYTICS_STAGING_S3_BUCKET": "eb",
				"LYTICS_STAGING_S3_ACCESS_KEY_ID": "EK"},
			func(c config.Engine) bool {
				s := c.S3()
				return c.DataDir == "/b" && !config.Bool(c.AllowPrivateHosts) && s.Bucket == "b" && s.Prefix == "p" && config.Bool(s.UsePathStyle) &&
					s.Endpoint == "http://127.0.0.1:9000" && s.AccessKeyID == "AK" && s.SecretAccessKey.Reveal() == "canary" && s.Credential == "uc"
			},
		},
		"private hosts from the block": {block{"private_hosts": []any{"127.0.0.1", "a.internal"}}, map[string]string{"LYTICS_PRIVATE_HOSTS": "::1"},
			func(c config.Engine) bool { return len(c.PrivateHosts) == 2 && c.PrivateHosts[1] == "a.internal" }},
		"private hosts from the environment": {nil, map[string]string{"LYTICS_PRIVATE_HOSTS": "::1, 10.0.0.0/8"},
			func(c config.Engine) bool { return len(c.PrivateHosts) == 2 && c.PrivateHosts[0] == "::1" }},
		"a token alone does not choose an account": {nil, map[string]string{"LYTICS_API_TOKEN": "t"},
			func(c config.Engine) bool { return c.LyticsAccount() == nil }},
		"an account from the environment": {block{"platform": block{"lytics": block{}}}, map[string]string{"LYTICS_API_TOKEN": " t\n",
			"LYTICS_API_URL": "https://a", "LYTICS_BULK_URL": "https://b", "LYTICS_ACCOUNT_ID": "7", "LYTICS_UPLOAD_FORMAT": "json_lines_gzip"},
			func(c config.Engine) bool {
				return *c.LyticsAccount() == config.Lytics{Token: config.NewSecret("t"), APIURL: "https://a", BulkURL: "https://b", AccountID: "7", Format: "json_lines_gzip"}
			}},
		"an account from the block": {block{"platform": block{"lytics": block{"token": "canary", "api_url": "https://x"}}},
			map[string]string{"LYTICS_API_TOKEN": "t", "LYTICS_API_URL": "https://a"}, func(c config.Engine) bool {
				return *c.LyticsAccount() == config.Lytics{Token: config.NewSecret("canary"), APIURL: "https://x"}
			}},
		"a wait, and none": {block{"platform": block{"lytics": block{"token": "t", "profile_wait_minutes": 0}}},
			map[string]string{"LYTICS_PROFILE_WAIT_MINUTES": "3"}, func(c config.Engine) bool {
				return c.LyticsAccount().ProfileWaitMinutes != nil && *c.LyticsAccount().ProfileWaitMinutes == 0
			}},
		"placeholders from the block": {block{"platform": block{"embedded": block{"placeholder_identifiers": []any{"N/A", "0000"}}}},
			map[string]string{"LYTICS_PLACEHOLDER_IDENTIFIERS": "x"}, func(c config.Engine) bool {
				return slices.Equal(c.Platform.Embedded.PlaceholderIdentifiers, []string{"N/A", "0000"}) && c.LyticsAccount() == nil
			}},
		"an empty list of placeholders": {block{"platform": block{"embedded": block{"placeholder_identifiers": []any{}}}},
			map[string]string{"LYTICS_PLACEHOLDER_IDENTIFIERS": "x"}, func(c config.Engine) bool {
				return c.Platform.Embedded.PlaceholderIdentifiers != nil && len(c.Platform.Embedded.PlaceholderIdentifiers) == 0
			}},
		"placeholders from the environment": {block{}, map[string]string{"LYTICS_PLACEHOLDER_IDENTIFIERS": "N/A, 0000"},
			func(c config.Engine) bool {
				return slices.Equal(c.Platform.Embedded.PlaceholderIdentifiers, []string{"N/A", "0000"})
			}},
		"a login of the events from the block": {
			block{"events": block{"volume": block{"host": "h", "port": 8443, "catalog": "c", "schema": "s", "volume": "v", "token_command": []any{"get", "token"}}}},
			map[string]string{"LYTICS_EVENTS_VOLUME_TOKEN": "t"}, func(c config.Engine) bool {
				l, _ := c.EventsVolume().Chosen()
				return c.EventsVolume().Port == 8443 && c.EventsVolume().Token.Empty() && l.Kind == jobs.LoginTokenCommand &&
					slices.Equal(l.Command, []string{"get", "token"})
			}},
		"a secret of the events' login from the block": {
			block{"events": block{"volume": block{"host": "h", "catalog": "c", "schema": "s", "volume": "v", "azure_client_id": "i", "azure_tenant_id": "t",
				"azure_client_secret": "canary"}}}, nil, func(c config.Engine) bool {
				l, secret := c.EventsVolume().Chosen()
				return l.Kind == jobs.LoginAzureClientSecret && l.Identity == "i" && l.Tenant == "t" && secret.Reveal() == "canary"
			}},
		"a profile is not mixed with keys": {block{"staging": block{"s3": block{"bucket": "b", "profile": "team"}}},
			map[string]string{"LYTICS_STAGING_S3_PROFILE": "other", "LYTICS_STAGING_S3_ACCESS_KEY_ID": "EK",
				"LYTICS_STAGING_S3_SECRET_ACCESS_KEY": "ES"},
			func(c config.Engine) bool {
				return c.S3().Profile == "team" && c.S3().AccessKeyID == "" && c.S3().SecretAccessKey.Empty()
			}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := providertest.New()
			env.Variables = c.env
			newConfiguredClient(t, env, c.given).create("lytics_audience", audienceGiven)
			for _, got := range env.Targets() {
				if got.Runner != nil || !c.check(got.Engine) {
					t.Errorf("got the configuration %+v, staging %+v", got, got.Engine.Staging)
				}
			}
			if len(env.Targets()) == 0 {
				t.Error("nothing was opened")
			}
		})
	}
}

func TestConfigurationErrors(t *testing.T) {
	t.Parallel()
	s3 := func(given block) block { return block{"staging": block{"s3": given}} }
	for name, c := range map[string]struct {
		given           block
		attribute, want string
		env             map[string]string
	}{
		"a CA file that is not there": {block{"ca_file": "/nowhere/ca.pem"}, "ca_file", `The CA file "/nowhere/ca.pem" cannot be used`, nil},
		"a flag that is none": {nil, "allow_private_hosts", `LYTICS_ALLOW_PRIVATE_HOSTS is "maybe"`,
			map[string]string{"LYTICS_ALLOW_PRIVATE_HOSTS": "maybe"}},
		"no bucket": {s3(block{}), "staging", "bucket has no name", nil},
		"half a key": {nil, "staging", "Half of the staging credential",
			map[string]string{"LYTICS_STAGING_S3_BUCKET": "b", "LYTICS_STAGING_S3_ACCESS_KEY_ID": "k"}},
		"halves from two places": {s3(block{"bucket": "b", "access_key_id": "a"}), "staging", "Half of the staging credential",
			map[string]string{"LYTICS_STAGING_S3_SECRET_ACCESS_KEY": "s"}},
		"keys and a profile": {s3(block{"bucket": "b", "access_key_id": "a", "secret_access_key": "b", "profile": "p"}), "",
			"(?i)invalid attribute combination", nil},
		"no volume name":    {block{"staging": block{"volume": block{"catalog": "c"}}}, "staging", "volume has no full name", nil},
		"no token":          {block{"platform": block{"lytics": block{}}}, "platform", "There is no API token for Lytics", nil},
		"an empty data_dir": {block{"data_dir": ""}, "data_dir", "data_dir cannot be used", nil},
		"no event storage":  {block{"database_url": "postgres://h/d"}, "staging", "no place for its events", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := providertest.New()
			env.Variables = c.env
			_, diags := configure(t, env, c.given)
			checkError(t, diags, c.attribute, c.want)
		})
	}
	t.Run("two at once", func(t *testing.T) {
		t.Parallel()
		env := providertest.New()
		_, diags := configure(t, env, block{"platform": block{"lytics": block{}}, "staging": block{"s3": block{}}})
		checkError(t, diags, "platform", "There is no API token")
		checkError(t, diags, "staging", "bucket has no name")
	})
}

// Attributes that belong to the runner are refused beside it. Environment
// variables are not: they may be the runner's own.
func TestAttributesBesideTheRunnerBlockAreRefused(t *testing.T) {
	t.Parallel()
	runner := block{"url": "https://runner.example.com", "token": "canary"}
	variables := map[string]string{"LYTICS_RUNNER_URL": "https://env.example.com", "LYTICS_RUNNER_TOKEN": "canary"}
	for name, c := range map[string]struct {
		given           block
		attribute, want string
		env             map[string]string
	}{
		"data_dir":     {block{"runner": runner, "data_dir": "/d"}, "data_dir", "data_dir is given beside the runner block", nil},
		"database_url": {block{"runner": runner, "database_url": "postgres://h/d"}, "database_url", "database_url is given beside", nil},
		"encryption_key_file": {block{"runner": runner, "encryption_key_file": "/k"}, "encryption_key_file",
			"encryption_key_file is given beside", nil},
		"allow_private_hosts": {block{"runner": runner, "allow_private_hosts": true}, "allow_private_hosts",
			"allow_private_hosts is given beside", nil},
		"staging": {block{"runner": runner, "staging": block{"s3": block{"bucket": "b"}}}, "staging", "staging is given beside", nil},
		"platform": {block{"runner": runner, "platform": block{"lytics": block{"token": "t"}}}, "platform",
			"platform is given beside", nil},
		"environment": {block{"data_dir": "/d"}, "data_dir", "data_dir is given beside LYTICS_RUNNER_URL", variables},
		"no address":  {block{"runner": block{"token": "canary"}}, "runner", "The runner has no address", nil},
		"no token":    {block{"runner": block{"url": "https://r"}}, "runner", "There is no token for the runner", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := providertest.New()
			env.Variables = c.env
			_, diags := configure(t, env, c.given)
			checkError(t, diags, c.attribute, c.want)
		})
	}
	for name, c := range map[string]struct {
		given block
		url   string
		env   map[string]string
	}{
		"the block": {block{"runner": runner}, "https://runner.example.com",
			map[string]string{"LYTICS_STAGING_S3_BUCKET": "b", "LYTICS_DATA_DIR": "/d"}},
		"the environment": {nil, "https://env.example.com", variables},
		"both":            {block{"runner": block{}}, "https://env.example.com", variables},
	} {
		t.Run("a runner from "+name, func(t *testing.T) {
			t.Parallel()
			env := providertest.New()
			env.Variables = c.env
			newConfiguredClient(t, env, c.given).create("lytics_audience", audienceGiven)
			for _, got := range env.Targets() {
				if r := got.Runner; r == nil || r.URL != c.url || r.Token.Reveal() != "canary" || got.Engine.DataDir != "" || got.Engine.Staging != nil {
					t.Errorf("opened with %+v", got)
				}
			}
			if len(env.Targets()) == 0 {
				t.Error("nothing was opened")
			}
		})
	}
}

// A runner that owns the data directory executes runs with its own
// configuration: the attributes of the provider block that have no effect then
// are named, once.
func TestAttributesThatTheRunnerIgnoresAreNamed(t *testing.T) {
	t.Parallel()
	staging := block{"s3": block{"bucket": "b"}}
	said := func(place string, given block) (all []string) {
		env := providertest.New()
		env.RunnerPlace = place
		c := newConfiguredClient(t, env, given)
		for _, id := range []string{"age", "name"} {
			_, diags := c.apply(t.Context(), "lytics_field", nil, build(c.typ("lytics_field"), map[string]any{"id": id, "type": "string"}))
			if failed(diags) {
				t.Fatal(messages(diags))
			}
			all = append(all, messages(diags)...)
		}
		return all
	}
	const place = "the runner at /d/runner.sock"
	got := said(place, block{"data_dir": "/d", "staging": staging, "allow_private_hosts": true})
	if len(got) != 1 || !strings.Contains(got[0], "The runner at /d/runner.sock owns /d") || !strings.Contains(got[0],
		"no effect: allow_private_hosts, staging.") {
		t.Errorf("got %q, want one warning that names allow_private_hosts and staging", got)
	}
	if got := said(place, block{"data_dir": "/d"}); len(got) != 0 {
		t.Errorf("with data_dir alone: got %q, want no warning", got)
	}
	if got := said("", block{"data_dir": "/d", "staging": staging}); len(got) != 0 {
		t.Errorf("without a runner: got %q, want no warning", got)
	}
}

// While it is not known which runner or which account is meant, nothing is
// read: the "not found" of another store would remove everything from state.
//
// checklist 60
func TestStateIsKeptWhileTheRunnerOrPlatformIsUnknown(t *testing.T) {
	t.Parallel()
	runner := block{"url": "https://runner.example.com", "token": "canary"}
	account := block{"lytics": block{"token": "canary"}}
	for name, c := range map[string]struct{ known, unknown block }{
		"runner":         {block{"runner": runner}, block{"runner": tftypes.UnknownValue}},
		"runner.url":     {block{"runner": runner}, block{"runner": with(runner, block{"url": tftypes.UnknownValue})}},
		"runner.token":   {block{"runner": runner}, block{"runner": with(runner, block{"token": tftypes.UnknownValue})}},
		"platform":       {block{"platform": account}, block{"platform": tftypes.UnknownValue}},
		"platform.token": {block{"platform": account}, block{"platform": block{"lytics": block{"token": tftypes.UnknownValue}}}},
		"data_dir":       {block{"data_dir": "/d"}, block{"data_dir": tftypes.UnknownValue}},
		"database_url": {block{"database_url": "postgres://h/d", "staging": block{"s3": block{"bucket": "b"}}},
			block{"database_url": tftypes.UnknownValue}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := providertest.New()
			const resource = "lytics_audience"
			state := newConfiguredClient(t, env, c.known).create(resource, audienceGiven)
			opened := len(env.Targets())

			client := newConfiguredClient(t, env, c.unknown)
			read, diags := client.read(resource, state)
			if failed(diags) || !read.value.Equal(state.value) {
				t.Errorf("read gives %v and %q, want the state as it was", read, messages(diags))
			}
			plan := client.plan(resource, state, build(client.typ(resource), audienceGiven))
			if failed(plan.Diagnostics) || !client.value(resource, plan.PlannedState).Equal(state.value) {
				t.Errorf("the plan is %v and %q, want no change", plan.PlannedState, messages(plan.Diagnostics))
			}
			if len(env.Targets()) != opened || env.Created != 1 {
				t.Errorf("got %d more openings and %d stores, want none and 1", len(env.Targets())-opened, env.Created)
			}
		})
	}
}

// A staging that is not known yet does not prevent a plan: only runs use it.
func TestUnknownStagingDoesNotPreventAPlan(t *testing.T) {
	t.Parallel()
	for name, staging := range map[string]any{
		"staging":   tftypes.UnknownValue,
		"s3":        block{"s3": tftypes.UnknownValue},
		"s3.bucket": block{"s3": block{"bucket": tftypes.UnknownValue}},
		"volume":    block{"volume": block{"catalog": "c", "schema": "s", "volume": tftypes.UnknownValue}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := providertest.New()
			env.Variables = map[string]string{"LYTICS_STAGING_S3_ACCESS_KEY_ID": "half a credential"}
			client := newConfiguredClient(t, env, block{"data_dir": "/d", "staging": staging})
			if diags := client.validateAndPlan("lytics_audience", audienceGiven); failed(diags) {
				t.Errorf("got %q, want a plan", messages(diags))
			}
			for _, got := range env.Targets() {
				if got.Engine.Staging != nil {
					t.Errorf("opened with staging %+v, want none", got.Engine.Staging)
				}
			}
		})
	}
}

// A runner's configuration file has every key of the provider block that says how runs
// are executed.
func TestTheConfigurationFileHasTheProvidersKeys(t *testing.T) {
	t.Parallel()
	c := newClient(t, providertest.New())
	var compare func(at string, attributes []*tfprotov6.SchemaAttribute, keys reflect.Type)
	compare = func(at string, attributes []*tfprotov6.SchemaAttribute, keys reflect.Type) {
		fields := map[string]reflect.Type{}
		for _, f := range reflect.VisibleFields(keys) {
			fields[f.Tag.Get("yaml")] = f.Type
		}
		for _, a := range attributes {
			field, ok := fields[a.Name]
			switch {
			case slices.Contains([]string{"runner", "databricks", "plan_check"}, at+a.Name):
			case !ok:
				t.Errorf("the provider block has %s%s, the configuration file has no such key", at, a.Name)
			case a.NestedType != nil:
				compare(at+a.Name+".", a.NestedType.Attributes, field.Elem())
			}
		}
	}
	compare("", c.schema.Provider.Block.Attributes, reflect.TypeFor[config.Engine]())
}
