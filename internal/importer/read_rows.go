package importer

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// readRows sends what is new in the snapshot: first rows without a timestamp and
// late rows below the watermark, then the rows above it. done is false when the
// run's row limit was reached first.
func (r *run) readRows(ctx context.Context) (done bool, err error) {
	if !r.cursor.Pinned.WindowCompared {
		for _, part := range []func(context.Context) (bool, error){r.sendNullRows, r.sendLateRows, r.sendDeletedRows} {
			if done, err := part(ctx); err != nil || !done {
				return false, err
			}
		}
		r.cursor.windowCompared()
	}
	return r.sendNewRows(ctx)
}

// newEmitter goes on from the run's cursor.
func (r *run) newEmitter() *emitter {
	return &emitter{imp: r.imp, ids: newEventIDs(r.imp.Key, r.cursor.Generation), cursor: r.cursor.clone()}
}

// adoptCursor takes the emitter's cursor over, once all of its batches are
// committed.
func (r *run) adoptCursor(e *emitter) { r.cursor = e.committedCursor() }

// sendNullRows sends the rows without a timestamp that were not sent yet.
func (r *run) sendNullRows(ctx context.Context) (done bool, err error) {
	if r.imp.Spec.NullTimestamps != jobs.NullIncludeOnce || r.counted.nulls == 0 {
		return true, nil
	}
	if c := r.cursor.Pinned.Changes; c != nil && c.NewRows && r.changed.nullsAdded == 0 {
		return true, nil // those of the last run's version were sent
	}
	r.imp.Progress.Phase("importing rows without a timestamp", r.counted.nulls)
	e := r.newEmitter()
	e.sentThrough = math.MaxInt64
	if e.sentBefore, err = r.imp.sentBetween(ctx, store.NullMicros, store.NullMicros); err != nil {
		return false, err
	}
	rowsRead, err := r.copyRows(ctx, rowsQuery{nulls: true, byDigest: true, upper: r.cursor.Pinned.Upper}, e)
	if err != nil {
		return false, err
	}
	r.adoptCursor(e)
	if !e.limitReached && rowsRead != r.counted.nulls {
		return false, r.countMismatch(r.counted.nulls, rowsRead)
	}
	return !e.limitReached, nil
}

// sendLateRows sends the rows that appeared below the watermark since the last run:
// those that the changes have, of any age, or those of the window.
func (r *run) sendLateRows(ctx context.Context) (done bool, err error) {
	if c := r.changes(); c != nil {
		return r.sendAddedRows(ctx, *c)
	}
	return r.compareWindow(ctx, r.window(), r.counted.window)
}

// sendAddedRows sends the late rows of a range of changes.
func (r *run) sendAddedRows(ctx context.Context, changes changeRange) (done bool, err error) {
	if r.changed.late == 0 || r.cursor.Watermark == nil {
		return true, nil
	}
	r.imp.Progress.Phase("reading late rows from "+changes.String(), r.changed.late)
	w := slice{from: r.cursor.first(), to: *r.cursor.Watermark}
	e := r.newEmitter()
	e.sentThrough, e.countTimes, e.base = w.to, true, changes
	e.added = &addedRows{pages: r.cursor.Pinned.Changes.Pages, rememberedFrom: math.MinInt64,
		deletesSent: r.imp.Spec.Deletes == jobs.DeletesEvents}
	if from := r.cursor.RememberedFrom; from != nil {
		e.added.rememberedFrom = *from
	}
	if e.sentBefore, err = r.imp.sentBetween(ctx, store.NullMicros+1, w.to); err != nil {
		return false, err
	}
	rowsRead, err := r.copyRows(ctx, rowsQuery{slice: w, byDigest: true, changes: &changes}, e)
	if err != nil {
		return false, r.unreadableChanges(err)
	}
	r.adoptCursor(e)
	switch {
	case e.limitReached:
		return false, nil
	case e.unclearFrom == nil && rowsRead != r.changed.late:
		return false, r.countMismatch(r.changed.late, rowsRead)
	case e.unclearFrom == nil:
		return true, nil
	}
	w.from = *e.unclearFrom
	var counted counts
	if r.previous() == nil {
		if counted, err = r.src.count(ctx, r.snap, countQuery{from: w.to + 1, upper: &r.cursor.Pinned.Upper, window: &w}); err != nil {
			return false, err
		}
	}
	return r.compareWindow(ctx, w, counted.window)
}

// compareWindow sends the rows that appeared in a range of timestamps since the last
// run. It compares with the version of the last run, or, where that cannot be read,
// with the remembered rows; counted is how many rows the range has then.
func (r *run) compareWindow(ctx context.Context, w slice, counted int64) (done bool, err error) {
	if w.from > w.to {
		return true, nil
	}
	r.imp.Progress.Phase("looking for late rows", 0)
	e := r.newEmitter()
	e.sentThrough = w.to
	if e.sentBefore, err = r.imp.sentBetween(ctx, w.from, w.to); err != nil {
		return false, err
	}
	q := rowsQuery{slice: w, byDigest: true, previous: r.previous()}
	rowsRead, err := r.copyRows(ctx, q, e)
	if err != nil && q.previous != nil && isUnreadableVersion(err) {
		return false, errors.Join(err, errPreviousGone)
	}
	if err != nil {
		return false, err
	}
	r.adoptCursor(e)
	if q.previous == nil && !e.limitReached && rowsRead != counted {
		return false, r.countMismatch(counted, rowsRead)
	}
	return !e.limitReached, nil
}

// isUnreadableVersion reports that a comparison with the previous version failed
// because of that version, as far as the error tells.
func isUnreadableVersion(err error) bool {
	return errors.Is(err, errSnapshotGone) || databricks.IsNotApplicable(err)
}

// sendNewRows sends the rows above the watermark, slice by slice.
func (r *run) sendNewRows(ctx context.Context) (done bool, err error) {
	c := r.counted
	if r.includesFuture() && c.future > 0 {
		if c.rows == 0 {
			c.first = c.upper + 1
			if p := r.cursor.Pinned.Position; p != nil {
				c.first = max(c.first, p.Micros)
			}
		}
		c.last, c.rows = c.futureLast, c.rows+c.future
	}
	if c.rows == 0 {
		return true, nil
	}
	planned, err := r.planSlices(ctx, c)
	if err != nil {
		return false, err
	}
	ahead := r.readAhead(ctx, len(planned))
	defer ahead.end()
	r.imp.Progress.Phase("importing rows", c.rows)
	var accounted int64
	for n, s := range planned {
		e, q, leftOut, err := r.sliceQuery(ctx, s, n == 0)
		if err != nil {
			return false, err
		}
		var next *rowsQuery
		if n+1 < len(planned) {
			after := r.rowsOfSlice(planned[n+1])
			next = &after
		}
		rowsRead, err := r.copyPages(ctx, ahead.read(ctx, n, q, s.rows-leftOut, next), q, e)
		if err != nil && q.changes != nil {
			err = r.unreadableChanges(err)
		}
		if err != nil {
			return false, err
		}
		r.adoptCursor(e)
		if e.limitReached {
			return false, nil
		}
		accounted += rowsRead + leftOut
	}
	if accounted != c.rows {
		return false, r.countMismatch(c.rows, accounted)
	}
	return true, nil
}

// sliceQuery prepares the reading of a slice; the first one begins after the
// position. leftOut is how many rows of the slice the query does not return.
func (r *run) sliceQuery(ctx context.Context, s slice, first bool) (e *emitter, q rowsQuery, leftOut int64, err error) {
	e, q = r.newEmitter(), r.rowsOfSlice(s)
	e.aboveWatermark, e.countTimes = true, q.changes != nil
	position := e.cursor.Pinned.Position
	resumed := first && position != nil && position.Micros == s.from
	q.byDigest = q.byDigest || resumed && position.Digest != ""
	if future := r.cursor.FutureSentThrough; future != nil && s.from <= *future {
		e.sentThrough = *future
		if e.sentBefore, err = r.imp.sentBetween(ctx, s.from, *future); err != nil {
			return nil, q, 0, err
		}
	}
	e.keyOrder = len(r.snap.table.keys) > 0 && !q.byDigest
	if resumed {
		e.skipRows = position.Rows
		if position.Digest != "" {
			after := *position
			q.after, e.skipRows, leftOut = &after, after.Same, after.Rows-after.Same
		}
	}
	return e, q, leftOut, nil
}

// rowsOfSlice asks for all rows of a slice. Where some of them were sent when they were later
// than the clock, they are remembered in the order of digests.
func (r *run) rowsOfSlice(s slice) rowsQuery {
	q := rowsQuery{slice: s}
	if c := r.cursor.Pinned.Changes; c != nil && c.NewRows {
		q.changes = r.changes()
	}
	future := r.cursor.FutureSentThrough
	q.byDigest = future != nil && s.from <= *future
	return q
}

// countMismatch is the error of rows that were counted and not read, or read
// and not counted. No error of the driver tells of them.
func (r *run) countMismatch(counted, read int64) error {
	return &jobs.Error{
		Code:    jobs.CodeFailed,
		Summary: fmt.Sprintf("%d rows of %s were counted and %d were read", counted, r.snap.table.name, read),
		Detail: fmt.Sprintf("Both queries read the same source (%s), so rows were lost on the way, "+
			"or a condition of the import gives another answer each time.", r.snap.label),
		Next: "Run the job again: what was read is kept, and the run goes on after it",
	}
}
