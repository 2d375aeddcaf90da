package engine_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// An authorization with OAuth issues an access token of its workspace; one with a token
// gives nothing.
func TestIssueToken(t *testing.T) {
	t.Parallel()
	e := process(t, t.TempDir(), succeed)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, secret, _ := r.BasicAuth()
		if r.URL.Path != "/oidc/v1/token" || id != "6f5c-app" || secret != "secret-1" {
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"access_token":"issued-1","token_type":"Bearer","expires_in":3600}`)
	}))
	t.Cleanup(server.Close)
	at, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(at.Port())
	if err != nil {
		t.Fatal(err)
	}
	s := jobs.AuthorizationSpec{Label: "warehouse", Host: "http://" + at.Hostname(), Port: port, HTTPPath: "/sql/1.0/warehouses/a"}
	byClient, secret := s, jobs.NewSecret("secret-1")
	byClient.ClientID, byClient.ClientSecretVersion = "6f5c-app", 1
	made, err := e.CreateAuthorization(t.Context(), jobs.AuthorizationChange{AuthorizationSpec: byClient, ClientSecret: &secret})
	if err != nil {
		t.Fatal(err)
	}
	got, err := e.IssueToken(t.Context(), made.ID)
	if err != nil || got.Secret.Reveal() != "issued-1" || got.Expires.Before(time.Now().Add(time.Minute)) {
		t.Errorf("got %q until %s, %v; want a token for an hour", got.Secret.Reveal(), got.Expires, err)
	}
	s.Label, s.TokenVersion = "by token", 1
	byToken, err := e.CreateAuthorization(t.Context(), jobs.AuthorizationChange{AuthorizationSpec: s, Token: &secret})
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]jobs.Code{byToken.ID: jobs.CodeInvalid, "auth-none": jobs.CodeNotFound} {
		if _, err := e.IssueToken(t.Context(), id); !jobs.IsCode(err, want) {
			t.Errorf("%s: got %v, want code %s", id, err, want)
		}
	}
}
