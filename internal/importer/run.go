package importer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// run is one attempt of an import, in one session: from the cursor to the end of
// the snapshot.
type run struct {
	imp    *Import
	src    source
	cursor Cursor
	snap   snapshot
	// counted is what the warehouse counted in the snapshot before rows are read.
	counted counts
	// way is how the rows of a version are read.
	way way
	// chosen are the changes that lead to a new snapshot, and changed what was counted
	// in them; changesReason is why they are read, or why not.
	chosen        *PinnedChanges
	changed       changeCounts
	changesReason string
	// pinnedGone, previousGone and changesGone record that the pinned snapshot, the
	// version of the last run, or the changes turned out to be unreadable.
	pinnedGone, previousGone, changesGone bool
}

// execute imports the rows that are new since the cursor.
func (r *run) execute(ctx context.Context) error {
	if r.needsGeneration() {
		if err := r.beginGeneration(ctx); err != nil {
			return err
		}
	}
	unchanged, err := r.pinSnapshot(ctx)
	if err != nil {
		return err
	}
	if !unchanged {
		r.imp.Progress.Count(func(c *jobs.Counts) {
			c.Snapshot, c.RowsNull, c.RowsFuture = r.snap.label, r.counted.nulls, 0
			if !r.includesFuture() {
				c.RowsFuture = r.counted.future
			}
		})
		if r.imp.Spec.NullTimestamps == jobs.NullError && r.counted.nulls > 0 {
			return &jobs.Error{Code: jobs.CodeFailed, Attribute: "null_timestamps",
				Summary: fmt.Sprintf("%d rows of %s have no %s", r.counted.nulls, r.snap.table.name, r.imp.Spec.TimestampColumn),
				Detail:  "null_timestamps = \"error\" asks for this error. Nothing was sent.",
				Next:    "Give the rows a timestamp, leave them out with where, or set null_timestamps to \"skip\" or \"include_once\""}
		}
		if done, err := r.readRows(ctx); err != nil || !done {
			return err
		}
		if err := r.checkPinnedTable(ctx); err != nil {
			return err
		}
	}
	if err := r.finish(ctx); err != nil {
		return err
	}
	r.dropCopies(ctx)
	return nil
}

// needsGeneration reports whether the definition asks for a generation that has
// not begun.
func (r *run) needsGeneration() bool {
	asked := r.imp.Spec.FullRefresh
	return r.cursor.Generation == 0 || asked != "" && asked != r.cursor.FullRefresh
}

// beginGeneration starts the import over. The first generation is written with
// the first snapshot.
func (r *run) beginGeneration(ctx context.Context) error {
	var from *int64
	if since := r.imp.Spec.Since; since != nil {
		exclusive := since.UnixMicro() + 1
		from = &exclusive
	}
	r.cursor.beginGeneration(r.imp.Spec.FullRefresh, from)
	if r.imp.limit >= 0 {
		r.imp.limit = r.imp.Spec.RowLimit
	}
	if r.cursor.Generation == 1 {
		return nil
	}
	return r.imp.writeCursor(ctx, cursorChange{cursor: r.cursor, forgetAll: true})
}

// finish releases the snapshot and records it as the one that the next run
// compares with.
func (r *run) finish(ctx context.Context) error {
	compared := ComparedSnapshot{RowsNull: r.counted.nulls, NullsSent: r.imp.Spec.NullTimestamps == jobs.NullIncludeOnce}
	if !r.includesFuture() {
		compared.RowsFuture = r.counted.future
	}
	r.cursor.finish(compared)
	change := cursorChange{}
	if w := r.cursor.Watermark; w != nil {
		oldest := subtractMicros(*w, r.imp.lookback())
		r.cursor.forgetBefore(oldest)
		change.forgetBefore = &oldest
	}
	change.cursor = r.cursor
	return r.imp.writeCursor(ctx, change)
}

// definitionHash differs between definitions that read other rows, or read them
// in another order.
func (r *run) definitionHash() string {
	s := r.imp.Spec
	parts := []any{s.Where, s.KeyColumns, s.NullTimestamps, r.includesFuture()}
	if s.Deletes == jobs.DeletesEvents {
		parts = append(parts, s.Deletes) // definitions of earlier releases keep their hash
	}
	text, err := json.Marshal(parts)
	if err != nil {
		panic(err) // strings and a bool can always be encoded
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// includesFuture reports whether rows later than the warehouse's clock are sent.
func (r *run) includesFuture() bool { return r.imp.Spec.FutureTimestamps == jobs.FutureInclude }
