package databricks_test

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/egress"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// expect checks the code, the attribute and the parts of an error.
func expect(t *testing.T, err error, code jobs.Code, attribute string) *jobs.Error {
	t.Helper()
	e, ok := errors.AsType[*jobs.Error](err)
	if !ok {
		t.Fatalf("err = %#v, want a *jobs.Error", err)
	}
	if e.Code != code || e.Attribute != attribute {
		t.Errorf("the error is %s at %q, want %s at %q: %v", e.Code, e.Attribute, code, attribute, e)
	}
	if e.Summary == "" || e.Next == "" {
		t.Errorf("the error lacks a summary or a next step: %#v", e)
	}
	return e
}

func constant(token string) func(context.Context) (jobs.Secret, error) {
	return func(context.Context) (jobs.Secret, error) { return jobs.NewSecret(token), nil }
}

// checklist 21.
func TestOpenWaitsForAStartingWarehouse(t *testing.T) {
	t.Parallel()
	for _, form := range []string{"reject", "delay"} {
		t.Run(form, func(t *testing.T) {
			t.Parallel()
			s := sandboxtest.Start(t)
			s.SetFault(t, sandboxtest.Fault{Kind: "cold_start", Seconds: 4, Form: form})
			cfg := configOf(s)
			var calls atomic.Int32
			cfg.Waiting = func(elapsed time.Duration) {
				if elapsed <= 0 {
					t.Errorf("waiting for %s", elapsed)
				}
				calls.Add(1)
			}
			w, err := databricks.Open(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			if calls.Load() == 0 {
				t.Error("the wait was not reported")
			}
			if n, err := readStream(t.Context(), w, events(10)); n != 10 || err != nil {
				t.Errorf("%d rows: %v", n, err)
			}
			if err := w.Close(); err != nil {
				t.Error(err)
			}
		})
		t.Run(form+" for too long", func(t *testing.T) {
			t.Parallel()
			s := sandboxtest.Start(t)
			s.SetFault(t, sandboxtest.Fault{Kind: "cold_start", Seconds: 600, Form: form})
			cfg := configOf(s)
			cfg.StartTimeout = 3 * time.Second
			_, err := databricks.Open(t.Context(), cfg)
			// It starts after 600 s, which is longer than the test may take.
			e, ok := errors.AsType[*jobs.Error](err)
			if !ok || e.Code != jobs.CodeUnreachable || e.Next == "" {
				t.Errorf("got %v, want an error that says the warehouse did not start", err)
			}
		})
	}
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	t.Run("a wrong token", func(t *testing.T) {
		t.Parallel()
		cfg := configOf(s)
		cfg.Token = constant("dapi-canary-wrong")
		_, err := databricks.Open(t.Context(), cfg)
		e := expect(t, err, jobs.CodeUnauthorized, "token_wo")
		if strings.Contains(e.Error(), "canary") {
			t.Errorf("the error repeats the token: %v", e)
		}
	})
	t.Run("a token with a line end", func(t *testing.T) {
		t.Parallel()
		cfg := configOf(s)
		cfg.Token = constant("dapi-canary\n")
		_, err := databricks.Open(t.Context(), cfg)
		e := expect(t, err, jobs.CodeInvalid, "token_wo")
		if strings.Contains(e.Error(), "canary") {
			t.Errorf("the error repeats the token: %v", e)
		}
	})
	t.Run("an empty token", func(t *testing.T) {
		t.Parallel()
		cfg := configOf(s)
		cfg.Token = constant("")
		_, err := databricks.Open(t.Context(), cfg)
		_ = expect(t, err, jobs.CodeInvalid, "token_wo")
	})
	t.Run("a token that cannot be read", func(t *testing.T) {
		t.Parallel()
		cfg := configOf(s)
		want := &jobs.Error{Code: jobs.CodeSecretUnreadable, Attribute: "token_env", Summary: "LYTICS_TOKEN is not set", Next: "Set it."}
		cfg.Token = func(context.Context) (jobs.Secret, error) { return jobs.Secret{}, want }
		_, err := databricks.Open(t.Context(), cfg)
		if got, ok := errors.AsType[*jobs.Error](err); !ok || got != want {
			t.Errorf("err = %v, want the reader's own error", err)
		}
	})
	t.Run("a wrong HTTP path", func(t *testing.T) {
		t.Parallel()
		cfg := configOf(s)
		cfg.HTTPPath = "/sql/1.0/warehouses/nosuchwarehouse"
		_, err := databricks.Open(t.Context(), cfg)
		_ = expect(t, err, jobs.CodeInvalid, "http_path")
	})
}

// checklist 25.
func TestTokenReplacedWhileRunning(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	cfg := configOf(s)
	var mu sync.Mutex
	token, reads := s.Token, 0
	cfg.Token = func(context.Context) (jobs.Secret, error) {
		mu.Lock()
		defer mu.Unlock()
		reads++
		return jobs.NewSecret(token), nil
	}
	w, err := databricks.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	rows, err := w.Query(t.Context(), events(50_000))
	if err != nil {
		t.Fatal(err)
	}
	s.SetToken(t, "dapi-rotated")
	mu.Lock()
	token = "dapi-rotated"
	mu.Unlock()
	if n, err := readRows(rows); n != 50_000 || err != nil {
		t.Fatalf("%d rows after the token was replaced: %v", n, err)
	}
	s.SetToken(t, "dapi-unknown")
	_, err = w.Query(t.Context(), events(10))
	_ = expect(t, err, jobs.CodeUnauthorized, "token_wo")
	mu.Lock()
	defer mu.Unlock()
	if reads != 3 { // at first, and once for each refusal
		t.Errorf("the token was read %d times, want 3", reads)
	}
}

// checklist 26.
func TestUnreachableHostFailsInTime(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	cases := map[string]databricks.Config{
		// No process uses port 1. A port that was free before may be in use.
		"refuses":             {Host: "http://127.0.0.1", Port: 1, LoopbackHosts: true},
		"never answers":       {Host: "http://127.0.0.1", Port: silent.Addr().(*net.TCPAddr).Port, LoopbackHosts: true},
		"name does not exist": {Host: "nosuchworkspace.invalid", Port: 443, AllowPrivateHosts: true},
	}
	for name, cfg := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg.HTTPPath, cfg.Token = "/sql/1.0/warehouses/x", constant("t")
			cfg.Waiting = func(time.Duration) { t.Error("a dead host was treated as a starting warehouse") }
			begun := time.Now()
			_, err := databricks.Open(t.Context(), cfg)
			_ = expect(t, err, jobs.CodeUnreachable, "host")
			if took := time.Since(begun); took > 30*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
}

// checklist 22.
func TestOnlyIdempotentStatementsAreRepeated(t *testing.T) {
	t.Parallel()
	const insert = "INSERT INTO main.default.numbers VALUES (1)"
	cases := []struct {
		name     string
		fault    sandboxtest.Fault
		exec     func(*databricks.Warehouse, context.Context, string, ...any) error
		executed int
		unknown  bool
	}{
		{"503 after it took effect", sandboxtest.Fault{Kind: "unavailable", Form: "after"}, (*databricks.Warehouse).Exec, 1, true},
		{"503 before it took effect", sandboxtest.Fault{Kind: "unavailable", Form: "before"}, (*databricks.Warehouse).Exec, 0, true},
		{"answer cut off", sandboxtest.Fault{Kind: "cut", On: "ExecuteStatement"}, (*databricks.Warehouse).Exec, 1, true},
		{"429", sandboxtest.Fault{Kind: "too_many_requests", RetryAfter: 1}, (*databricks.Warehouse).Exec, 1, false},
		{"idempotent, 503 after it took effect", sandboxtest.Fault{Kind: "unavailable", Form: "after"}, (*databricks.Warehouse).ExecIdempotent, 2, false},
		{"idempotent, answer cut off", sandboxtest.Fault{Kind: "cut", On: "ExecuteStatement"}, (*databricks.Warehouse).ExecIdempotent, 2, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := sandboxtest.Start(t)
			w := open(t, s)
			if err := w.Exec(t.Context(), "CREATE TABLE main.default.numbers (n INT)"); err != nil {
				t.Fatal(err)
			}
			c.fault.Match = "INSERT"
			s.SetFault(t, c.fault)
			err := c.exec(w, t.Context(), insert)
			if databricks.IsOutcomeUnknown(err) != c.unknown || !c.unknown && err != nil {
				t.Errorf("got %v, whose outcome is unknown %t, want %t", err, databricks.IsOutcomeUnknown(err), c.unknown)
			}
			executed := 0
			for _, statement := range s.Statements(t) {
				if statement.Text == insert && statement.Outcome != "REJECTED" {
					executed++
				}
			}
			if executed != c.executed {
				t.Errorf("got %d executions, want %d", executed, c.executed)
			}
		})
	}
}

// checklist 23.
func TestRetryAfterIsHonouredByAllConnections(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	first, second := open(t, s), open(t, s)
	s.SetFault(t, sandboxtest.Fault{Kind: "too_many_requests", RetryAfter: 2})
	var wait sync.WaitGroup
	begun := time.Now()
	wait.Go(func() {
		if n, err := readStream(t.Context(), first, events(10)); n != 10 || err != nil {
			t.Errorf("%d rows: %v", n, err)
		}
	})
	await(t, "the 429", func() bool {
		for _, statement := range s.Statements(t) {
			if statement.HTTPStatus == 429 {
				return true
			}
		}
		return false
	})
	// Some reads may pass before the client has read the 429 that the sandbox
	// recorded. Without the shared pause there would be hundreds.
	passed := 0
	for time.Since(begun) < 1500*time.Millisecond {
		if n, err := readStream(t.Context(), second, events(10)); n != 10 || err != nil {
			t.Errorf("%d rows: %v", n, err)
		}
		passed++
	}
	if passed > 20 {
		t.Errorf("the second connection did not wait: it read %d times during the pause", passed)
	}
	wait.Wait()
}

// checklist 43: no error contains the token or a statement's credentials.
func TestErrorsContainNoSecrets(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	w := open(t, s)
	const key = "wJalrXUtnFEMIcanary"
	statement := "COPY INTO main.default.t FROM 's3://b/p' " +
		"WITH (CREDENTIAL (AWS_ACCESS_KEY = 'AKIAcanary', AWS_SECRET_KEY = '" + key + "')) FILEFORMAT = CSV"
	s.SetFault(t, sandboxtest.Fault{Kind: "statement_error", Match: "COPY INTO",
		Message: "[PARSE_SYNTAX_ERROR] Syntax error near " + key + ". SQLSTATE: 42601 == SQL == " + statement + " token " + s.Token})
	ctx := databricks.WithSecrets(t.Context(), jobs.NewSecret("CREDENTIAL (AWS_SECRET_KEY = '"+key+"')"))
	err := w.Exec(ctx, statement)
	if databricks.Class(err) != "PARSE_SYNTAX_ERROR" {
		t.Fatalf("err = %v, want a PARSE_SYNTAX_ERROR", err)
	}
	for e := err; e != nil; e = errors.Unwrap(e) {
		if text := e.Error(); strings.Contains(text, "canary") || strings.Contains(text, s.Token) {
			t.Errorf("a secret is in %q", text)
		}
	}
}

// checklist 51.
func TestTLSWithACustomAuthority(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, sandboxtest.WithArgs("-tls"))
	cfg := configOf(s)
	_, err := databricks.Open(t.Context(), cfg)
	_ = expect(t, err, jobs.CodeUnreachable, "host")
	cfg.RootCAs = func() (*x509.CertPool, error) { return egress.ReadCAs(s.CAFile) }
	w, err := databricks.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := readStream(t.Context(), w, events(20_000)); n != 20_000 || err != nil {
		t.Errorf("%d rows: %v", n, err)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}
