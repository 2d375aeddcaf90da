package login_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/oidctest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store/storetest"
)

// connect creates an authorization with a login, which opens a session, and lists the
// workspace's catalogs with it.
func connect(t *testing.T, at jobs.AuthorizationSpec, l jobs.Login, secret string, env map[string]string,
	set ...func(*engine.Options)) error {
	t.Helper()
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	if err := storetest.Create(data); err != nil {
		t.Fatal(err)
	}
	o := engine.Options{DataDir: data, EncryptionKeyFile: filepath.Join(dir, "keys", "key"), AllowPrivateHosts: true, Name: "host",
		Getenv: func(name string) string { return env[name] }}
	for _, f := range set {
		f(&o)
	}
	e := engine.New(o)
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	at.Label, at.Login, at.CheckConnection = "warehouse", &l, true
	change := jobs.AuthorizationChange{AuthorizationSpec: at}
	if secret != "" {
		s := jobs.NewSecret(secret)
		change.ClientSecret, change.ClientSecretVersion = &s, 1
	}
	a, err := e.CreateAuthorization(t.Context(), change)
	if err != nil {
		return err
	}
	_, err = e.Catalogs(t.Context(), a.ID, "")
	return err
}

func warehouse(s *sandboxtest.Sandbox) jobs.AuthorizationSpec {
	return jobs.AuthorizationSpec{Host: s.Host, Port: s.Port, HTTPPath: s.HTTPPath}
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// azureToken lets the fake command line of Azure print a token for a directory.
func azureToken(t *testing.T, tenant, token string) string {
	t.Helper()
	if err := os.WriteFile(filepath.Join(os.Getenv("HOME"), "az-token-"+tenant), []byte(token), 0o600); err != nil {
		t.Fatal(err)
	}
	return tenant
}

func claimsOf(t *testing.T, token string) map[string]any {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		t.Error(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(text, &claims); err != nil {
		t.Error(err)
	}
	return claims
}

// Every kind of login opens a session on a warehouse and reads the catalog.
func TestEveryLoginReachesTheWarehouse(t *testing.T) {
	t.Parallel()
	github := oidctest.Start(t)
	// The stand-ins give the sandbox's token. It is a JWT, as Google's libraries expect.
	s := sandboxtest.Start(t, sandboxtest.WithArgs("-token", github.Token(t, "workspace")))
	s.SetFederationPolicies(t,
		sandboxtest.FederationPolicy{ClientID: s.ClientID, Issuer: github.URL, Subject: oidctest.Subject,
			Audiences: []string{oidctest.Organization}},
		sandboxtest.FederationPolicy{Issuer: github.URL, Subject: oidctest.Subject, Audiences: []string{fmt.Sprintf("%s:%d/oidc/v1/token",
			s.Host, s.Port)}})
	here := fmt.Sprintf("%s:%d", s.Host, s.Port)
	identity := github.Token(t, oidctest.Organization)
	console := &google{t: t, token: s.Token, audience: here}
	accounts := standIn(t, console)
	const secret = "secret-of-the-application-8d1f"
	printed := fmt.Sprintf(`{"access_token":%q,"token_type":"Bearer","expiry":%q}`, s.Token,
		time.Now().Add(time.Hour).Format(time.RFC3339))
	profiles := write(t, "databrickscfg", fmt.Sprintf("; of the tools\n[DEFAULT]\nhost = https://dbc-1.cloud.databricks.com\ntoken = another\n\n"+
		"[ci]\nhost  = %[1]s/\ntoken = %[2]s\n\n[robot]\nhost = %[1]s\nclient_id = %[3]s\nclient_secret = %[4]s\n", here, s.Token,
		s.ClientID, s.ClientSecret))
	with := func(more map[string]string) map[string]string {
		env := github.Environment()
		for name, value := range more {
			env[name] = value
		}
		return env
	}
	for name, c := range map[string]struct {
		login  jobs.Login
		secret string
		env    map[string]string
	}{
		"a token in a file": {login: jobs.Login{Kind: jobs.LoginTokenFile, File: write(t, "token", s.Token+"\n")}},
		"a command that prints a token": {login: jobs.Login{Kind: jobs.LoginTokenCommand, Command: []string{"cat", write(t, "token",
			s.Token)}}},
		"a command that prints JSON": {login: jobs.Login{Kind: jobs.LoginTokenCommand, Command: []string{"cat", write(t, "token",
			printed)}}},
		"a profile with a token": {login: jobs.Login{Kind: jobs.LoginProfile, Profile: "ci", File: profiles}},
		"a profile with OAuth":   {login: jobs.Login{Kind: jobs.LoginProfile, Profile: "robot", File: profiles}},
		"a profile of the default file": {login: jobs.Login{Kind: jobs.LoginProfile, Profile: "ci"},
			env: map[string]string{"DATABRICKS_CONFIG_FILE": profiles}},
		"the environment with a token": {login: jobs.Login{Kind: jobs.LoginEnvironment},
			env: map[string]string{"DATABRICKS_HOST": here, "DATABRICKS_TOKEN": s.Token}},
		"the environment with OAuth": {login: jobs.Login{Kind: jobs.LoginEnvironment},
			env: map[string]string{"DATABRICKS_HOST": here, "DATABRICKS_CLIENT_ID": s.ClientID,
				"DATABRICKS_CLIENT_SECRET": s.ClientSecret}},
		"the environment with GitHub": {login: jobs.Login{Kind: jobs.LoginEnvironment}, env: with(map[string]string{
			"DATABRICKS_HOST": here, "DATABRICKS_CLIENT_ID": s.ClientID, "DATABRICKS_AUTH_TYPE": "github-oidc",
			"DATABRICKS_TOKEN_AUDIENCE": oidctest.Organization})},
		"the environment with a profile": {login: jobs.Login{Kind: jobs.LoginEnvironment},
			env: map[string]string{"DATABRICKS_CONFIG_FILE": profiles, "DATABRICKS_CONFIG_PROFILE": "robot"}},
		"GitHub": {login: jobs.Login{Kind: jobs.LoginGitHubOIDC, Identity: s.ClientID, Audience: oidctest.Organization},
			env: with(nil)},
		"GitHub account-wide": {login: jobs.Login{Kind: jobs.LoginGitHubOIDC}, env: with(nil)},
		"an identity token in a file": {
			login: jobs.Login{Kind: jobs.LoginFileOIDC, Identity: s.ClientID, File: write(t, "identity", identity+"\n")}},
		"an identity token in a variable": {
			login: jobs.Login{Kind: jobs.LoginEnvOIDC, Identity: s.ClientID, Variable: "ID_TOKEN"},
			env:   map[string]string{"ID_TOKEN": identity}},
		"Azure's command line": {login: jobs.Login{Kind: jobs.LoginAzureCLI, Tenant: azureToken(t, "directory-1", s.Token)}},
		"a managed identity": {login: jobs.Login{Kind: jobs.LoginAzureMSI},
			env: map[string]string{"AZURE_POD_IDENTITY_AUTHORITY_HOST": standIn(t, imds(s.Token))}},
		"a managed identity of App Service": {login: jobs.Login{Kind: jobs.LoginAzureMSI, Identity: "of-the-app"},
			env: map[string]string{"IDENTITY_ENDPOINT": standIn(t, appService(s.Token, secret)) + "/msi/token",
				"IDENTITY_HEADER": secret}},
		"an application of Entra": {login: jobs.Login{Kind: jobs.LoginAzureClientSecret, Identity: "application-1",
			Tenant: "directory-1"}, secret: secret,
			env: map[string]string{"AZURE_AUTHORITY_HOST": standIn(t, entra(s.Token, secret))}},
		"the key of a Google service account": {login: jobs.Login{Kind: jobs.LoginGoogleCredentials}, secret: serviceAccountKey(t,
			accounts+"/token")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := connect(t, warehouse(s), c.login, c.secret, c.env); err != nil {
				t.Error(err)
			}
		})
	}
}

// The public hosts of Azure, Google and Databricks are reached by their names, through a
// company's proxy, and nothing has to be allowed for it.
func TestLoginsReachThePublicHosts(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, sandboxtest.WithArgs("-token", oidctest.Start(t).Token(t, "workspace")))
	const azure, aws, gcp = "adb-1.2.azuredatabricks.net", "dbc-login-test.cloud.databricks.com", "1.2.gcp.databricks.com"
	for _, host := range []string{azure, aws, gcp} {
		behind(t, s, host)
	}
	const secret = "secret-of-the-application-41c7"
	internet.serve(t, "login.microsoftonline.com", entra(s.Token, secret))
	console := &google{t: t, token: s.Token, audience: "https://" + gcp}
	internet.serve(t, "oauth2.googleapis.com", console)
	internet.serve(t, "iamcredentials.googleapis.com", console)
	metadata := strings.TrimPrefix(standIn(t, console), "http://")
	cache := filepath.Join(os.Getenv("HOME"), ".databricks", "token-cache.json")
	if err := os.MkdirAll(filepath.Dir(cache), 0o700); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf(`{"version":1,"tokens":{"https://%s":{"access_token":%q,"token_type":"Bearer","refresh_token":"doau-refresh","expiry":%q}}}`,
		aws, s.Token, time.Now().Add(time.Hour).Format(time.RFC3339))
	if err := os.WriteFile(cache, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	const account = "lytics@acme.iam.gserviceaccount.com"
	for name, c := range map[string]struct { //nolint:paralleltest // the hosts are served until the test ends
		host, secret string
		login        jobs.Login
		env          map[string]string
	}{
		"an application of Entra": {host: azure, secret: secret,
			login: jobs.Login{Kind: jobs.LoginAzureClientSecret, Identity: "application-1", Tenant: "directory-1"}},
		"an application of Entra in the environment": {host: azure, login: jobs.Login{Kind: jobs.LoginEnvironment},
			env: map[string]string{
				"DATABRICKS_HOST": azure, "ARM_CLIENT_ID": "application-1", "ARM_TENANT_ID": "directory-1", "ARM_CLIENT_SECRET": secret}},
		"the environment of Azure's command line": {host: azure, login: jobs.Login{Kind: jobs.LoginEnvironment}, env: map[string]string{
			"DATABRICKS_HOST": "https://" + azure, "ARM_TENANT_ID": azureToken(t, "directory-2", s.Token)}},
		"the login of Databricks' command line": {host: aws, login: jobs.Login{Kind: jobs.LoginDatabricksCLI}},
		"the key of a Google service account": {host: gcp,
			login: jobs.Login{Kind: jobs.LoginGoogleCredentials}, secret: serviceAccountKey(t, "https://oauth2.googleapis.com/token")},
		"a Google service account, by the machine": {host: gcp, login: jobs.Login{Kind: jobs.LoginGoogleID, Identity: account},
			env: map[string]string{"GCE_METADATA_HOST": metadata}},
		"a Google service account, by a key": {host: gcp, login: jobs.Login{Kind: jobs.LoginGoogleID, Identity: account},
			env: map[string]string{"GOOGLE_APPLICATION_CREDENTIALS": write(t, "key.json", serviceAccountKey(t,
				"https://oauth2.googleapis.com/token"))}},
	} {
		t.Run(name, func(t *testing.T) {
			at := jobs.AuthorizationSpec{Host: c.host, Port: 443, HTTPPath: s.HTTPPath}
			if err := connect(t, at, c.login, c.secret, c.env, func(o *engine.Options) { o.AllowPrivateHosts = false }); err != nil {
				t.Error(err)
			}
		})
	}
	want := []string{"identity token of the key", "access token of the machine", "identity token by of-the-machine",
		"access token of the key", "identity token by of-the-key"}
	missing := slices.DeleteFunc(want, func(w string) bool { return slices.Contains(console.seen, w) })
	if len(missing) > 0 {
		t.Errorf("Google was not asked for %v", missing)
	}
}
