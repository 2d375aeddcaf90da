package config_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/config"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// complete reads a configuration and fills it from an environment.
func complete(t *testing.T, text string, env map[string]string) (config.Runner, error) {
	t.Helper()
	c, err := config.Read(write(t, text, 0o600))
	if err != nil {
		t.Fatal(err)
	}
	return c.Complete(from(env))
}

// The volume of the events comes from the file, from the environment, or from both; its
// login is never mixed from two sources.
func TestTheVolumeOfTheEvents(t *testing.T) {
	t.Parallel()
	env := map[string]string{
		"LYTICS_EVENTS_VOLUME_HOST": "env", "LYTICS_EVENTS_VOLUME_PORT": "8443", "LYTICS_EVENTS_VOLUME_CATALOG": "main",
		"LYTICS_EVENTS_VOLUME_SCHEMA": "s", "LYTICS_EVENTS_VOLUME_VOLUME": "v", "LYTICS_EVENTS_VOLUME_TOKEN": " canary-dapi \n",
	}
	principal := map[string]string{"LYTICS_EVENTS_VOLUME_TOKEN": "canary-dapi", "LYTICS_EVENTS_VOLUME_CLIENT_SECRET": "canary-dose"}
	type volume struct {
		host, catalog, token, client, secret string
		port                                 int
	}
	for text, c := range map[string]struct {
		env  map[string]string
		want volume
	}{
		"{}": {env, volume{"env", "main", "canary-dapi", "", "", 8443}},
		"events: {volume: {host: file, catalog: c, schema: s, volume: v, token: t}}":                              {env, volume{"file", "c", "t", "", "", 8443}},
		"events: {volume: {host: file, catalog: c, schema: s, volume: v, client_id: i}}":                          {principal, volume{"file", "c", "", "i", "canary-dose", 0}},
		"events: {volume: {host: h, catalog: c, schema: s, volume: v, client_id: i, client_secret: canary-file}}": {principal, volume{"h", "c", "", "i", "canary-file", 0}},
	} {
		done, err := complete(t, text, c.env)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		v := done.EventsVolume()
		got := volume{v.Host, v.Catalog, v.Token.Reveal(), v.ClientID, v.ClientSecret.Reveal(), v.Port}
		if d := cmp.Diff(c.want, got, cmp.AllowUnexported(volume{})); d != "" {
			t.Errorf("%s (-want +got):\n%s", text, d)
		}
	}
	if c, err := complete(t, "{}", nil); err != nil || c.EventsVolume() != nil {
		t.Errorf("got %+v, %v without any setting, want no volume", c.EventsVolume(), err)
	}
}

// The login of the events is one of an authorization, by the same attributes, from the file, or
// from the environment, which replaces the whole of it or adds its secret.
func TestTheLoginOfTheEvents(t *testing.T) {
	t.Parallel()
	here, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	const in = "events: {volume: {host: h, catalog: c, schema: s, volume: v, "
	const env = "LYTICS_EVENTS_VOLUME_"
	for text, c := range map[string]struct {
		env    map[string]string
		want   *jobs.Login
		secret string
	}{
		in + "token_file: token}}":                    {nil, &jobs.Login{Kind: jobs.LoginTokenFile, File: filepath.Join(here, "token")}, ""},
		in + "profile: p, config_file: /c}}":          {nil, &jobs.Login{Kind: jobs.LoginProfile, Profile: "p", File: "/c"}, ""},
		in + "token_command: [a, b]}}":                {nil, &jobs.Login{Kind: jobs.LoginTokenCommand, Command: []string{"a", "b"}}, ""},
		in + "auth_type: azure-cli}}":                 {nil, &jobs.Login{Kind: jobs.LoginAzureCLI}, ""},
		in + "token_file: /t}}":                       {map[string]string{env + "AUTH_TYPE": "azure-msi", env + "AZURE_CLIENT_ID": "i"}, &jobs.Login{Kind: jobs.LoginAzureMSI, Identity: "i"}, ""},
		in + "auth_type: github-oidc, client_id: i}}": {map[string]string{env + "CLIENT_SECRET": "unused"}, &jobs.Login{Kind: jobs.LoginGitHubOIDC, Identity: "i"}, ""},
		in + "auth_type: azure-client-secret, azure_client_id: i, azure_tenant_id: t}}": {map[string]string{env + "AZURE_CLIENT_SECRET": "canary-s"},
			&jobs.Login{Kind: jobs.LoginAzureClientSecret, Identity: "i", Tenant: "t"}, "canary-s"},
		"{}": {map[string]string{env + "HOST": "h", env + "CATALOG": "c", env + "SCHEMA": "s", env + "VOLUME": "v", env + "TOKEN_COMMAND": "get, token",
			env + "GOOGLE_CREDENTIALS": ""}, &jobs.Login{Kind: jobs.LoginTokenCommand, Command: []string{"get", "token"}}, ""},
	} {
		read, err := config.Read(write(t, text, 0o600))
		if err != nil {
			t.Fatal(err)
		}
		done, err := read.Override(from(c.env)).Complete(from(c.env))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		got, secret := done.EventsVolume().Chosen()
		if d := cmp.Diff(c.want, got); d != "" || secret.Reveal() != c.secret {
			t.Errorf("%s: got the secret %q, and the login (-want +got):\n%s", text, secret.Reveal(), d)
		}
	}
}

// A place that no upload could use is refused before anything runs, with the way out.
func TestPlacesThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct{ attribute, next string }{
		"events: {}": {"events.volume", "LYTICS_EVENTS_VOLUME_HOST"},
		"events: {volume: {host: h, catalog: c, schema: s, token: t}}":                                            {"events.volume", "LYTICS_EVENTS_VOLUME_VOLUME"},
		"events: {volume: {host: h, catalog: c, schema: s, volume: v}}":                                           {"events.volume", "LYTICS_EVENTS_VOLUME_TOKEN"},
		"events: {volume: {host: h, catalog: c, schema: s, volume: v, client_id: i}}":                             {"events.volume", "CLIENT_SECRET"},
		"events: {volume: {host: h, catalog: c, schema: s, volume: v, token: t, client_id: i, client_secret: s}}": {"events.volume", "Set one of them"},
		"events: {volume: {host: h, catalog: c, schema: s, volume: v, auth_type: sesame}}":                        {"events.volume.auth_type", "Set auth_type"},
		"events: {volume: {host: h, catalog: c, schema: s, volume: v, auth_type: token-file}}":                    {"events.volume.token_file", "Set token_file"},
		"events: {volume: {host: h, catalog: c, schema: s, volume: v, profile: p, token: t}}":                     {"events.volume.token", "Leave one of the two out"},
		"events: {volume: {host: h, catalog: c, schema: s, volume: v, token: t, audience: a}}":                    {"events.volume.audience", "Set events.volume.auth_type"},
		"events: {volume: {host: h, catalog: c, schema: s, volume: v, oidc_token_env: LYTICS_ENCRYPTION_KEY}}":    {"events.volume.oidc_token_env", "DATABRICKS_OIDC_TOKEN"},
		"events: {volume: {host: h, catalog: c, schema: s, volume: v, auth_type: google-credentials}}":            {"events.volume.google_credentials", "LYTICS_EVENTS_VOLUME_GOOGLE_CREDENTIALS"},
		"events: {volume: {host: h, catalog: c, schema: s, volume: v, google_service_account: 'a/b'}}":            {"events.volume.google_service_account", "Give the address"},
		"staging: {s3: {bucket: 'abfss://files@acme.dfs.core.windows.net/lytics'}}":                               {"staging.s3.bucket", "CREATE EXTERNAL VOLUME"},
		"staging: {s3: {bucket: 'wasbs://files@acme.blob.core.windows.net'}}":                                     {"staging.s3.bucket", "staging.volume"},
		"staging: {s3: {bucket: files, endpoint: 'https://acme.blob.core.windows.net'}}":                          {"staging.s3.endpoint", "events.volume"},
		"staging: {s3: {bucket: 'gs://acme-files/lytics'}}":                                                       {"staging.s3.bucket", `bucket = "acme-files", endpoint = "https://storage.googleapis.com"`},
		"staging: {s3: {bucket: 'dbfs:///tmp'}}":                                                                  {"staging.s3.bucket", "staging.volume"},
	} {
		_, err := complete(t, text, nil)
		e, ok := errors.AsType[*jobs.Error](err)
		if !ok || e.Code != jobs.CodeInvalid || e.Attribute != want.attribute || !strings.Contains(e.Next, want.next) {
			t.Errorf("%s: got the error %v, want one of %s that says %q", text, err, want.attribute, want.next)
		}
	}
}
