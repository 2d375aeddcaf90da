package engine_test

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// A workspace whose certificate is of an authority of its own, such as a proxy's, is trusted
// by ca_file, for statements and for Unity Catalog's API. Without it, the error names the
// attribute.
func TestCAFileMakesAWorkspaceTrusted(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/2.1/unity-catalog/catalogs" {
			_, _ = w.Write([]byte(`{"catalogs": [{"name": "main"}]}`))
			return
		}
		w.WriteHeader(http.StatusForbidden)
	}))
	t.Cleanup(server.Close)
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	at, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(at.Port())
	if err != nil {
		t.Fatal(err)
	}
	token := jobs.NewSecret("dapi-1")
	change := jobs.AuthorizationChange{Token: &token, AuthorizationSpec: jobs.AuthorizationSpec{Label: "warehouse", Host: "https://" + at.Hostname(), Port: port,
		HTTPPath: "/sql/1.0/warehouses/a", TokenVersion: 1, CheckConnection: true}}

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
