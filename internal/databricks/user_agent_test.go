package databricks

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// Every request to a workspace names the product and its version, the driver's and those of
// the HTTP APIs.
func TestEveryRequestNamesTheProduct(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	agents := map[string]string{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		agents[r.URL.Path] = r.Header.Get("User-Agent")
		w.WriteHeader(http.StatusNotFound)
	}))
	t.Cleanup(server.Close)
	cfg := serverConfig(t, server)
	cfg.HTTPPath, cfg.UserAgent = "/sql/1.0/warehouses/x", "lytics_test/1.2.3"
	cfg.Token = func(context.Context) (jobs.Secret, error) { return jobs.NewSecret("canary"), nil }
	if w, err := Open(t.Context(), cfg); err == nil {
		_ = w.Close()
		t.Fatal("a server that answers 404 was opened")
	}
	files, err := NewFiles(cfg, "staging.volume")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = files.Read(t.Context(), "/Volumes/c/s/v/x")
	catalog, err := NewUnityCatalog(cfg)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = catalog.Catalogs(t.Context(), "")
	cfg.Token = nil
	cfg.Client = &ClientCredentials{ID: "id", Secret: func(context.Context) (jobs.Secret, error) { return jobs.NewSecret("canary"), nil }}
	if files, err = NewFiles(cfg, "staging.volume"); err != nil {
		t.Fatal(err)
	}
	_, _ = files.Read(t.Context(), "/Volumes/c/s/v/y")
	mu.Lock()
	defer mu.Unlock()
	if len(agents) != 4 {
		t.Errorf("got requests to %v, want the warehouse, the files, the catalog and the token endpoint", agents)
	}
	for path, agent := range agents {
		if !strings.Contains(agent, "lytics_test/1.2.3") {
			t.Errorf("got the user agent %q at %s", agent, path)
		}
	}
}
