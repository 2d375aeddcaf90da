package front_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	dbsql "github.com/databricks/databricks-sql-go"
	dbsqlerr "github.com/databricks/databricks-sql-go/errors"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/front"
)

func TestFailedStatementReportsClassTextAndSQLState(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	db := s.open()
	for name, run := range map[string]func() error{
		"query": func() error { _, _, err := scanAll(t.Context(), db, "FAIL"); return err },
		"exec":  func() error { _, err := db.ExecContext(t.Context(), "FAIL"); return err },
	} {
		err := run()
		var failed dbsqlerr.DBExecutionError
		if !errors.As(err, &failed) {
			t.Fatalf("%s: got %v, want an execution error", name, err)
		}
		if failed.SqlState() != "42P01" || !strings.Contains(err.Error(), "[TABLE_OR_VIEW_NOT_FOUND] The table or view `main`.`sales`.`nothing` cannot be found. SQLSTATE: 42P01") {
			t.Errorf("%s: state %q, error %v", name, failed.SqlState(), err)
		}
	}
	if n := s.engine.executed.Load(); n != 2 {
		t.Errorf("%d executions of 2 statements", n)
	}
}

func TestPanicInTheEngineIsAnError(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	db := s.open()
	if _, _, err := scanAll(t.Context(), db, "PANIC"); err == nil || !strings.Contains(err.Error(), "the engine has a bug") {
		t.Fatalf("got %v", err)
	}
	if n, err := readRange(t.Context(), db, 10); n != 10 || err != nil {
		t.Fatalf("afterwards: %d rows, %v", n, err)
	}
}

func TestAFailureWhileReadingReachesTheClient(t *testing.T) {
	t.Parallel()
	for _, form := range forms {
		for _, statement := range []string{"BREAK 0", "BREAK 300000"} {
			t.Run(string(form)+"/"+statement, func(t *testing.T) {
				t.Parallel()
				s := start(t, func(o *front.Options) { o.Results = form })
				_, _, err := scanAll(t.Context(), s.open(dbsql.WithMaxRows(10_000)), statement)
				if err == nil || !strings.Contains(err.Error(), "CAST_INVALID_INPUT") {
					t.Fatalf("got %v", err)
				}
			})
		}
	}
}

func TestASlowStatementIsPolled(t *testing.T) {
	t.Parallel()
	s := start(t, func(o *front.Options) { o.DirectWait = time.Millisecond })
	got, _, err := scanAll(t.Context(), s.open(), "SLEEP 100ms")
	if err != nil || len(got) != 1 {
		t.Fatalf("%d rows, %v", len(got), err)
	}
}

func TestCancelStopsTheStatement(t *testing.T) {
	t.Parallel()
	s := start(t, func(o *front.Options) { o.DirectWait = time.Millisecond })
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, _, err := scanAll(ctx, s.open(), "SLEEP 1h"); err == nil {
		t.Fatal("got no error, want that of the cancelled context")
	}
	waitFor(t, func() bool {
		all := s.statements()
		return len(all) == 1 && all[0].Outcome == "CANCELED" && strings.Contains(all[0].Error, "OPERATION_CANCELED")
	})
}

// waitFor waits until done reports true.
func waitFor(t *testing.T, done func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		<-tick.C
	}
}

func TestStatementTimeout(t *testing.T) {
	t.Parallel()
	t.Run("session parameter", func(t *testing.T) {
		t.Parallel()
		s := start(t, nil)
		db := s.open(dbsql.WithSessionParams(map[string]string{"STATEMENT_TIMEOUT": "1"}))
		_, _, err := scanAll(t.Context(), db, "SLEEP 1h")
		if err == nil || !strings.Contains(err.Error(), "exceeding the timeout (1s)") || !strings.Contains(err.Error(), "57KD0") {
			t.Fatalf("got %v", err)
		}
		if got := s.statements()[0].Outcome; got != "TIMEDOUT" {
			t.Errorf("outcome %s", got)
		}
	})
	t.Run("SET", func(t *testing.T) {
		t.Parallel()
		s := start(t, nil)
		conn, err := s.open().Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		if _, err := conn.ExecContext(t.Context(), "SET STATEMENT_TIMEOUT = 1"); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.ExecContext(t.Context(), "SLEEP 1h"); err == nil || !strings.Contains(err.Error(), "57KD0") {
			t.Fatalf("got %v", err)
		}
	})
	t.Run("out of range", func(t *testing.T) {
		t.Parallel()
		s := start(t, nil)
		err := s.open(dbsql.WithSessionParams(map[string]string{"STATEMENT_TIMEOUT": "172801"})).PingContext(t.Context())
		if err == nil || !strings.Contains(err.Error(), "STATEMENT_TIMEOUT") {
			t.Fatalf("got %v", err)
		}
	})
}

func TestTokensAndPaths(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	for name, c := range map[string]struct {
		path, auth string
		status     int
		reason     string
	}{
		"no token":        {"/sql/1.0/warehouses/w", "", 401, "Credential was not sent"},
		"basic":           {"/sql/1.0/warehouses/w", "Basic dG9rZW46eA==", 401, "Credential was not sent"},
		"wrong token":     {"/sql/1.0/warehouses/w", "Bearer nonsense", 401, "Invalid access token"},
		"not permitted":   {"/sql/1.0/warehouses/w", "Bearer dapi-forbidden", 403, "permission"},
		"other warehouse": {"/sql/1.0/warehouses/other", "Bearer " + token, 404, "does not exist"},
		"other path":      {"/nowhere", "Bearer " + token, 404, "No API found"},
		"cluster path":    {"/sql/protocolv1/o/0/w", "Bearer " + token, 400, "not a Thrift call"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.http.URL+c.path, strings.NewReader(""))
		if err != nil {
			t.Fatal(err)
		}
		if c.auth != "" {
			r.Header.Set("Authorization", c.auth)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if reason := resp.Header.Get("X-Databricks-Reason-Phrase"); resp.StatusCode != c.status || !strings.Contains(reason, c.reason) {
			t.Errorf("%s: %s, %q", name, resp.Status, reason)
		}
	}
	if err := s.open(dbsql.WithAccessToken("nonsense")).PingContext(t.Context()); err == nil || !strings.Contains(err.Error(), "Invalid access token") {
		t.Errorf("the driver with a wrong token: %v", err)
	}
}

func TestAdminAnswersOnLoopbackNamesOnly(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.http.URL+"/sandbox/faults", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "attacker.example"
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusForbidden {
		t.Errorf("got %s", resp.Status)
	}
	off := start(t, func(o *front.Options) { o.Admin = false })
	resp, err = http.Get(off.http.URL + "/sandbox/faults")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusNotFound {
		t.Errorf("without admin: %s", resp.Status)
	}
}

func TestClosingTheClientLeavesNoSession(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	db := s.open()
	rows, err := db.QueryContext(t.Context(), "RANGE 1000000")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	if !rows.Next() {
		t.Fatal(rows.Err())
	}
	if err := rows.Close(); err != nil {
		t.Fatal(err)
	}
	if n := s.engine.open.Load(); n != 0 {
		t.Errorf("%d results are open after CloseOperation", n)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	var out struct{ Sessions []any }
	s.admin("GET", "/sandbox/sessions", nil, &out)
	if len(out.Sessions) != 0 {
		t.Errorf("%d sessions are open", len(out.Sessions))
	}
}
