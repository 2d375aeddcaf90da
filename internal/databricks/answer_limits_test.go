package databricks

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/hostiletest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

func fixedToken(context.Context) (jobs.Secret, error) { return jobs.NewSecret("dapi-1"), nil }

// workspaceCalls are the calls of a workspace that are not a warehouse's.
func workspaceCalls(t *testing.T, cfg Config) map[string]func(ctx context.Context) error {
	t.Helper()
	cfg.HTTPPath, cfg.Token = "/sql/1.0/warehouses/a", fixedToken
	u, err := NewUnityCatalog(cfg)
	if err != nil {
		t.Fatal(err)
	}
	f, err := NewFiles(cfg, "staging.volume")
	if err != nil {
		t.Fatal(err)
	}
	w, err := newWarehouse(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { u.Close(); f.Close(); w.transport.base.CloseIdleConnections() })
	client := ClientCredentials{ID: "a", Secret: fixedToken}
	return map[string]func(ctx context.Context) error{
		"catalogs":  func(ctx context.Context) error { _, err := u.Catalogs(ctx, ""); return err },
		"databases": func(ctx context.Context) error { _, err := u.Databases(ctx, "main", ""); return err },
		"tables":    func(ctx context.Context) error { _, err := u.Tables(ctx, "main", "sales", ""); return err },
		"columns": func(ctx context.Context) error {
			_, err := u.Columns(ctx, jobs.TableName{Catalog: "main", Database: "sales", Table: "orders"}, "")
			return err
		},
		"directory": func(ctx context.Context) error { _, err := f.List(ctx, "/Volumes/main/s/v"); return err },
		"file":      func(ctx context.Context) error { _, err := f.Read(ctx, "/Volumes/main/s/v/a"); return err },
		"token":     func(ctx context.Context) error { _, err := w.clientToken(ctx, client); return err },
	}
}

// dialBy makes every transport of the calls dial with a function.
func dialBy(cfg Config, dial hostiletest.Dial) Config {
	cfg.dial = dial
	return cfg
}

// checklist 74: whatever Unity Catalog, the Files API and the token endpoint answer, each
// call ends with an error that says what to do, and in little memory.
func TestHostileAnswersOfAWorkspace(t *testing.T) {
	t.Parallel()
	hostiletest.InProcess(t, func(t *testing.T) {
		t.Helper()
		pauses.First = time.Millisecond // in this process only
		for _, call := range []string{"tables", "columns", "directory", "file", "token"} {
			list := call
			if call == "directory" {
				list = "contents"
			}
			begin := `{"` + list + `":[`
			answers := append(hostiletest.Answers(begin, "{},"), hostiletest.Finite(begin, "{},", "1]}", 240_000))
			for _, answer := range answers {
				if call == "file" && answer.Name == "many entries" {
					continue // the content of a file has no form
				}
				server := httptest.NewServer(answer)
				err := workspaceCalls(t, serverConfig(t, server))[call](t.Context())
				server.CloseClientConnections()
				server.Close()
				e, ok := errors.AsType[*jobs.Error](err)
				if !ok || e.Code == jobs.CodeNotFound || e.Next == "" || e.Summary == "" || len(err.Error()) > 2000 {
					t.Errorf("%s, %s: got %.2000v", call, answer.Name, err)
				}
			}
		}
	})
}

// checklist 74: the error of an answer that is too large names the host and the limit.
func TestAnAnswerBeyondItsLimitIsExplained(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(hostiletest.Answers(`{"tables":[`, "{},")[0])
	t.Cleanup(server.Close)
	host := strings.TrimPrefix(server.URL, "http://")
	for call, limit := range map[string]string{"tables": "32 MiB", "directory": "16 MiB", "token": "256 KiB"} {
		err := workspaceCalls(t, serverConfig(t, server))[call](t.Context())
		if !jobs.IsCode(err, jobs.CodeFailed) || !strings.Contains(err.Error(), "the answer of "+host+" to ") ||
			!strings.Contains(err.Error(), "is larger than "+limit) {
			t.Errorf("%s: got %v", call, err)
		}
	}
}

// checklist 74: a byte a second without end ends.
func TestDrippingAnswersOfAWorkspace(t *testing.T) {
	t.Parallel()
	for name, dial := range map[string]hostiletest.Dial{"body": hostiletest.Drip('['), "header": hostiletest.DripHeader()} {
		for _, call := range []string{"catalogs", "databases", "tables", "columns", "directory", "file", "token"} {
			synctest.Test(t, func(t *testing.T) {
				cfg := dialBy(Config{Host: "http://127.0.0.1", Port: 8080, LoopbackHosts: true}, dial)
				began := time.Now()
				err := workspaceCalls(t, cfg)[call](t.Context())
				if e, ok := errors.AsType[*jobs.Error](err); !ok || e.Next == "" || e.Code != jobs.CodeTimeout && e.Code != jobs.CodeUnreachable {
					t.Errorf("%s, %s: got %v", name, call, err)
				}
				if took := time.Since(began); took > 25*time.Minute {
					t.Errorf("%s, %s: it took %s", name, call, took)
				}
			})
		}
	}
}

// checklist 74: a list that names a next page without end is an error.
func TestEndlessPagesOfAWorkspace(t *testing.T) {
	t.Parallel()
	for name, next := range map[string]func(n int) string{
		"the same token":    func(int) string { return "again" },
		"a cycle of tokens": func(n int) string { return fmt.Sprint(n % 5) },
		"empty pages":       func(n int) string { return fmt.Sprint(n) },
	} {
		for call, list := range map[string]string{"catalogs": "catalogs", "databases": "schemas", "tables": "tables", "directory": "contents"} {
			if name == "empty pages" && list != "contents" {
				continue // the SDK sends at most 15 requests a second
			}
			n := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				n++
				entries := `{"name":"a","path":"/Volumes/a"}`
				if name == "empty pages" {
					entries = ""
				}
				_, _ = fmt.Fprintf(w, `{%q:[%s],"next_page_token":%q}`, list, entries, next(n))
			}))
			err := workspaceCalls(t, serverConfig(t, server))[call](t.Context())
			server.Close()
			if !jobs.IsCode(err, jobs.CodeFailed) || !strings.Contains(err.Error(), "the list does not end") || n > 1000 {
				t.Errorf("%s of %s: got %v after %d pages", name, call, err, n)
			}
		}
	}
}
