package engine_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/config"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/oidctest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/embedded"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// eventsOptions are those of a runner whose configuration file has this login for the volume
// of the events, in an environment.
func eventsOptions(t *testing.T, s *sandboxtest.Sandbox, login string, env map[string]string) engine.Options {
	t.Helper()
	file := filepath.Join(t.TempDir(), "runner.yml")
	text := fmt.Sprintf("allow_private_hosts: true\nevents:\n  volume: {host: %q, port: %d, catalog: main, schema: default, volume: staging, %s}\n",
		s.Host, s.Port, login)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	lookup := func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	if c, err = c.Override(lookup).Complete(lookup); err != nil {
		t.Fatal(err)
	}
	// A worker process gets the configuration so.
	sent, err := c.Transfer()
	if err != nil {
		t.Fatal(err)
	}
	if c, err = config.Received(sent); err != nil {
		t.Fatal(err)
	}
	o := engine.RunnerOptions(c, "test")
	o.Getenv = func(name string) string { return env[name] }
	return o
}

func closeObjects(objects embedded.Objects) {
	if c, ok := objects.(interface{ Close() }); ok {
		c.Close()
	}
}

// The volume of a fleet's events is reached by the logins of authorizations.
// An identity token is exchanged at the workspace, and no secret is configured.
func TestTheVolumeOfTheEventsIsReachedByEveryLogin(t *testing.T) {
	t.Parallel()
	s, github := sandboxtest.Start(t), oidctest.Start(t)
	s.SetFederationPolicies(t, sandboxtest.FederationPolicy{ClientID: s.ClientID, Issuer: github.URL, Subject: oidctest.Subject,
		Audiences: []string{oidctest.Organization}})
	file := func(name, text string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	identity := file("identity", github.Token(t, oidctest.Organization))
	token := file("token", s.Token)
	profiles := file("databrickscfg", fmt.Sprintf("[events]\nhost = %s:%d\ntoken = %s\n", s.Host, s.Port, s.Token))
	for name, c := range map[string]struct {
		login  string
		env    map[string]string
		issued int
	}{
		"a token":             {login: "token: " + s.Token},
		"a client":            {login: "client_id: " + s.ClientID, env: map[string]string{"LYTICS_EVENTS_VOLUME_CLIENT_SECRET": s.ClientSecret}, issued: 1},
		"GitHub":              {login: fmt.Sprintf("auth_type: github-oidc, client_id: %s, audience: %q", s.ClientID, oidctest.Organization), env: github.Environment(), issued: 1},
		"an identity file":    {login: fmt.Sprintf("databricks_id_token_filepath: %q, client_id: %s", identity, s.ClientID), issued: 1},
		"a file":              {login: fmt.Sprintf("token_file: %q", token)},
		"a command":           {login: fmt.Sprintf("token_command: [cat, %q]", token)},
		"a profile":           {login: fmt.Sprintf("profile: events, config_file: %q", profiles)},
		"the environment":     {login: "auth_type: environment", env: map[string]string{"DATABRICKS_HOST": fmt.Sprintf("%s:%d", s.Host, s.Port), "DATABRICKS_TOKEN": s.Token}},
		"a file by variables": {env: map[string]string{"LYTICS_EVENTS_VOLUME_TOKEN_FILE": token}, login: "prefix: p"},
		"another login by variables": {login: "client_id: unknown", env: map[string]string{"LYTICS_EVENTS_VOLUME_CLIENT_ID": s.ClientID,
			"LYTICS_EVENTS_VOLUME_DATABRICKS_ID_TOKEN_FILEPATH": identity}, issued: 1},
	} {
		before := len(s.IssuedTokens(t)) // the tokens of one sandbox are counted: one case after the other
		objects, err := eventsOptions(t, s, c.login, c.env).EventObjects()(t.Context())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		closeObjects(objects)
		if n := len(s.IssuedTokens(t)) - before; n != c.issued {
			t.Errorf("%s: the workspace issued %d tokens, want %d", name, n, c.issued)
		}
	}
}

// A refused login of the events is an error at its attribute of events.volume, and not at
// that of an authorization.
func TestARefusedLoginOfTheEventsNamesItsAttribute(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	for login, want := range map[string]string{
		"token: canary-unknown":             "events.volume.token",
		"token_file: /nowhere/token":        "events.volume.token_file",
		"auth_type: github-oidc":            "events.volume.auth_type",
		"client_id: c, client_secret: nope": "events.volume.client_secret",
		"oidc_token_env: ID_TOKEN":          "events.volume.oidc_token_env",
	} {
		_, err := eventsOptions(t, s, login, nil).EventObjects()(t.Context())
		if f := jobs.FailureOf(orNone(err)); f.Attribute != want || f.Next == "" || strings.Contains(f.String(), "canary") {
			t.Errorf("%s: got %+v, want an error of %s", login, f, want)
		}
	}
}

// checklist 75: what the operator configures for the events is no login of definitions: these
// use it only if allowed_logins has it.
func TestTheLoginOfTheEventsIsNotOneOfDefinitions(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte(s.Token), 0o600); err != nil {
		t.Fatal(err)
	}
	o := eventsOptions(t, s, fmt.Sprintf("token_file: %q", token), nil)
	objects, err := o.EventObjects()(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	closeObjects(objects)
	o.DataDir, o.EncryptionKeyFile = t.TempDir(), filepath.Join(t.TempDir(), "key")
	o.Events = nil // the store is in a directory
	e := engine.New(o)
	t.Cleanup(func() { _ = e.Close() })
	change := jobs.AuthorizationChange{AuthorizationSpec: jobs.AuthorizationSpec{Label: "w", Host: s.Host, Port: s.Port, HTTPPath: s.HTTPPath,
		Login: &jobs.Login{Kind: jobs.LoginTokenFile, File: token}}}
	_, err = e.CreateAuthorization(t.Context(), change)
	if f := jobs.FailureOf(orNone(err)); f.Code != jobs.CodeInvalid || f.Attribute != "token_file" || !strings.Contains(f.Next, "allowed_logins") {
		t.Errorf("got %+v, want a refusal of token_file", f)
	}
}
