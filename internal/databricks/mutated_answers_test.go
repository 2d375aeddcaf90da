package databricks

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/hostiletest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// workspaceAnswers are valid answers of a workspace, by the call that asks for them.
var workspaceAnswers = map[string]hostiletest.Recording{
	"catalogs": hostiletest.OK(`{"catalogs":[{"name":"main","comment":"","owner":"a@example.com","catalog_type":"MANAGED_CATALOG",` +
		`"created_at":1710000000000},{"name":"samples","catalog_type":"SYSTEM_CATALOG"}],"next_page_token":""}`),
	"databases": hostiletest.OK(`{"schemas":[{"name":"sales","catalog_name":"main","full_name":"main.sales"},` +
		`{"name":"default","catalog_name":"main","comment":"Default schema"}]}`),
	"tables": hostiletest.OK(`{"tables":[{"name":"orders","catalog_name":"main","schema_name":"sales","table_type":"MANAGED",` +
		`"data_source_format":"DELTA","created_at":1710000000000,"comment":"Orders"},{"name":"v","table_type":"VIEW"}]}`),
	"columns": hostiletest.OK(`{"name":"orders","catalog_name":"main","schema_name":"sales","full_name":"main.sales.orders",` +
		`"table_type":"MANAGED","columns":[{"name":"id","type_text":"bigint","type_name":"LONG","position":0,"nullable":false},` +
		`{"name":"total","type_text":"decimal(10,2)","type_name":"DECIMAL","type_precision":10,"type_scale":2,"position":1,"nullable":true}]}`),
	"directory": hostiletest.OK(`{"contents":[{"path":"/Volumes/main/s/v/a","name":"a","is_directory":false,"file_size":12,` +
		`"last_modified":1710000000000},{"path":"/Volumes/main/s/v/b","is_directory":true}],"next_page_token":""}`),
	"file": {Status: http.StatusOK, Header: map[string]string{"Content-Type": "application/octet-stream"}, Body: `id,total` + "\n1,2.50\n"},
	"token": hostiletest.OK(`{"access_token":"eyJraWQiOiJk.eyJjbGllbnRfaWQi.c2lnbmF0dXJl","scope":"all-apis","token_type":"Bearer",` +
		`"expires_in":3600}`),
	"write": {Status: http.StatusNoContent},
}

// asked returns the call whose answer a request asks for.
func asked(r *http.Request) string {
	path := r.URL.Path
	switch {
	case path == tokenPath:
		return "token"
	case r.Method == http.MethodPut && strings.HasPrefix(path, directoriesPath):
		return "make directory"
	case r.Method != http.MethodGet:
		return "write"
	case strings.HasPrefix(path, directoriesPath):
		return "directory"
	case strings.HasPrefix(path, filesPath):
		return "file"
	case strings.HasSuffix(path, "/catalogs"):
		return "catalogs"
	case strings.HasSuffix(path, "/schemas"):
		return "databases"
	case strings.HasSuffix(path, "/tables"):
		return "tables"
	}
	return "columns"
}

// workspaceResults are the calls of workspaceCalls with their results: the number of entries,
// or the text.
func workspaceResults(t *testing.T, cfg Config) map[string]func(ctx context.Context) (any, error) {
	t.Helper()
	cfg.HTTPPath, cfg.Token = "/sql/1.0/warehouses/a", fixedToken
	u, errUnity := NewUnityCatalog(cfg)
	f, errFiles := NewFiles(cfg, "staging.volume")
	w, err := newWarehouse(cfg)
	if errUnity != nil || errFiles != nil || err != nil {
		t.Fatal(errUnity, errFiles, err)
	}
	t.Cleanup(func() { u.Close(); f.Close(); w.transport.base.CloseIdleConnections() })
	return map[string]func(ctx context.Context) (any, error){
		"catalogs":  func(ctx context.Context) (any, error) { l, err := u.Catalogs(ctx, ""); return len(l), err },
		"databases": func(ctx context.Context) (any, error) { l, err := u.Databases(ctx, "main", ""); return len(l), err },
		"tables": func(ctx context.Context) (any, error) {
			l, err := u.Tables(ctx, "main", "sales", "")
			return len(l), err
		},
		"columns": func(ctx context.Context) (any, error) {
			l, err := u.Columns(ctx, jobs.TableName{Catalog: "main", Database: "sales", Table: "orders"}, "")
			return len(l), err
		},
		"directory": func(ctx context.Context) (any, error) { l, err := f.List(ctx, "/Volumes/main/s/v"); return len(l), err },
		"file": func(ctx context.Context) (any, error) {
			b, err := f.Read(ctx, "/Volumes/main/s/v/a")
			return string(b), err
		},
		"token": func(ctx context.Context) (any, error) {
			token, err := w.clientToken(ctx, ClientCredentials{ID: "a", Secret: fixedToken})
			return token.Reveal(), err
		},
		"write": func(ctx context.Context) (any, error) {
			return nil, f.Write(ctx, "/Volumes/main/s/v/a", strings.NewReader("id\n1\n"), 5)
		},
	}
}

// Checklist 73: a mutated answer of Unity Catalog, the Files API or the token endpoint is an
// error or is read as it is.
func TestMutatedAnswersOfAWorkspace(t *testing.T) {
	t.Parallel()
	calls := []string{"catalogs", "databases", "tables", "columns", "directory", "file", "token", "write"}
	hostiletest.InProcess(t, func(t *testing.T) {
		t.Helper()
		hostiletest.EachSeed(t, true, func(t *testing.T, r *rand.Rand) error {
			t.Helper()
			call := calls[r.IntN(len(calls))]
			mutant := hostiletest.Mutate(r, workspaceAnswers[call])
			cfg := dialBy(Config{Host: "http://127.0.0.1", Port: 8080, LoopbackHosts: true}, hostiletest.Serve(func(r *http.Request) hostiletest.Recording {
				switch kind := asked(r); kind {
				case call:
					return mutant
				case "make directory":
					return workspaceAnswers["write"]
				default:
					return workspaceAnswers[kind]
				}
			}))
			began := time.Now()
			got, err := workspaceResults(t, cfg)[call](t.Context())
			if took := time.Since(began); took > 25*time.Minute {
				return fmt.Errorf("%s took %s with %s", call, took, mutant)
			}
			if err = checkWorkspaceResult(call, mutant, got, err); err != nil {
				return fmt.Errorf("%s with %s: %w", call, mutant, err)
			}
			return nil
		})
	})
}

func checkWorkspaceResult(call string, mutant hostiletest.Recording, got any, err error) error {
	if IsNoUnityCatalog(err) {
		return nil
	}
	if err != nil {
		return hostiletest.CheckError(err, mutant.Missing())
	}
	if call == "directory" && mutant.Missing() && got == 0 {
		return nil // a directory that does not exist has no entries
	}
	text, ok := mutant.Text(true)
	list := map[string]string{"catalogs": "catalogs", "databases": "schemas", "tables": "tables", "columns": "columns", "directory": "contents"}[call]
	switch {
	case mutant.Status/100 != 2:
		return fmt.Errorf("status %d is a success", mutant.Status)
	case call == "write":
		return nil
	case !ok:
		return fmt.Errorf("an incomplete answer is a success: %v", got)
	case call == "file" && got != text:
		return fmt.Errorf("the file is %q", got)
	case call == "token":
		if token, _ := got.(string); token == "" || !strings.Contains(text, token) && utf8.ValidString(text) && !strings.Contains(text, `\`) {
			return fmt.Errorf("the token is %q", got)
		}
	case list != "" && !json.Valid([]byte(text)):
		return fmt.Errorf("an answer that is no JSON has %v entries", got)
	case list != "":
		if n, _ := got.(int); !slices.Contains(hostiletest.Lengths(text, list), n) {
			return fmt.Errorf("the list has %d entries", n)
		}
	}
	return nil
}
