package runner_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner"
)

// lockedBuffer is a log that goroutines write and a test reads.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// lines are the lines of a JSON log.
func (l *lockedBuffer) lines(t *testing.T) (all []map[string]any) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.b.String()) {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatal(err)
		}
		all = append(all, m)
	}
	return all
}

// lineWith waits for a line with a message, and returns it.
func (l *lockedBuffer) lineWith(t *testing.T, message string) (found map[string]any) {
	t.Helper()
	eventually(t, "a line with "+message, func() bool {
		for _, m := range l.lines(t) {
			if text, _ := m["msg"].(string); strings.Contains(text, message) {
				found = m
				return true
			}
		}
		return false
	})
	return found
}

func TestEveryLogLineOfARunHasItsID(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, b *fixture) { //nolint:thelper // the body of a subtest
		var out lockedBuffer
		log := runner.NewLog(&out, true, slog.LevelDebug)
		failed := make(chan struct{})
		b.work = func(ctx context.Context, _ jobs.Job, _ engine.Progress) error {
			log.WarnContext(ctx, "a library complains")
			select {
			case <-failed:
				return nil
			default:
				close(failed)
				return &jobs.Error{Code: jobs.CodeUnreachable, Summary: "The warehouse is gone"}
			}
		}
		apply := b.apply()
		auth := b.authorize(apply)
		r, _ := b.runner(runner.Config{Log: log})
		j := b.job(apply, auth.ID, "orders", startImmediately)
		var run jobs.Run
		eventually(t, "the run has failed once", func() bool {
			all := b.runs(r.API(), j.ID)
			return len(all) == 1 && all[0].Status == jobs.StatusQueued && all[0].NextAttemptAt != nil
		})
		b.sql(`UPDATE runs SET available_at = 1 WHERE status = 'queued'`)
		run = b.onlyRun(r.API(), j.ID, jobs.StatusSucceeded)
		for _, message := range []string{"run started", "a library complains", "run ended or was handed over"} {
			line := out.lineWith(t, message)
			if line["run"] != run.ID || line["job"] != j.ID {
				t.Errorf("the line %q has run %v and job %v, want %s and %s", message, line["run"], line["job"], run.ID, j.ID)
			}
		}
	})
}

// River names the entries of its queue, which are unknown to everybody else.
func TestALogLineOfTheQueueHasTheRunThatWasDelivered(t *testing.T) {
	t.Parallel()
	var out lockedBuffer
	log := runner.QueueLog(runner.NewLog(&out, true, slog.LevelDebug), map[int64]string{7: "run_seven"})
	log.Info("first", "job_id", int64(7))
	log.Error("second", "job_id", int64(8))
	for message, want := range map[string]any{"first": "run_seven", "second": nil} {
		if line := out.lineWith(t, message); line["run"] != want {
			t.Errorf("the line %q has run %v, want %v", message, line["run"], want)
		}
	}
}

func TestARunThatIsTakenOverIsNamedInTheLog(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	var out lockedBuffer
	g, apply, auth := b.gated()
	r, _ := b.runner(runner.Config{Log: runner.NewLog(&out, true, slog.LevelInfo)})
	j := b.job(apply, auth.ID, "orders", startImmediately)
	g.next(t)
	run := b.runs(r.API(), j.ID)[0]
	b.sql(`UPDATE runs SET owner = 'in_dead', epoch = epoch + 1, lease_until = 1`)
	if line := out.lineWith(t, "taken over"); line["run"] != run.ID {
		t.Errorf("the line has run %v, want %s", line["run"], run.ID)
	}
	close(g.release)
}
