package engine_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// tlsWorkspace serves a workspace over TLS, with a certificate of an authority of its own. It
// issues identity tokens and access tokens, lists one catalog, and refuses statements. It
// returns its URL, how to reach it, and the PEM of the authority.
func tlsWorkspace(t *testing.T) (address string, spec jobs.AuthorizationSpec, authority []byte) {
	t.Helper()
	answers := map[string]string{
		"/api/2.1/unity-catalog/catalogs":              `{"catalogs": [{"name": "main"}]}`,
		"/oidc/v1/token":                               `{"access_token": "access-token-1", "token_type": "Bearer", "expires_in": 3600}`,
		"/oidc/.well-known/oauth-authorization-server": `{"token_endpoint": "https://HOST/oidc/v1/token", "authorization_endpoint": "https://HOST/oidc/v1/authorize"}`,
		"/identity": `{"value": "identity-token-1"}`,
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if answers[r.URL.Path] == "" {
			w.WriteHeader(http.StatusForbidden)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, strings.ReplaceAll(answers[r.URL.Path], "HOST", r.Host))
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	at, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(at.Port())
	if err != nil {
		t.Fatal(err)
	}
	return server.URL, jobs.AuthorizationSpec{Label: "warehouse", Host: "https://" + at.Hostname(), Port: port, HTTPPath: "/sql/1.0/warehouses/a",
		TokenVersion: 1}, certificatePEM(server.Certificate().Raw)
}

func certificatePEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// otherAuthority returns the PEM of an authority that issued nothing.
func otherAuthority(t *testing.T) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return certificatePEM(der)
}

func writeFile(t *testing.T, path string, content []byte) string {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A workspace whose certificate is of an authority of its own, such as a proxy's, is trusted
// by ca_file, for statements and for Unity Catalog's API. Without it, the error names the
// attribute.
func TestCAFileMakesAWorkspaceTrusted(t *testing.T) {
	t.Parallel()
	_, spec, authority := tlsWorkspace(t)
	file := writeFile(t, filepath.Join(t.TempDir(), "ca.pem"), authority)
	token := jobs.NewSecret("dapi-1")
	change := jobs.AuthorizationChange{Token: &token, AuthorizationSpec: spec}
	change.CheckConnection = true

	plain := process(t, t.TempDir(), succeed)
	if _, err := plain.CreateAuthorization(t.Context(), change); jobs.FailureOf(orNone(err)).Attribute != "host" || !strings.Contains(err.Error(), "ca_file") {
		t.Errorf("without ca_file: got %v, want an error that names it", err)
	}
	trusting := process(t, t.TempDir(), succeed, func(o *engine.Options) { o.CAFile = file })
	if _, err := trusting.CreateAuthorization(t.Context(), change); !jobs.IsCode(orNone(err), jobs.CodeForbidden) {
		t.Errorf("with ca_file: got %v, want the workspace's own refusal", err)
	}
	change.CheckConnection = false
	a, err := trusting.CreateAuthorization(t.Context(), change)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := trusting.Catalogs(t.Context(), a.ID, ""); err != nil || len(got) == 0 {
		t.Errorf("with ca_file: got the catalogs %v, %v", got, err)
	}
}

// checklist 51: the ca_file of an authorization counts for its own connections: statements,
// Unity Catalog, the token endpoint, and the issuer of identity tokens. Another authorization
// of the same workspace does not trust it.
func TestTheCAFileOfAnAuthorizationIsForItsConnectionsAlone(t *testing.T) {
	t.Parallel()
	address, spec, authority := tlsWorkspace(t)
	file := writeFile(t, filepath.Join(t.TempDir(), "ca.pem"), authority)
	e := process(t, t.TempDir(), succeed, func(o *engine.Options) {
		o.Getenv = func(name string) string {
			return map[string]string{"ACTIONS_ID_TOKEN_REQUEST_URL": address + "/identity?x=1", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "request-token"}[name]
		}
	})
	secret := jobs.NewSecret("dapi-secret-1")
	for name, of := range map[string]func(*jobs.AuthorizationChange){
		"a token": func(c *jobs.AuthorizationChange) { c.Token = &secret },
		"OAuth": func(c *jobs.AuthorizationChange) {
			c.TokenVersion, c.ClientID, c.ClientSecretVersion, c.ClientSecret = 0, "client", 1, &secret
		},
		"an identity token": func(c *jobs.AuthorizationChange) {
			c.TokenVersion, c.Login = 0, &jobs.Login{Kind: jobs.LoginGitHubOIDC, Identity: "client"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			change := jobs.AuthorizationChange{AuthorizationSpec: spec}
			of(&change)
			change.CAFile = file
			trusting, err := e.CreateAuthorization(t.Context(), change)
			if err != nil || trusting.CAFile != file {
				t.Fatalf("created with the ca_file %q: %v", trusting.CAFile, err)
			}
			change.CAFile = ""
			plain, err := e.CreateAuthorization(t.Context(), change)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := e.Catalogs(t.Context(), trusting.ID, ""); err != nil || len(got) == 0 {
				t.Errorf("with ca_file: got the catalogs %v, %v", got, err)
			}
			if _, err := e.Catalogs(t.Context(), plain.ID, ""); err == nil || !strings.Contains(err.Error(), "ca_file: of the authorization") {
				t.Errorf("without ca_file: got %v, want an error that recommends it", err)
			}
			change.CheckConnection, change.CAFile = true, file
			if _, err := e.CreateAuthorization(t.Context(), change); !jobs.IsCode(orNone(err), jobs.CodeForbidden) {
				t.Errorf("a statement with ca_file: got %v, want the workspace's own refusal", err)
			}
		})
	}
}

// checklist 51: the file is read for each connection, so that a renewed one counts, and what
// the operator trusts stays trusted.
func TestARenewedCAFileCounts(t *testing.T) {
	t.Parallel()
	_, spec, authority := tlsWorkspace(t)
	dir := t.TempDir()
	spec.CAFile = writeFile(t, filepath.Join(dir, "ca.pem"), otherAuthority(t))
	e := process(t, t.TempDir(), succeed)
	a := authorizeAt(t, e, spec)
	if _, err := e.Catalogs(t.Context(), a.ID, ""); err == nil {
		t.Error("the authority of another one is trusted")
	}
	operators := process(t, t.TempDir(), succeed, func(o *engine.Options) {
		o.CAFile = writeFile(t, filepath.Join(dir, "operator.pem"), authority)
	})
	if got, err := operators.Catalogs(t.Context(), authorizeAt(t, operators, spec).ID, ""); err != nil || len(got) == 0 {
		t.Errorf("what the operator trusts: got the catalogs %v, %v", got, err)
	}
	writeFile(t, spec.CAFile, append(otherAuthority(t), authority...))
	if got, err := e.Catalogs(t.Context(), a.ID, ""); err != nil || len(got) == 0 {
		t.Errorf("the renewed file: got the catalogs %v, %v", got, err)
	}
}

// checklist 49: a stored secret is not sent to a server that another ca_file vouches for.
func TestAChangedCAFileNeedsTheSecretAgain(t *testing.T) {
	t.Parallel()
	e := open(t, t.TempDir())
	secret := jobs.NewSecret("dapi-secret-1")
	for _, files := range [][2]string{{"", "/a.pem"}, {"/a.pem", "/b.pem"}, {"/a.pem", ""}} {
		name := fmt.Sprintf("from %q to %q", files[0], files[1])
		change := spec("dbc-1.cloud.databricks.com")
		change.Token, change.CAFile = &secret, files[0]
		a, err := e.CreateAuthorization(t.Context(), change)
		if err != nil {
			t.Fatal(err)
		}
		change.Token, change.CAFile = nil, files[1]
		_, err = e.UpdateAuthorization(t.Context(), a.ID, change)
		if f := jobs.FailureOf(orNone(err)); f.Attribute != "token_wo" || !strings.Contains(f.Detail, "ca_file") {
			t.Errorf("%s without the secret: got %v", name, err)
		}
		if kept, err := e.Authorization(t.Context(), a.ID); err != nil || kept.CAFile != files[0] || !kept.SecretReadable {
			t.Errorf("%s: the authorization has %q, %v", name, kept.CAFile, err)
		}
		change.Token = &secret
		if got, err := e.UpdateAuthorization(t.Context(), a.ID, change); err != nil || got.CAFile != files[1] || !got.SecretReadable {
			t.Errorf("%s with the secret: got %q, %v", name, got.CAFile, err)
		}
	}
}

// A file that cannot be used is an error that names the attribute and the reason, and has
// nothing of the content. The file of the operator is not taken for the authorization's.
func TestAnUnusableCAFileIsNamed(t *testing.T) {
	t.Parallel()
	_, spec, authority := tlsWorkspace(t)
	dir := t.TempDir()
	spec.CheckConnection = true
	secret := jobs.NewSecret("dapi-secret-1")
	const content = "no certificate but a secret"
	for file, want := range map[string]string{
		filepath.Join(dir, "missing.pem"): "no such file", dir: "no regular file",
		writeFile(t, filepath.Join(dir, "text"), []byte(content)):                            "no certificate in PEM form",
		writeFile(t, filepath.Join(dir, "large"), []byte(strings.Repeat(content+"\n", 1e5))): "larger than 1 MiB",
	} {
		of := spec
		of.CAFile = file
		e := process(t, t.TempDir(), succeed)
		_, err := e.CreateAuthorization(t.Context(), jobs.AuthorizationChange{AuthorizationSpec: of, Token: &secret})
		f := jobs.FailureOf(orNone(err))
		if f.Code != jobs.CodeInvalid || f.Attribute != "ca_file" || !strings.Contains(f.Summary, file) || !strings.Contains(f.Detail, want) || f.Next == "" ||
			strings.Contains(err.Error(), content) {
			t.Errorf("%s: got %+v, want ca_file and %q", file, f, want)
		}
		of.CAFile = writeFile(t, filepath.Join(dir, "ca.pem"), authority)
		e = process(t, t.TempDir(), succeed, func(o *engine.Options) { o.CAFile = file })
		_, err = e.CreateAuthorization(t.Context(), jobs.AuthorizationChange{AuthorizationSpec: of, Token: &secret})
		f = jobs.FailureOf(orNone(err))
		if f.Code != jobs.CodeInvalid || f.Attribute != "" || !strings.Contains(f.Summary, "of the provider block or of the runner's configuration") {
			t.Errorf("the operator's %s: got %+v", file, f)
		}
	}
}

// The author of a definition does not know the working directory of a runner.
func TestTheCAFileOnARunnerIsAnAbsolutePath(t *testing.T) {
	t.Parallel()
	e := process(t, t.TempDir(), succeed, allowing())
	embedded := process(t, t.TempDir(), succeed)
	for file, refused := range map[string]bool{"/etc/ca.pem": false, "ca.pem": true, "/etc/../ca.pem": true} {
		change := spec("dbc-1.cloud.databricks.com")
		change.CAFile = file
		_, err := e.CreateAuthorization(t.Context(), change)
		if f := jobs.FailureOf(orNone(err)); refused != (f.Attribute == "ca_file") || refused == (err == nil) {
			t.Errorf("%s on a runner: got %v", file, err)
		}
		if _, err := embedded.CreateAuthorization(t.Context(), change); err != nil {
			t.Errorf("%s in an apply: %v", file, err)
		}
	}
}
