package importer

import (
	"context"
	"errors"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// memorySink keeps events in memory and commits as the embedded platform does. The
// batch number left fails: before the transaction, or inside it.
type memorySink struct {
	db     *store.DB
	events []jobs.Event
	left   int
	inside bool
	// rejects, if set, tells which events the sink rejects; rejected are those, after
	// their transaction was committed.
	rejects  func(jobs.Event) bool
	rejected []jobs.RejectedEvent
}

// quarantineOf keeps the rejected rows of the import with this key in the store.
type quarantineOf string

func (key quarantineOf) Add(ctx context.Context, tx *store.Tx, rejected []jobs.RejectedEvent) error {
	of := store.RejectedRun{ImportKey: string(key), JobID: "job of " + string(key), RunID: "run_1", Stream: "s"}
	_, err := store.AddQuarantined(ctx, tx, of, rejected, 1_000_000, nil)
	return err
}

func (quarantineOf) CheckRoom(context.Context) error { return nil }

// fataler is a test, or one of rapid's.
type fataler interface {
	Helper()
	Fatal(args ...any)
}

// quarantined lists what the store has in quarantine for an import.
func quarantined(t fataler, db *store.DB, key string) []jobs.QuarantineEntry {
	t.Helper()
	list, err := db.Quarantined(context.Background(), store.QuarantineQuery{JobID: "job of " + key, ImportKey: key}, true, 1_000_000, nil)
	if err != nil {
		t.Fatal(err)
	}
	return list.Entries
}

var errDied = errors.New("the process died")

func (s *memorySink) Append(
	ctx context.Context, _ string, events []jobs.Event, commit func(*store.Tx, []jobs.RejectedEvent) error,
) (jobs.AppendResult, error) {
	s.left--
	if s.left == 0 && !s.inside {
		return jobs.AppendResult{}, errDied
	}
	var kept []jobs.Event
	var rejected []jobs.RejectedEvent
	for _, e := range events {
		if s.rejects != nil && s.rejects(e) {
			rejected = append(rejected, jobs.RejectedEvent{Event: e, Reason: "poison", Bytes: int64(len(e.Data))})
			continue
		}
		kept = append(kept, e)
	}
	err := s.db.Write(ctx, func(tx *store.Tx) error {
		if err := commit(tx, rejected); err != nil {
			return err
		}
		if s.left == 0 {
			return errDied
		}
		return nil
	})
	if err != nil {
		return jobs.AppendResult{}, err
	}
	s.events, s.rejected = append(s.events, kept...), append(s.rejected, rejected...)
	return jobs.AppendResult{Written: int64(len(kept)), Rejected: int64(len(rejected))}, nil
}

// countedProgress keeps the counts.
type countedProgress struct{ jobs.Counts }

func (*countedProgress) Phase(string, int64)               {}
func (*countedProgress) Advance(int64)                     {}
func (p *countedProgress) Count(change func(*jobs.Counts)) { change(&p.Counts) }
