package front_test

import (
	"database/sql"
	"net/http"
	"strings"
	"testing"
	"time"

	dbsql "github.com/databricks/databricks-sql-go"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/fault"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/front"
)

func pinned(t *testing.T, s *sandbox, options ...dbsql.ConnOption) *sql.Conn {
	t.Helper()
	conn, err := s.open(options...).Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func outcomes(all []front.Statement) string {
	var out []string
	for _, s := range all {
		out = append(out, s.Outcome)
	}
	return strings.Join(out, " ")
}

func TestColdStart(t *testing.T) {
	t.Parallel()
	t.Run("reject", func(t *testing.T) {
		t.Parallel()
		s := start(t, nil)
		s.fault(fault.Fault{Kind: fault.ColdStart, Seconds: 0.5})
		begun := time.Now()
		n, err := readRange(t.Context(), s.open(), 10)
		if n != 10 || err != nil || time.Since(begun) < 500*time.Millisecond {
			t.Fatalf("%d rows after %s: %v", n, time.Since(begun), err)
		}
		if got := outcomes(s.statements()); !strings.HasPrefix(got, "REJECTED") || !strings.HasSuffix(got, "FINISHED") {
			t.Errorf("statements: %s", got)
		}
	})
	t.Run("delay", func(t *testing.T) {
		t.Parallel()
		s := start(t, nil)
		s.fault(fault.Fault{Kind: fault.ColdStart, Seconds: 0.3, Form: "delay"})
		begun := time.Now()
		n, err := readRange(t.Context(), s.open(), 10)
		if n != 10 || err != nil || time.Since(begun) < 300*time.Millisecond {
			t.Fatalf("%d rows after %s: %v", n, time.Since(begun), err)
		}
		if got := outcomes(s.statements()); got != "FINISHED" {
			t.Errorf("statements: %s", got)
		}
	})
}

func TestRejectedStatementsAreRetriedByTheDriver(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault    fault.Fault
		executed int64
	}{
		"429":        {fault.Fault{Kind: fault.TooManyRequests}, 1},
		"503 before": {fault.Fault{Kind: fault.Unavailable, RetryAfter: 1}, 1},
		// The statement has taken effect, and the driver sends it again.
		"503 after": {fault.Fault{Kind: fault.Unavailable, Form: "after"}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, nil)
			s.fault(c.fault)
			if _, err := s.open().ExecContext(t.Context(), "INSERT 1"); err != nil {
				t.Fatal(err)
			}
			if n := s.engine.executed.Load(); n != c.executed {
				t.Errorf("executed %d times, want %d", n, c.executed)
			}
		})
	}
}

func TestAnExpiredSession(t *testing.T) {
	t.Parallel()
	t.Run("as an exception the pool replaces it", func(t *testing.T) {
		t.Parallel()
		s := start(t, nil)
		db := s.open()
		if _, err := readRange(t.Context(), db, 1); err != nil {
			t.Fatal(err)
		}
		s.fault(fault.Fault{Kind: fault.SessionExpired})
		if n, err := readRange(t.Context(), db, 5); n != 5 || err != nil {
			t.Fatalf("%d rows, %v", n, err)
		}
	})
	t.Run("as a status it stays broken", func(t *testing.T) {
		t.Parallel()
		s := start(t, nil)
		conn := pinned(t, s)
		s.fault(fault.Fault{Kind: fault.SessionExpired, Form: "status", On: "*"})
		for range 2 {
			if _, err := readRange(t.Context(), conn, 5); err == nil || !strings.Contains(err.Error(), "Invalid SessionHandle") {
				t.Fatalf("got %v", err)
			}
		}
	})
}

func TestFaultsWhileFetching(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]fault.Fault{
		"connection cut": {Kind: fault.Cut, After: 1},
		"error status":   {Kind: fault.FetchError, After: 1, Message: "the executor is gone"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, func(o *front.Options) { o.Results = front.ResultsArrow })
			s.fault(f)
			n, err := readRange(t.Context(), s.open(dbsql.WithMaxRows(10_000)), 100_000)
			if err == nil || n != 20_000 {
				t.Fatalf("%d rows, %v", n, err)
			}
		})
	}
}

func TestALostAnswerToFetchResultsIsReadAgain(t *testing.T) {
	t.Parallel()
	s := start(t, func(o *front.Options) { o.Results = front.ResultsArrow })
	// The answer with the page is lost, and the driver's retry gets the next page.
	// The driver then asks for the lost page with FETCH_PRIOR.
	s.fault(fault.Fault{Kind: fault.Unavailable, On: "FetchResults", Form: "after", After: 2})
	n, err := readRange(t.Context(), s.open(dbsql.WithMaxRows(10_000)), 100_000)
	if n != 100_000 || err != nil {
		t.Fatalf("%d rows, %v", n, err)
	}
}

func TestFaultsOfCloudFetch(t *testing.T) {
	t.Parallel()
	cloud := func(o *front.Options) { o.Results = front.ResultsCloudFetch }
	t.Run("expired links are an error", func(t *testing.T) {
		t.Parallel()
		s := start(t, cloud)
		s.fault(fault.Fault{Kind: fault.LinkExpired, After: 1})
		if n, err := readRange(t.Context(), s.open(), 1_000_000); err == nil || n == 0 || !strings.Contains(err.Error(), "403") {
			t.Fatalf("%d rows, %v", n, err)
		}
	})
	t.Run("a cut download is tried again", func(t *testing.T) {
		t.Parallel()
		s := start(t, cloud)
		s.fault(fault.Fault{Kind: fault.Cut, On: "CloudFetch"})
		s.fault(fault.Fault{Kind: fault.Unavailable, On: "CloudFetch"})
		if n, err := readRange(t.Context(), s.open(), 500_000); n != 500_000 || err != nil {
			t.Fatalf("%d rows, %v", n, err)
		}
		for _, f := range s.faults.List() {
			if f.Hit != 1 {
				t.Errorf("fault %s hit %d times", f.Kind, f.Hit)
			}
		}
	})
	t.Run("padding is cut off", func(t *testing.T) {
		t.Parallel()
		s := start(t, cloud)
		s.fault(fault.Fault{Kind: fault.LinkPadding, Times: -1})
		if n, err := readRange(t.Context(), s.open(), 300_000); n != 300_000 || err != nil {
			t.Fatalf("%d rows, %v", n, err)
		}
	})
}

func TestLinksRefuseTokensAndUnknownPaths(t *testing.T) {
	t.Parallel()
	s := start(t, func(o *front.Options) { o.Results = front.ResultsCloudFetch })
	c := s.client()
	link := c.execute("RANGE 10", nil).DirectResults.ResultSet.Results.ResultLinks[0]
	for name, want := range map[string]struct {
		url, auth string
		status    int
	}{
		"good":       {link.FileLink, "", 200},
		"with token": {link.FileLink, "Bearer " + token, 400},
		"unknown":    {link.FileLink + "x", "", 404},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, want.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if want.auth != "" {
			r.Header.Set("Authorization", want.auth)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want.status {
			t.Errorf("%s: %s", name, resp.Status)
		}
	}
}

func TestSlowAnswers(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	s.fault(fault.Fault{Kind: fault.Slow, On: "OpenSession", Delay: fault.Duration(200 * time.Millisecond)})
	begun := time.Now()
	if err := s.open().PingContext(t.Context()); err != nil || time.Since(begun) < 200*time.Millisecond {
		t.Fatalf("%v after %s", err, time.Since(begun))
	}
}

func TestARevokedTokenStaysRevokedUntilAnotherIsSet(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	conn := pinned(t, s)
	s.fault(fault.Fault{Kind: fault.TokenRevoked, Status: 403, On: "ExecuteStatement", After: 1})
	if _, err := readRange(t.Context(), conn, 1); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := readRange(t.Context(), conn, 1); err == nil || !strings.Contains(err.Error(), "Invalid access token") {
			t.Fatalf("got %v", err)
		}
	}
	s.admin("PUT", "/sandbox/token", map[string]string{"token": "dapi-next"}, nil)
	if n, err := readRange(t.Context(), s.open(dbsql.WithAccessToken("dapi-next")), 3); n != 3 || err != nil {
		t.Fatalf("with the next token: %d rows, %v", n, err)
	}
}

func TestStatementErrorFault(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	s.fault(fault.Fault{Kind: fault.StatementError, Match: "^INSERT", Message: "[DELTA_CONCURRENT_APPEND] Too late. SQLSTATE: 2D521", SQLState: "2D521"})
	db := s.open()
	if _, err := readRange(t.Context(), db, 1); err != nil {
		t.Fatalf("a statement that does not match: %v", err)
	}
	if _, err := db.ExecContext(t.Context(), "INSERT 1"); err == nil || !strings.Contains(err.Error(), "DELTA_CONCURRENT_APPEND") {
		t.Fatalf("got %v", err)
	}
	if _, err := db.ExecContext(t.Context(), "INSERT 1"); err != nil {
		t.Fatalf("once is once: %v", err)
	}
}

func TestFaultsOverHTTP(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	s.admin("PUT", "/sandbox/faults", map[string]any{"faults": []map[string]any{
		{"kind": "slow", "delay": "1ms", "times": -1}, {"kind": "statement_error", "message": "told to"},
	}}, nil)
	db := s.open()
	if _, err := db.ExecContext(t.Context(), "INSERT 1"); err == nil || !strings.Contains(err.Error(), "told to") {
		t.Fatalf("got %v", err)
	}
	var list struct{ Faults []fault.State }
	s.admin("GET", "/sandbox/faults", nil, &list)
	if len(list.Faults) != 2 || list.Faults[0].Hit != 1 || list.Faults[1].Hit != 1 {
		t.Errorf("faults: %+v", list.Faults)
	}
	s.admin("DELETE", "/sandbox/faults", nil, &list)
	if len(list.Faults) != 0 {
		t.Errorf("after DELETE: %+v", list.Faults)
	}
	all := s.statements()
	if len(all) != 1 || all[0].Text != "INSERT 1" || all[0].Error != "told to" || all[0].Session == "" {
		t.Errorf("statements: %+v", all)
	}
	s.admin("DELETE", "/sandbox/statements", nil, nil)
	if n := len(s.statements()); n != 0 {
		t.Errorf("%d statements after DELETE", n)
	}
}

func TestInvalidFaultsAreRefused(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"kind=nonsense":                                       "does not exist; the kinds are",
		"kind=slow":                                           "needs delay",
		"kind=cold_start":                                     "needs seconds",
		"kind=cold_start,seconds=5,form=odd":                  "the forms are",
		"kind=cut,seconds=5":                                  "no option seconds",
		"kind=cut,on=Nowhere":                                 "cannot hit",
		"kind=fetch_error,on=GetInfo":                         "cannot hit",
		"kind=session_expired,on=OpenSession":                 "cannot hit",
		"kind=s3_error,on=FetchResults":                       "cannot hit",
		"kind=cold_start,seconds=1,form=delay,on=OpenSession": "delays statements",
		"kind=unavailable,form=after,on=CloudFetch":           "has no effect",
		"kind=cut,match=(":                                    "match",
		"kind=cut,after=-1":                                   "negative",
		"kind=cut,often=1":                                    "unknown field",
		"cut":                                                 "not key=value",
	} {
		if _, err := fault.Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want an error with %q", text, err, want)
		}
	}
	f, err := fault.Parse("kind=slow,on=FetchResults,delay=1.5s,after=2,times=3,match=^SELECT")
	if err != nil || f.Delay != fault.Duration(1500*time.Millisecond) || f.After != 2 || f.Times != 3 {
		t.Errorf("%+v, %v", f, err)
	}
	if _, err := fault.Parse(`{"kind":"s3_error","on":"PutObject,GetObject"}`); err != nil {
		t.Error(err)
	}
	if _, err := fault.Parse(`{"kind":"statement_error","message":"a, b"}`); err != nil {
		t.Error(err)
	}
}

// While the engine starts, clients get the answer of a starting warehouse, and
// retry.
func TestStartingEngineAnswersAsAStartingWarehouse(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	s.engine.starting.Store(1)
	db := s.open()
	var n int64
	if err := db.QueryRowContext(t.Context(), "RANGE 1").Scan(&n, new(string)); err != nil {
		t.Fatal(err)
	}
	s.engine.starting.Store(1000)
	again := s.open()
	if err := again.PingContext(t.Context()); err == nil || !strings.Contains(err.Error(), "TEMPORARILY_UNAVAILABLE") {
		t.Errorf("a warehouse that never starts: %v", err)
	}
}

func TestMutatedAnswers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		results front.Results
		on      string
	}{
		"a page": {front.ResultsColumn, "FetchResults"},
		"a file": {front.ResultsCloudFetch, fault.CloudFetch},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, func(o *front.Options) { o.Results = c.results })
			s.fault(fault.Fault{Kind: fault.Mutate, On: c.on, Form: "truncated", Seed: 1})
			if n, err := readRange(t.Context(), s.open(), 300_000); err == nil || n >= 300_000 {
				t.Fatalf("%d rows, %v", n, err)
			}
			if f := s.faults.List()[0]; f.Hit != 1 {
				t.Errorf("the fault hit %d times", f.Hit)
			}
		})
	}
}
