package databricks_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// configOf returns the configuration for a sandbox.
func configOf(s *sandboxtest.Sandbox) databricks.Config {
	return databricks.Config{
		Host: s.Host, Port: s.Port, HTTPPath: s.HTTPPath, UserAgent: "lytics+test", LoopbackHosts: true,
		Token:        func(context.Context) (jobs.Secret, error) { return jobs.NewSecret(s.Token), nil },
		StartTimeout: time.Minute,
	}
}

func open(tb testing.TB, s *sandboxtest.Sandbox) *databricks.Warehouse {
	tb.Helper()
	w, err := databricks.Open(tb.Context(), configOf(s))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := w.Close(); err != nil {
			tb.Errorf("Close: %v", err)
		}
	})
	return w
}

// events is a statement like an import's: micros, digest, JSON.
func events(n int) string {
	return fmt.Sprintf("SELECT id AS ts, lpad(CAST(id AS STRING), 64, '0') AS digest, "+
		"concat('{\"id\":', CAST(id AS STRING), ',\"x\":\"', repeat('x', 280), '\"}') AS json FROM range(%d) ORDER BY id", n)
}

// readRows reads (BIGINT, STRING, STRING) rows that count up from 0.
func readRows(rows *databricks.Rows) (n int64, err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var ts int64
		var digest, json string
		if err := rows.Scan(&ts, &digest, &json); err != nil {
			return n, err
		}
		if ts != n || digest != fmt.Sprintf("%064d", n) {
			return n, fmt.Errorf("row %d is (%d, %s)", n, ts, digest)
		}
		n++
	}
	return n, rows.Err()
}

func readStream(ctx context.Context, w *databricks.Warehouse, statement string, args ...any) (n int64, err error) {
	for batch, err := range w.Stream(ctx, statement, args...) {
		if err != nil {
			return n, err
		}
		for _, row := range batch {
			if ts, ok := row[0].(int64); !ok || ts != n {
				return n, fmt.Errorf("row %d begins with %v", n, row[0])
			}
			n++
		}
	}
	return n, nil
}

// reader reads a statement to its end and counts its rows.
type reader func(context.Context, *databricks.Warehouse, string) (int64, error)

// eachWay runs a test with each function that reads a statement.
func eachWay(t *testing.T, run func(t *testing.T, read reader)) {
	t.Helper()
	t.Run("Query", func(t *testing.T) {
		t.Parallel()
		run(t, func(ctx context.Context, w *databricks.Warehouse, statement string) (int64, error) {
			rows, err := w.Query(ctx, statement)
			if err != nil {
				return 0, err
			}
			return readRows(rows)
		})
	})
	t.Run("Stream", func(t *testing.T) {
		t.Parallel()
		run(t, func(ctx context.Context, w *databricks.Warehouse, statement string) (int64, error) {
			return readStream(ctx, w, statement)
		})
	})
	t.Run("Batches", func(t *testing.T) {
		t.Parallel()
		run(t, readBatches)
	})
}

func TestReadsAllRowsInEveryForm(t *testing.T) {
	t.Parallel()
	for _, form := range []string{"arrow", "column", "auto"} {
		t.Run(form, func(t *testing.T) {
			t.Parallel()
			s := sandboxtest.Start(t, sandboxtest.WithArgs("-results", form))
			eachWay(t, func(t *testing.T, read reader) {
				t.Helper()
				w := open(t, s)
				for _, want := range []int64{0, 1, 9_999, 10_000, 10_001, 50_000} {
					if n, err := read(t.Context(), w, events(int(want))); n != want || err != nil {
						t.Errorf("read %d rows of %d: %v", n, want, err)
					}
				}
			})
		})
	}
}

// checklist 20: a result that ends early is an error, never a short result.
func TestFailedFetchIsAnError(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, read reader) {
		t.Helper()
		s := sandboxtest.Start(t)
		w := open(t, s)
		s.SetFault(t, sandboxtest.Fault{Kind: "fetch_error", After: 1})
		n, err := read(t.Context(), w, events(50_000))
		if err == nil || n >= 50_000 {
			t.Fatalf("%d rows without an error", n)
		}
		if n, err := read(t.Context(), w, events(100)); n != 100 || err != nil {
			t.Errorf("the next statement: %d rows, %v", n, err)
		}
	})
}

// A page whose response was lost is read again; no row is lost or duplicated.
func TestConnectionCutWhileFetching(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, read reader) {
		t.Helper()
		s := sandboxtest.Start(t)
		w := open(t, s)
		s.SetFault(t, sandboxtest.Fault{Kind: "cut", After: 1, Times: 2})
		if n, err := read(t.Context(), w, events(50_000)); n != 50_000 || err != nil {
			t.Fatalf("%d rows: %v", n, err)
		}
		s.ClearFaults(t)
		s.SetFault(t, sandboxtest.Fault{Kind: "cut", After: 1, Times: -1})
		_, err := read(t.Context(), w, events(50_000))
		if !jobs.IsCode(err, jobs.CodeUnreachable) {
			t.Fatalf("err = %v, want one that says the connection broke", err)
		}
	})
}

// checklist 24.
func TestLostSession(t *testing.T) {
	t.Parallel()
	for _, form := range []string{"exception", "status"} {
		for _, on := range []string{"ExecuteStatement", "FetchResults"} {
			t.Run(form+" on "+on, func(t *testing.T) {
				t.Parallel()
				eachWay(t, func(t *testing.T, read reader) {
					t.Helper()
					s := sandboxtest.Start(t)
					w := open(t, s)
					s.SetFault(t, sandboxtest.Fault{Kind: "session_expired", Form: form, On: on})
					if _, err := read(t.Context(), w, events(50_000)); !databricks.IsSessionLost(err) {
						t.Fatalf("err = %v, want a lost session", err)
					}
					// The driver must not silently open a new session.
					if _, err := read(t.Context(), w, events(1)); !databricks.IsSessionLost(err) {
						t.Fatalf("afterwards err = %v, want a lost session", err)
					}
					if err := w.Exec(t.Context(), "SELECT 1"); !databricks.IsSessionLost(err) {
						t.Fatalf("Exec afterwards: %v, want a lost session", err)
					}
					w2 := open(t, s)
					if n, err := read(t.Context(), w2, events(10)); n != 10 || err != nil {
						t.Fatalf("after opening again: %d rows, %v", n, err)
					}
				})
			})
		}
	}
}
