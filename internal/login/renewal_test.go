package login_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/login"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/oidctest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// open opens a session with a login.
func open(t *testing.T, s *sandboxtest.Sandbox, l jobs.Login, env map[string]string) *databricks.Warehouse {
	t.Helper()
	w, err := databricks.Open(t.Context(), databricks.Config{
		Host: s.Host, Port: s.Port, HTTPPath: s.HTTPPath, LoopbackHosts: true, UserAgent: "test",
		Login: login.New(login.Options{Login: l, Getenv: func(name string) string { return env[name] }, AllowPrivateHosts: true}),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	return w
}

func selectOne(t *testing.T, w *databricks.Warehouse) error {
	t.Helper()
	rows, err := w.Query(t.Context(), "SELECT 1")
	if err != nil {
		return err
	}
	for rows.Next() {
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return rows.Close()
}

// A token that the workspace refuses in a session is read again.
//
// checklist 25
func TestARefusedTokenIsReadAgain(t *testing.T) {
	t.Parallel()
	for _, kind := range []jobs.LoginKind{jobs.LoginTokenFile, jobs.LoginTokenCommand} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			s := sandboxtest.Start(t)
			file := write(t, "token", s.Token)
			l := jobs.Login{Kind: kind, File: file}
			if kind == jobs.LoginTokenCommand {
				l = jobs.Login{Kind: kind, Command: []string{"cat", file}}
			}
			w := open(t, s, l, nil)
			const next = "dapi-the-next-token-5521"
			s.SetToken(t, next)
			if err := selectOne(t, w); err == nil || !strings.Contains(err.Error(), "token") {
				t.Fatalf("got %v, want a refused token", err)
			}
			if err := os.WriteFile(file, []byte(next+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := selectOne(t, w); err != nil {
				t.Error(err)
			}
		})
	}
}

// An access token that was exchanged is exchanged again when the workspace refuses it, and
// before it expires.
//
// checklist 25
func TestAnExchangedTokenIsRenewed(t *testing.T) {
	t.Parallel()
	for name, ttl := range map[string]string{"refused": "1h", "about to expire": "30s"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := sandboxtest.Start(t, sandboxtest.WithArgs("-client-token-ttl", ttl))
			github := oidctest.Start(t)
			s.SetFederationPolicies(t, sandboxtest.FederationPolicy{
				ClientID: s.ClientID, Issuer: github.URL, Subject: oidctest.Subject, Audiences: []string{oidctest.Organization}})
			w := open(t, s, jobs.Login{Kind: jobs.LoginGitHubOIDC, Identity: s.ClientID, Audience: oidctest.Organization},
				github.Environment())
			before := len(s.IssuedTokens(t))
			if name == "refused" {
				s.ExpireTokens(t)
			}
			if err := selectOne(t, w); err != nil {
				t.Fatal(err)
			}
			if after := len(s.IssuedTokens(t)); after <= before {
				t.Errorf("%d tokens were issued, as before the statement; want more", after)
			}
		})
	}
}

// A token is kept as long as it is valid: its expiry is in the token, where it is a JWT.
func TestAValidTokenIsKept(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	github := oidctest.Start(t)
	github.SetLifetime(time.Hour)
	s.SetFederationPolicies(t, sandboxtest.FederationPolicy{
		ClientID: s.ClientID, Issuer: github.URL, Subject: oidctest.Subject, Audiences: []string{oidctest.Organization}})
	w := open(t, s, jobs.Login{Kind: jobs.LoginGitHubOIDC, Identity: s.ClientID, Audience: oidctest.Organization}, github.Environment())
	for range 3 {
		if err := selectOne(t, w); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(s.IssuedTokens(t)); n != 1 {
		t.Errorf("%d tokens were issued for one session, want 1", n)
	}
	source := login.New(login.Options{Login: jobs.Login{Kind: jobs.LoginTokenFile, File: write(t, "jwt", github.Token(t, "a"))}})
	token, err := source.Token(t.Context(), login.Workspace{})
	if left := time.Until(token.Expires); err != nil || left < 50*time.Minute || left > time.Hour {
		t.Errorf("got %v and %s left, want about an hour", err, left)
	}
	if text := fmt.Sprint(token); strings.Contains(text, "eyJ") {
		t.Errorf("the token is printed: %s", text)
	}
}
