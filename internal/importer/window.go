package importer

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// read sends the snapshot's new rows: those without a timestamp where they are
// asked for, those below the watermark that were not there before, and those
// above it. done is false when the run's limit was reached first.
func (r *run) read(ctx context.Context) (done bool, err error) {
	if !r.cursor.Pinned.Compared {
		for _, part := range []func(context.Context) (bool, error){r.nulls, r.late} {
			if done, err := part(ctx); err != nil || !done {
				return false, err
			}
		}
		r.cursor.Pinned.Compared = true
	}
	return r.main(ctx)
}

// emitter makes one that goes on from the run's cursor.
func (r *run) emitter() *emitter {
	e := &emitter{i: r.i, ids: newEventIDs(r.i.Key, r.cursor.Generation), cursor: r.cursor}
	pinned := *r.cursor.Pinned
	e.cursor.Pinned = &pinned
	return e
}

// took takes over the emitter's cursor once all of it is committed.
func (r *run) took(e *emitter) {
	u := &unit{}
	e.snapshot(u)
	r.cursor = u.cursor
}

// nulls sends the rows without a timestamp that were not sent yet.
func (r *run) nulls(ctx context.Context) (done bool, err error) {
	if r.i.Spec.NullTimestamps != jobs.NullIncludeOnce || r.found.nulls == 0 {
		return true, nil
	}
	r.i.Progress.Phase("importing rows without a timestamp", r.found.nulls)
	e := r.emitter()
	e.sentTo = math.MaxInt64
	if e.sent, err = r.i.sentBetween(ctx, store.NullMicros, store.NullMicros); err != nil {
		return false, err
	}
	read, err := r.pump(ctx, rowsQuery{nulls: true, byDigest: true, upper: r.cursor.Pinned.Upper}, e)
	if err != nil {
		return false, err
	}
	r.took(e)
	if !e.limited && read != r.found.nulls {
		return false, r.miscounted(r.found.nulls, read)
	}
	return !e.limited, nil
}

// late sends what appeared in the window below the watermark: compared with the
// version of the last run, or where there is none, with the rows remembered.
func (r *run) late(ctx context.Context) (done bool, err error) {
	w := r.window()
	if w.from > w.to {
		return true, nil
	}
	r.i.Progress.Phase("looking for late rows", 0)
	e := r.emitter()
	e.sentTo = w.to
	if e.sent, err = r.i.sentBetween(ctx, w.from, w.to); err != nil {
		return false, err
	}
	q := rowsQuery{slice: w, byDigest: true, previous: r.previous()}
	read, err := r.pump(ctx, q, e)
	if err != nil && q.previous != nil && (errors.Is(err, errGone) || isStatement(err) && jobs.IsCode(err, jobs.CodeFailed)) {
		return false, errors.Join(err, errPreviousGone)
	}
	if err != nil {
		return false, err
	}
	r.took(e)
	if q.previous == nil && !e.limited && read != r.found.window {
		return false, r.miscounted(r.found.window, read)
	}
	return !e.limited, nil
}

// main sends the rows above the watermark, slice by slice.
func (r *run) main(ctx context.Context) (done bool, err error) {
	c := r.found
	if r.futures() && c.future > 0 {
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
	parts, err := r.slices(ctx, c)
	if err != nil {
		return false, err
	}
	r.i.Progress.Phase("importing rows", c.rows)
	var read int64
	for n, s := range parts {
		e, q, skipped, err := r.mainQuery(ctx, s, n == 0)
		if err != nil {
			return false, err
		}
		got, err := r.pump(ctx, q, e)
		if err != nil {
			return false, err
		}
		r.took(e)
		if e.limited {
			return false, nil
		}
		read += got + skipped
	}
	if read != c.rows {
		return false, r.miscounted(c.rows, read)
	}
	return true, nil
}

// mainQuery prepares the reading of a slice; the first one begins behind the
// position. skipped is how many of its rows the query leaves out.
func (r *run) mainQuery(ctx context.Context, s slice, first bool) (e *emitter, q rowsQuery, skipped int64, err error) {
	e, q = r.emitter(), rowsQuery{slice: s}
	e.main = true
	p := r.cursor.Pinned
	if p.Position != nil {
		position := *p.Position
		e.position = &position
	}
	if p.Reached != nil {
		reached := *p.Reached
		e.reached = &reached
	}
	resumed := first && e.position != nil && e.position.Micros == s.from
	q.byDigest = resumed && e.position.Digest != ""
	if ahead := r.cursor.Ahead; ahead != nil && s.from <= *ahead {
		// Some of these were sent when they were of the future. What is
		// remembered of them is in the order of digests.
		q.byDigest, e.sentTo = true, *ahead
		if e.sent, err = r.i.sentBetween(ctx, s.from, *ahead); err != nil {
			return nil, q, 0, err
		}
	}
	e.byKey = len(r.snap.table.keys) > 0 && !q.byDigest
	if resumed {
		e.skip = e.position.Rows
		if e.position.Digest != "" {
			after := *e.position
			q.after, e.skip, skipped = &after, after.Same, after.Rows-after.Same
		}
	}
	return e, q, skipped, nil
}

func (r *run) miscounted(counted, read int64) error {
	return &jobs.Error{
		Code:    jobs.CodeFailed,
		Summary: fmt.Sprintf("%d rows of %s were counted and %d were read", counted, r.snap.table.name, read),
		Detail:  fmt.Sprintf("Both were done on the same source (%s), so rows were lost on the way, or a condition of the import gives another answer each time.", r.snap.label),
		Next:    "Run the job again: what was read is kept, and the run goes on after it",
	}
}

// finish lets go of the snapshot: the next run compares with it.
func (r *run) finish(ctx context.Context) error {
	if p := r.cursor.Pinned; p != nil {
		r.unpin()
		r.cursor.Last = &store.Compared{TableVersion: p.TableVersion, Columns: p.Columns, Plan: p.Plan, RowsNull: r.found.nulls,
			Nulls: r.i.Spec.NullTimestamps == jobs.NullIncludeOnce}
		if !r.futures() {
			r.cursor.Last.RowsFuture = r.found.future
		}
	}
	if a := r.cursor.Ahead; a != nil && r.cursor.Watermark != nil && *a <= *r.cursor.Watermark {
		r.cursor.Ahead = nil
	}
	return r.i.Cursors.Write(ctx, func(tx *store.Tx) error {
		if err := r.i.Fence(tx); err != nil {
			return err
		}
		if r.cursor.Watermark != nil {
			oldest := minus(*r.cursor.Watermark, r.i.lookback())
			r.cursor.Known = later(r.cursor.Known, oldest)
			if err := store.ForgetSent(ctx, tx, r.i.Key, oldest); err != nil {
				return err
			}
		}
		return store.PutCursor(ctx, tx, r.i.Key, r.cursor)
	})
}
