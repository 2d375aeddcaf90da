package engine_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// allowing makes the definitions those of others than the operator, who allows logins.
func allowing(entries ...string) func(*engine.Options) {
	return func(o *engine.Options) { o.ForeignDefinitions, o.AllowedLogins = true, entries }
}

// checklist 75: on a runner, a definition acts as the machine and reads its files only as
// far as the operator lists it. Stored secrets need no entry.
func TestADefinitionUsesOnlyAllowedLogins(t *testing.T) {
	t.Parallel()
	file := func(path string) jobs.Login { return jobs.Login{Kind: jobs.LoginTokenFile, File: path} }
	command := func(words ...string) jobs.Login { return jobs.Login{Kind: jobs.LoginTokenCommand, Command: words} }
	profile := func(name, path string) jobs.Login {
		return jobs.Login{Kind: jobs.LoginProfile, Profile: name, File: path}
	}
	everyKind := []jobs.Login{
		file("/run/secrets/token"), command("print-token"), profile("ci", ""), {Kind: jobs.LoginEnvironment},
		{Kind: jobs.LoginGitHubOIDC},
		{Kind: jobs.LoginFileOIDC, File: "/run/secrets/id"}, {Kind: jobs.LoginEnvOIDC, Variable: "ID_TOKEN"}, {Kind: jobs.LoginAzureCLI},
		{Kind: jobs.LoginAzureMSI}, {Kind: jobs.LoginGoogleID, Identity: "a@b"}, {Kind: jobs.LoginDatabricksCLI},
	}
	for name, c := range map[string]struct {
		set               func(*engine.Options)
		accepted, refused []jobs.Login
	}{
		"embedded": {set: func(*engine.Options) {}, accepted: everyKind,
			refused: []jobs.Login{{Kind: jobs.LoginEnvOIDC, Variable: "LYTICS_ENCRYPTION_KEY"}, {Kind: jobs.LoginEnvOIDC,
				Variable: "AWS_SECRET_ACCESS_KEY"}}},
		"a runner": {set: allowing(), refused: everyKind},
		"a runner that allows kinds": {set: allowing("github-oidc", "azure-msi"),
			accepted: []jobs.Login{{Kind: jobs.LoginGitHubOIDC}, {Kind: jobs.LoginAzureMSI}},
			refused:  []jobs.Login{{Kind: jobs.LoginAzureCLI}, file("/a")}},
		"a runner that allows names": {
			set: allowing("token-file:/run/secrets/*", "token-command:vault token", "profile:ci", "profile:/etc/cfg#ci", "env-oidc:CI_*"),
			accepted: []jobs.Login{file("/run/secrets/token"), command("vault", "token"), profile("ci", ""), profile("ci", "/etc/cfg"),
				{Kind: jobs.LoginEnvOIDC, Variable: "CI_TOKEN"}},
			refused: []jobs.Login{file("/run/secrets/../../etc/shadow"), file("/run/secretsx"), file("run/secrets/token"), command("vault",
				"token", "-all"),
				command("vault token"), command("vault"), profile("prod", ""), profile("ci", "/home/me/cfg"), {Kind: jobs.LoginEnvOIDC,
					Variable: "HOME"},
				{Kind: jobs.LoginFileOIDC, File: "/run/secrets/token"}},
		},
		"a runner that allows commands": {
			set:      allowing("token-command:/opt/tokens/*", "token-command:vault read secret/dbx/*", "token-command:get *"),
			accepted: []jobs.Login{command("/opt/tokens/dbx"), command("vault", "read", "secret/dbx/prod"), command("get", "prod")},
			refused: []jobs.Login{command("/opt/tokens/../../bin/sh", "-c", "id"), command("/opt/tokens/../../bin/sh"),
				command(`/opt/tokens/..\..\sh`), command("/opt/tokens/dbx", "-c"), command("/opt/tokens/a b"),
				command("/opt/tokens/", "x"), command("vault", "read", "secret/dbx/prod", "-address=https://example.com"),
				command("vault", "read", "secret/dbx/../root"), command("vault", "read", "secret/dbx/a'b"),
				command("vault", "read", "secret/dbx/a\u00a0b"), command("get", "-config=/tmp/x")},
		},
		"a runner that allows all names": {set: allowing("env-oidc:*", "token-command:*"), accepted: []jobs.Login{command("a", "b c")},
			refused: []jobs.Login{{Kind: jobs.LoginEnvOIDC, Variable: "LYTICS_ENCRYPTION_KEY"}, command("/opt/../bin/sh")}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, tokens := listener(t)
			e := process(t, t.TempDir(), succeed, c.set, func(o *engine.Options) {
				o.Getenv = func(name string) string {
					if name == store.KeyEnv {
						return "" // the key is in a file
					}
					return "canary-" + name
				}
			})
			s.CheckConnection = true
			for _, l := range c.refused {
				s.Login = &l
				_, err := e.CreateAuthorization(t.Context(), jobs.AuthorizationChange{AuthorizationSpec: s})
				if f := jobs.FailureOf(orNone(err)); f.Code != jobs.CodeInvalid || f.Attribute != l.Attribute() || f.Next == "" || strings.Contains(f.String(), "canary") {
					t.Errorf("%+v: got %+v, want a refusal of %s", l, f, l.Attribute())
				}
			}
			if n := tokens.Load(); n != 0 {
				t.Errorf("%d requests had a token of the process", n)
			}
			s.CheckConnection = false
			for _, l := range c.accepted {
				s.Login = &l
				a, err := e.CreateAuthorization(t.Context(), jobs.AuthorizationChange{AuthorizationSpec: s})
				if err != nil || len(a.Warnings) != 0 || !a.SecretReadable {
					t.Errorf("%+v: got %+v, %v; want it accepted without a warning", l, a.Warnings, err)
				}
			}
			secret := jobs.NewSecret("secret of the application")
			s.Login = &jobs.Login{Kind: jobs.LoginAzureClientSecret, Identity: "a", Tenant: "b"}
			if _, err := e.CreateAuthorization(t.Context(), jobs.AuthorizationChange{AuthorizationSpec: s,
				ClientSecret: &secret}); err != nil {
				t.Errorf("a stored secret: %v", err)
			}
		})
	}
}

// A login that the operator takes from the list is refused where it is used, with the line
// that allows it; Terraform can still read the authorization.
func TestALoginThatIsNoLongerAllowedIsRefusedAtItsUse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, tokens := listener(t)
	e, db := serve(t, dir, nil, allowing("github-oidc"))
	id := store.NewID("auth")
	file := filepath.Join(dir, "token")
	s.Login = &jobs.Login{Kind: jobs.LoginTokenFile, File: file}
	if err := db.PutAuthorization(t.Context(), store.AuthorizationRow{
		Authorization: jobs.Authorization{ID: id, AuthorizationSpec: s}, Confirmed: true}); err != nil {
		t.Fatal(err)
	}
	line := `allowed_logins: ["github-oidc", "token-file:` + file + `"]`
	a, err := e.Authorization(t.Context(), id)
	if err != nil || len(a.Warnings) != 1 || a.Warnings[0].Attribute != "token_file" || !strings.HasSuffix(a.Warnings[0].Next, line) {
		t.Errorf("read: got %+v, %v; want a warning with %s", a.Warnings, err, line)
	}
	_, err = e.Catalogs(t.Context(), id, "")
	if f := jobs.FailureOf(orNone(err)); f.Attribute != "token_file" || !strings.HasSuffix(f.Next, line) || tokens.Load() != 0 {
		t.Errorf("used: got %+v and %d requests with a token, want a refusal with %s", f, tokens.Load(), line)
	}
}

// The name of a login is never taken for a client, to which a stored secret of the login
// would be sent.
//
// checklist 75
func TestASecretOfALoginIsNeverAClientSecret(t *testing.T) {
	t.Parallel()
	e, db := serve(t, t.TempDir(), nil)
	s, tokens := listener(t)
	s.CheckConnection = true
	key := jobs.NewSecret("private-key-of-an-account")
	byLogin, byClient := s, s
	byLogin.Login, byLogin.CheckConnection = &jobs.Login{Kind: jobs.LoginGoogleCredentials}, false
	byClient.ClientID = "google-credentials"
	a, err := e.CreateAuthorization(t.Context(), jobs.AuthorizationChange{AuthorizationSpec: byLogin, ClientSecret: &key})
	if err != nil {
		t.Fatal(err)
	}
	_, err = e.UpdateAuthorization(t.Context(), a.ID, jobs.AuthorizationChange{AuthorizationSpec: byClient})
	if f := jobs.FailureOf(orNone(err)); f.Code != jobs.CodeInvalid || f.Attribute != "client_id" {
		t.Errorf("an update to a client: got %+v, want a refusal of client_id", f)
	}
	// The store may have such a client of another release.
	row, err := db.Authorization(t.Context(), a.ID)
	if err != nil {
		t.Fatal(err)
	}
	row.AuthorizationSpec = byClient
	if err := db.PutAuthorization(t.Context(), row); err != nil {
		t.Fatal(err)
	}
	byLogin.CheckConnection = true
	_, err = e.UpdateAuthorization(t.Context(), a.ID, jobs.AuthorizationChange{AuthorizationSpec: byLogin})
	if f := jobs.FailureOf(orNone(err)); f.Code != jobs.CodeInvalid || !strings.Contains(f.Next, "Give google_credentials_wo again") {
		t.Errorf("an update to a login: got %+v, want that the secret is given again", f)
	}
	if n := tokens.Load(); n != 0 {
		t.Errorf("%d requests had the secret", n)
	}
}
