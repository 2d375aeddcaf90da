package worker_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/hostiletest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/worker"
)

// wantRefusal checks the error of a request: it says what happened and what to do, and has
// no secret.
func wantRefusal(t *testing.T, name string, err error) {
	t.Helper()
	e, ok := errors.AsType[*jobs.Error](err)
	if !ok || e.Summary == "" || e.Next == "" || e.Code == jobs.CodeNotFound || strings.Contains(err.Error(), canary) {
		t.Errorf("%s: got %.2000v, want an error that says what to do", name, err)
	}
}

// checklist 73 74: whatever a workspace answers to lists, dry runs and checks of
// connections, the request is answered with an error, and the runner, which is this process,
// lives and needs little memory: it answers the next request, about a workspace in order.
func TestMalformedAnswersFailTheirRequestsOnly(t *testing.T) {
	t.Parallel()
	hostiletest.InProcess(t, func(t *testing.T) {
		t.Helper()
		warehouse := sandboxtest.Start(t)
		warehouse.Exec(t, "CREATE SCHEMA main.sales")
		for i, form := range []string{"truncated", "types"} {
			warehouse.Exec(t, "CREATE TABLE main.sales."+form+" (id BIGINT, ts TIMESTAMP)")
			warehouse.SetFault(t, sandboxtest.Fault{Kind: "mutate", On: "*", Match: form, Times: -1, Seed: int64(i + 1), Form: form})
		}
		f := newFixtureWithin(t, 5*time.Minute, warehouse)
		c := f.client()
		all := map[string]func(context.Context) error{}
		for _, answer := range hostiletest.Answers(`{"tables":[`, "{},") {
			if slices.Contains([]string{"a length of 1 MiB", "empty gzip members", "endless informational answers"}, answer.Name) {
				continue // an answer that is cut off is asked for again, for minutes
			}
			for kind, request := range requests(c, workspace(t, answer)) {
				all[kind+" with "+answer.Name] = request
			}
		}
		for _, form := range []string{"truncated", "types"} {
			spec := importOf(form)
			spec.AuthorizationID = f.auth.ID
			all["dry run with "+form] = func(ctx context.Context) error {
				_, err := c.DryRunOf(ctx, jobs.DryRunRequest{Definition: spec})
				return err
			}
		}
		var wait sync.WaitGroup
		atOnce := make(chan struct{}, 4)
		for name, request := range all {
			wait.Go(func() {
				atOnce <- struct{}{}
				defer func() { <-atOnce }()
				wantRefusal(t, name, request(t.Context()))
			})
		}
		wait.Wait()
		tables, err := c.Tables(t.Context(), f.auth.ID, "main", "sales", "")
		if err != nil || len(tables) != 2 {
			t.Errorf("after the malformed answers: got %+v, %v; want 2 tables", tables, err)
		}
		if f.pool.Started() == 0 {
			t.Error("no worker process was started")
		}
	})
}

// checklist 73: a request that ends its worker process, as no check can prevent, is answered
// with what is known, without the secret that the dying process prints.
func TestARequestThatEndsItsWorkerIsAnswered(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	c := f.client()
	at := workspace(t, http.NotFoundHandler())
	at.TokenEnv = crashVariable
	auth, err := c.CreateAuthorization(t.Context(), jobs.AuthorizationChange{AuthorizationSpec: at})
	if err != nil {
		t.Fatal(err)
	}
	spec := importOf("orders")
	spec.AuthorizationID = auth.ID
	job, err := c.CreateJob(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	checked := at
	checked.CheckConnection, checked.Label = true, "checked"
	for name, request := range map[string]func(ctx context.Context) error{
		"list": func(ctx context.Context) error {
			_, err := c.Catalogs(ctx, auth.ID, "")
			return err
		},
		"list through a connection": func(ctx context.Context) error {
			_, err := c.ListCatalog(ctx, jobs.CatalogQuery{Connection: at, Level: jobs.LevelCatalogs})
			return err
		},
		"dry run": func(ctx context.Context) error {
			_, err := c.DryRun(ctx, job.ID, 0)
			return err
		},
		"check": func(ctx context.Context) error {
			_, err := c.CreateAuthorization(ctx, jobs.AuthorizationChange{AuthorizationSpec: checked})
			return err
		},
		"check of a source": func(ctx context.Context) error {
			check, scheduled := true, importOf("customers")
			scheduled.AuthorizationID, scheduled.CheckSource = auth.ID, &check
			scheduled.Schedule = &jobs.Schedule{Frequency: jobs.Hourly, Timezone: "UTC"}
			_, err := c.CreateJob(ctx, scheduled)
			return err
		},
	} {
		err := request(t.Context())
		wantRefusal(t, name, err)
		if !jobs.IsCode(err, jobs.CodeFailed) || !strings.Contains(err.Error(), "ended before it had the answer") ||
			!strings.Contains(err.Error(), "(exit status 2): panic: malformed answer with [redacted]") {
			t.Errorf("%s: got %v, want how the process ended", name, err)
		}
	}
	if run := f.ended(f.start("ok").ID); run.Status != jobs.StatusSucceeded {
		t.Errorf("a run after them: %+v", run)
	}
}

// checklist 81: the check of an authorization, and every other request, has a deadline on
// this side: a warehouse that never answers is an error.
func TestRequestsHaveADeadline(t *testing.T) {
	t.Parallel()
	f := newFixtureWithin(t, 500*time.Millisecond, nil)
	silent := workspace(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // the end of the connection is seen behind the body
		<-r.Context().Done()
	}))
	for name, request := range requests(f.client(), silent) {
		err := request(t.Context())
		wantRefusal(t, name, err)
		if e, ok := errors.AsType[*jobs.Error](err); !ok || e.Code != jobs.CodeTimeout || e.Attribute != "host" {
			t.Errorf("%s: got %v, want a timeout of the host", name, err)
		}
	}
	if all, err := f.apply.ListAuthorizations(t.Context()); err != nil || len(all) != 1 {
		t.Errorf("got %+v, %v; want no authorization whose check did not end", all, err)
	}
}

// Requests to a workspace that never answers, however many, leave places for requests to
// other workspaces.
func TestASilentWorkspaceDoesNotKeepOthersWaiting(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	c := f.client()
	ctx, cancel := context.WithCancel(t.Context())
	var waiting sync.WaitGroup
	silent := requests(c, workspace(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // the end of the connection is seen behind the body
		<-r.Context().Done()
	})))["list"]
	for range 40 {
		waiting.Go(func() { _ = silent(ctx) })
	}
	eventually(t, "questions to the silent workspace", func() bool { return f.pool.Busy() >= 10 })
	refuses := workspace(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }))
	err := requests(c, refuses)["list"](t.Context())
	if e, ok := errors.AsType[*jobs.Error](err); !ok || e.Code != jobs.CodeUnauthorized {
		t.Errorf("got %v of another workspace, want that it refuses the token", err)
	}
	if busy := f.pool.Busy(); busy > 10 {
		t.Errorf("got %d questions to one workspace at a time, want 10", busy)
	}
	cancel()
	waiting.Wait()
}

// A request whose caller has gone does not keep its process, even one that stands still.
func TestARequestEndsWithItsCaller(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil, func(c *worker.Config) { c.Grace = time.Millisecond })
	c := f.client()
	at := workspace(t, http.NotFoundHandler())
	at.TokenEnv = hangVariable
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := c.ListCatalog(ctx, jobs.CatalogQuery{Connection: at, Level: jobs.LevelCatalogs})
		done <- err
	}()
	eventually(t, "a process that works", func() bool { return f.pool.Busy() == 1 })
	cancel()
	if err := <-done; err == nil {
		t.Error("got no error of a cancelled request")
	}
	eventually(t, "the end of the process", func() bool { return f.pool.Busy() == 0 && f.pool.Free() == 0 })
}

// checklist 75: the secret of a request, which no store has, reaches the worker by the pipe:
// it is used, and is in no argument and no environment.
func TestTheSecretOfARequestIsOnlyInThePipe(t *testing.T) {
	t.Parallel()
	onlyLinux(t)
	f := newFixture(t, nil)
	used, checked := make(chan string, 1), make(chan struct{})
	at := workspace(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case used <- r.Header.Get("Authorization"):
		default:
		}
		<-checked
		w.WriteHeader(http.StatusForbidden)
	}))
	done := make(chan error, 1)
	request := requests(f.client(), at)["check"]
	go func() { done <- request(t.Context()) }()
	if got := <-used; got != "Bearer "+canary {
		t.Errorf("the workspace received %q, want the token", got)
	}
	for _, file := range []string{"cmdline", "environ"} {
		text, err := os.ReadFile(filepath.Join("/proc", fmt.Sprint(f.pids.last()), file))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(text, []byte(canary)) || bytes.Contains(text, []byte("LYTICS_")) {
			t.Errorf("%s: %q", file, text)
		}
	}
	close(checked)
	wantRefusal(t, "check", <-done)
}

// An answer is bounded: one that is larger is an error that says what to ask for.
func TestALargeAnswerIsAnError(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	table := `{"name":"t","comment":"` + strings.Repeat("x", 12<<10) + `"},`
	const tables = engine.MaxAnswer / (12 << 10)
	at := workspace(t, hostiletest.Finite(`{"tables":[`, table, `{"name":"u"}]}`, tables))
	err := requests(f.client(), at)["list"](t.Context())
	wantRefusal(t, "list", err)
	if !strings.Contains(fmt.Sprint(err), "a runner gives up to 16 MB") {
		t.Errorf("got %v, want the limit", err)
	}
}

// A request that a worker process answers has the same result as in one process, errors
// included, and one process answers request after request.
func TestAWorkerAnswersAsOneProcessDoes(t *testing.T) {
	t.Parallel()
	warehouse := sandboxtest.Start(t)
	warehouse.Exec(t, "CREATE SCHEMA main.sales", "CREATE TABLE main.sales.orders (id BIGINT COMMENT 'the number', ts TIMESTAMP)",
		"INSERT INTO main.sales.orders SELECT id, timestamp_micros(1700000000000000 + id) FROM range(100)")
	f := newFixture(t, warehouse)
	spec := importOf("orders")
	spec.AuthorizationID = f.auth.ID
	job, err := f.apply.CreateJob(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	orders := jobs.TableName{Catalog: "main", Database: "sales", Table: "orders"}
	without := importOf("missing")
	without.AuthorizationID = f.auth.ID
	for name, ask := range map[string]func(a jobs.API) (any, error){
		"catalogs":  func(a jobs.API) (any, error) { return a.Catalogs(t.Context(), f.auth.ID, "m*") },
		"databases": func(a jobs.API) (any, error) { return a.Databases(t.Context(), f.auth.ID, "main", "") },
		"tables":    func(a jobs.API) (any, error) { return a.Tables(t.Context(), f.auth.ID, "main", "sales", "") },
		"columns":   func(a jobs.API) (any, error) { return a.Columns(t.Context(), f.auth.ID, orders, "") },
		"dry run":   func(a jobs.API) (any, error) { return a.DryRun(t.Context(), job.ID, 2) },
		"dry run of a definition": func(a jobs.API) (any, error) {
			return a.DryRunOf(t.Context(), jobs.DryRunRequest{Definition: spec, Samples: 2})
		},
		"missing table": func(a jobs.API) (any, error) {
			return a.DryRunOf(t.Context(), jobs.DryRunRequest{Definition: without})
		},
		"missing database":      func(a jobs.API) (any, error) { return a.Tables(t.Context(), f.auth.ID, "main", "none", "") },
		"missing authorization": func(a jobs.API) (any, error) { return a.Catalogs(t.Context(), "auth_none", "") },
		"missing job":           func(a jobs.API) (any, error) { return a.DryRun(t.Context(), "job_none", 0) },
	} {
		want, wantErr := ask(f.apply)
		got, gotErr := ask(f.served)
		if (wantErr == nil) != (gotErr == nil) {
			t.Errorf("%s: got %v, want %v", name, gotErr, wantErr)
			continue
		}
		if wantErr != nil {
			if d := cmp.Diff(jobs.FailureOf(wantErr), jobs.FailureOf(gotErr)); d != "" {
				t.Errorf("%s (-one process +worker):\n%s", name, d)
			}
			continue
		}
		if d := cmp.Diff(withoutClock(t, want), withoutClock(t, got)); d != "" {
			t.Errorf("%s (-one process +worker):\n%s", name, d)
		}
	}
}

// clock matches a time of these years in JSON, which the rows do not have: the end of the window of a dry run is the warehouse's
// clock.
var clock = regexp.MustCompile(`20[2-9][4-9]-\d\d-\d\d[T ][0-9:.]+Z?`)

// withoutClock is a value as JSON, without the times of the test itself.
func withoutClock(t *testing.T, v any) string {
	t.Helper()
	text, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return clock.ReplaceAllString(string(text), "NOW")
}
