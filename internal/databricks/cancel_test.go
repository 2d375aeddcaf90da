package databricks_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// endless is a statement that never ends in the sandbox of holding.
const endless = "SELECT 'endless'"

// holding starts a sandbox whose statements do not end. Its status calls answer after a
// short time that a statement is running.
func holding(t *testing.T) (*sandboxtest.Sandbox, *databricks.Warehouse) {
	t.Helper()
	s := sandboxtest.Start(t, sandboxtest.WithArgs("-direct-wait", "100ms"))
	w := open(t, s)
	s.SetFault(t, sandboxtest.Fault{Kind: "cold_start", Form: "delay", Seconds: 600, Match: "endless"})
	return s, w
}

// within fails the test if do takes longer than the limit for a cancel.
func within(t *testing.T, do func()) {
	t.Helper()
	begun := time.Now()
	do()
	if took := time.Since(begun); took > 2*time.Second {
		t.Errorf("it took %s to stop", took)
	}
}

// await polls until a condition holds.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("%s did not happen within 30 s", what)
		}
		<-tick.C
	}
}

// outcomes lists the outcomes of the statements that contain a text.
func outcomes(t *testing.T, s *sandboxtest.Sandbox, text string) (out []string) {
	t.Helper()
	for _, statement := range s.Statements(t) {
		if strings.Contains(statement.Text, text) && statement.Operation == "EXECUTE_STATEMENT" {
			out = append(out, statement.Outcome)
		}
	}
	return out
}

func stopped(outcomes []string) bool {
	return len(outcomes) == 1 && (outcomes[0] == "CANCELED" || outcomes[0] == "CLOSED")
}

// checklist 27.
func TestCancelStopsARunningStatementAtTheWarehouse(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, read reader) {
		t.Helper()
		s, w := holding(t)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			_, err := read(ctx, w, endless)
			done <- err
		}()
		await(t, "the statement's start", func() bool { return len(outcomes(t, s, "endless")) == 1 })
		within(t, func() {
			cancel()
			if err := <-done; !errors.Is(err, context.Canceled) {
				t.Errorf("err = %v, want context.Canceled", err)
			}
		})
		await(t, "the cancel at the warehouse", func() bool { return stopped(outcomes(t, s, "endless")) })
	})
}

// checklist 27: the statement has no id yet, so the cancel must wait for the id, but the
// caller must not wait.
func TestCancelWhileTheStatementIsSubmitted(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, read reader) {
		t.Helper()
		s, w := holding(t)
		s.SetFault(t, sandboxtest.Fault{Kind: "slow", Delay: "3s", On: "ExecuteStatement"})
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		within(t, func() {
			if _, err := read(ctx, w, endless); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("err = %v, want context.DeadlineExceeded", err)
			}
		})
		within(t, func() {
			if err := w.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
		await(t, "the cancel at the warehouse", func() bool { return stopped(outcomes(t, s, "endless")) })
		await(t, "the end of the session", func() bool { return len(s.Sessions(t)) == 0 })
	})
}

// checklist 27: without the transport, the driver would read the rest of the result.
func TestCancelStopsFetching(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, read reader) {
		t.Helper()
		s := sandboxtest.Start(t)
		w := open(t, s)
		s.SetFault(t, sandboxtest.Fault{Kind: "slow", Delay: "1m", On: "FetchResults"})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begun := time.Now()
		if n, err := read(ctx, w, events(50_000)); !errors.Is(err, context.DeadlineExceeded) || n >= 50_000 {
			t.Errorf("%d rows, err = %v, want context.DeadlineExceeded", n, err)
		}
		if took := time.Since(begun); took > 3*time.Second {
			t.Errorf("it stopped after %s, 1 s was allowed", took)
		}
	})
}

func TestCancelWhileTheWarehouseStarts(t *testing.T) {
	t.Parallel()
	for _, form := range []string{"reject", "delay"} {
		t.Run(form, func(t *testing.T) {
			t.Parallel()
			s := sandboxtest.Start(t)
			s.SetFault(t, sandboxtest.Fault{Kind: "cold_start", Seconds: 600, Form: form})
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			defer cancel()
			begun := time.Now()
			_, err := databricks.Open(ctx, configOf(s))
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("err = %v, want context.DeadlineExceeded", err)
			}
			if took := time.Since(begun); took > 2500*time.Millisecond {
				t.Errorf("it stopped after %s, 0.5 s was allowed", took)
			}
		})
	}
}
