package databricks

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

func unityCatalog(t *testing.T, server *httptest.Server) *UnityCatalog {
	t.Helper()
	cfg := serverConfig(t, server)
	cfg.HTTPPath = "/sql/1.0/warehouses/a"
	cfg.Token = func(context.Context) (jobs.Secret, error) { return jobs.NewSecret("dapi-1"), nil }
	u, err := NewUnityCatalog(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(u.Close)
	return u
}

// checklist 50: a table's name cannot lead to another API of the workspace.
func TestTableNameIsEscapedInTheCatalogPath(t *testing.T) {
	t.Parallel()
	var asked atomic.Value
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Store(r.URL.EscapedPath() + "?" + r.URL.RawQuery)
		_, _ = fmt.Fprint(w, `{"columns":[{"name":"id","type_text":"bigint"}]}`)
	}))
	t.Cleanup(server.Close)
	u := unityCatalog(t, server)
	for name, want := range map[string]string{
		"orders":                        "main.sales.orders?",
		"x/../../../../2.0/token/list":  "main.sales.x%2F..%2F..%2F..%2F..%2F2.0%2Ftoken%2Flist?",
		"orders?include_browse=true#at": "main.sales.orders%3Finclude_browse=true%23at?",
		"50 %":                          "main.sales.50%20%25?",
	} {
		columns, err := u.Columns(t.Context(), jobs.TableName{Catalog: "main", Database: "sales", Table: name}, "")
		if err != nil || len(columns) != 1 {
			t.Fatalf("%s: %v, %v", name, columns, err)
		}
		if got := asked.Load(); got != "/api/2.1/unity-catalog/tables/"+want {
			t.Errorf("path of %s: got %s", name, got)
		}
	}
}

// checklist 50: the token is not sent to the target of a redirect of the catalog API.
func TestCatalogAPIRedirectGetsNoToken(t *testing.T) {
	t.Parallel()
	var reached atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	t.Cleanup(other.Close)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL+r.URL.Path, http.StatusTemporaryRedirect)
	}))
	t.Cleanup(server.Close)
	u := unityCatalog(t, server)
	if _, err := u.Catalogs(t.Context(), ""); err == nil {
		t.Error("the redirect returned no error")
	}
	if n := reached.Load(); n > 0 {
		t.Errorf("the other host was reached %d times", n)
	}
}

// An object that Unity Catalog refuses to show, naming the privilege, is a missing one. Any
// other refusal, such as that of a proxy or of a token with another scope, tells nothing.
func TestARefusalThatNamesThePrivilegeIsAMissingOne(t *testing.T) {
	t.Parallel()
	for message, missing := range map[string]bool{
		"User does not have USE CATALOG on Catalog 'main'.":           true,
		"Provided token does not have required scopes: unity-catalog": false,
		"": false,
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			_, _ = fmt.Fprintf(w, `{"error_code":"PERMISSION_DENIED","message":%q}`, message)
		}))
		t.Cleanup(server.Close)
		err := unityCatalog(t, server).CheckPrivileges(t.Context(), jobs.TableName{Catalog: "main"}, "USE_CATALOG")
		if missing != jobs.IsCode(err, jobs.CodeForbidden) || !missing && err != nil {
			t.Errorf("%q: got %v, want an error: %t", message, err, missing)
		}
	}
}
