package importer

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// readRows sends what is new in the snapshot: first rows without a timestamp and
// late rows below the watermark, then the rows above it. done is false when the
// run's row limit was reached first.
func (r *run) readRows(ctx context.Context) (done bool, err error) {
	if !r.cursor.Pinned.WindowCompared {
		for _, part := range []func(context.Context) (bool, error){r.sendNullRows, r.sendLateRows} {
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

// sendLateRows sends the rows that appeared in the window below the watermark
// since the last run. It compares with the version of the last run, or, where
// that cannot be read, with the remembered rows.
func (r *run) sendLateRows(ctx context.Context) (done bool, err error) {
	w := r.window()
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
	if q.previous == nil && !e.limitReached && rowsRead != r.counted.window {
		return false, r.countMismatch(r.counted.window, rowsRead)
	}
	return !e.limitReached, nil
}

// isUnreadableVersion reports that a comparison with the previous version failed
// because of that version, as far as the error tells.
func isUnreadableVersion(err error) bool {
	return errors.Is(err, errSnapshotGone) || isStatementError(err) && jobs.IsCode(err, jobs.CodeFailed)
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
	r.imp.Progress.Phase("importing rows", c.rows)
	var accounted int64
	for n, s := range planned {
		e, q, leftOut, err := r.sliceQuery(ctx, s, n == 0)
		if err != nil {
			return false, err
		}
		rowsRead, err := r.copyRows(ctx, q, e)
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
	e, q = r.newEmitter(), rowsQuery{slice: s}
	e.aboveWatermark = true
	position := e.cursor.Pinned.Position
	resumed := first && position != nil && position.Micros == s.from
	q.byDigest = resumed && position.Digest != ""
	if future := r.cursor.FutureSentThrough; future != nil && s.from <= *future {
		// Some of these rows were sent when they were later than the clock. They
		// are remembered in the order of digests.
		q.byDigest, e.sentThrough = true, *future
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
