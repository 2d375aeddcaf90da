package importer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// Plan reports what Run would do. It executes the same steps on a cursor that is
// not written and on a source that is only read.
func (i *Import) Plan(ctx context.Context) (p jobs.DryRun, err error) {
	readOnly := *i
	readOnly.Cursors, readOnly.Progress, readOnly.limit = readOnlyCursors{i.Cursors}, noProgress{}, -1
	r := run{imp: &readOnly}
	cursor, err := ReadCursor(ctx, i.Cursors, i.Key)
	if err != nil {
		return p, err
	}
	if cursor != nil {
		r.cursor = *cursor
	}
	src, closeSource, err := i.openSource(ctx)
	if err != nil {
		return p, err
	}
	defer func() {
		if closeErr := closeSource(); err == nil { // after a failure it says nothing new
			err = closeErr
		}
	}()
	looked := &readOnlySource{source: src}
	r.src = looked
	d := &dryRun{r: &r}
	if cursor != nil && cursor.Pinned != nil {
		d.note("A run that did not end has sent some of it; a new run goes on from there.")
	}
	if r.needsGeneration() {
		if err := r.beginGeneration(ctx); err != nil {
			return p, err
		}
		if r.cursor.Generation > 1 {
			d.note(fmt.Sprintf("full_refresh has changed: generation %d begins, and every row is sent again.", r.cursor.Generation))
		}
	}
	nothing, err := r.pinSnapshot(ctx)
	if err != nil {
		return p, err
	}
	d.out.Reads.Source = jobs.TableName{Catalog: i.Spec.Catalog, Database: i.Spec.Database, Table: i.Spec.Table}.String()
	d.out.Reads.Snapshot, d.out.Reads.RowsNull, d.out.Writes.Stream = r.snap.label, r.counted.nulls, i.Spec.Stream
	if nothing {
		d.note("This is the version that the last run read to its end: nothing can be new, and a run ends here.")
		return d.out, nil
	}
	return d.out, d.window(ctx, looked)
}

// dryRun collects what a run would do.
type dryRun struct {
	r   *run
	out jobs.DryRun
}

func (d *dryRun) note(text string) { d.out.Notes = append(d.out.Notes, text) }

func (d *dryRun) send(statement string) { d.out.Statements = append(d.out.Statements, statement) }

// window is what a run reads of a pinned snapshot.
func (d *dryRun) window(ctx context.Context, looked *readOnlySource) error {
	r := d.r
	// A run reads its copy; its statements here do, and the counts cannot.
	shown := r.snap
	if looked.copied != nil {
		shown = *looked.copied
		d.send(looked.statement)
		d.note("The source keeps no versions: a run copies it first, and reads the copy. The counts are of the source as it is now.")
	}
	relation, err := shown.relation()
	if err != nil {
		return err
	}
	var upper *int64
	if p := r.cursor.Pinned; p != nil && p.Position != nil {
		upper = &p.Upper
	}
	d.send(countStatement(relation, r.countQuery(upper)))
	if err := d.late(ctx, shown); err != nil {
		return err
	}
	if err := d.main(ctx, shown); err != nil {
		return err
	}
	d.policies()
	return nil
}

// late is the comparison below the watermark.
func (d *dryRun) late(ctx context.Context, shown snapshot) error {
	r := d.r
	w := r.window()
	if w.from > w.to || r.cursor.Pinned.WindowCompared {
		return nil
	}
	q := rowsQuery{slice: w, byDigest: true, previous: r.previous()}
	late := jobs.DryRunLate{From: instant(w.from), To: time.UnixMicro(w.to).UTC(), Against: "the rows that were sent, as they are remembered"}
	if q.previous != nil {
		late.Against = q.previous.label
		n, err := r.countLate(ctx, q)
		if isUnreadableVersion(err) {
			d.note(fmt.Sprintf("%s cannot be read any more: the window is compared with what is remembered of the rows that were sent.", q.previous.label))
			r.previousGone = true
			q.previous = nil
			late.Against = "the rows that were sent, as they are remembered"
			if r.counted, err = r.src.count(ctx, r.snap, r.countQuery(&r.cursor.Pinned.Upper)); err != nil {
				return err
			}
		}
		if err != nil {
			return err
		}
		late.New = &n
		d.out.Writes.Rows += n
	}
	if q.previous == nil {
		looked := r.counted.window
		late.New, late.Looked = nil, &looked
	}
	statement, err := rowsStatement(shown, q)
	if err != nil {
		return err
	}
	d.send(statement)
	d.out.Reads.Late = &late
	return nil
}

// countLate counts what is there more often than it was.
func (r *run) countLate(ctx context.Context, q rowsQuery) (n int64, err error) {
	var micros int64
	var digest []byte
	for b, err := range r.src.rows(ctx, r.snap, q) {
		if err != nil {
			return 0, err
		}
		c, err := readColumns(b, len(r.snap.table.keys) > 0, true)
		if err != nil {
			return 0, err
		}
		for i := range c.times {
			// Rows that share a digest may come one by one, each with the count of
			// those that were there before.
			n += c.times[i]
			if digest == nil || micros != c.micros[i] || !bytes.Equal(digest, c.digest.At(i)) {
				micros, digest = c.micros[i], bytes.Clone(c.digest.At(i))
				n -= c.before[i]
			}
		}
	}
	return n, nil
}

// main is what lies above the watermark.
func (d *dryRun) main(ctx context.Context, shown snapshot) error {
	r := d.r
	c, reads := r.counted, &d.out.Reads
	reads.From, reads.To, reads.RowsFuture = instant(r.cursor.firstUnread()), instant(c.upper), c.future
	if r.includesFuture() && c.future > 0 {
		if c.rows == 0 {
			c.first = c.upper + 1
		}
		c.last, c.rows = c.futureLast, c.rows+c.future
		reads.To = instant(c.futureLast)
	}
	if c.rows == 0 {
		return nil
	}
	parts, err := r.planSlices(ctx, c)
	if err != nil {
		return err
	}
	for n, s := range parts {
		e, q, skipped, err := r.sliceQuery(ctx, s, n == 0)
		if err != nil {
			return err
		}
		statement, err := rowsStatement(shown, q)
		if err != nil {
			return err
		}
		d.send(statement)
		s.rows -= skipped + e.skipRows
		reads.Rows += s.rows
		reads.Slices = append(reads.Slices, jobs.DryRunSlice{From: time.UnixMicro(s.from).UTC(), To: time.UnixMicro(s.to).UTC(), Rows: s.rows})
	}
	d.out.Writes.Rows += reads.Rows
	return nil
}

// policies say what becomes of the rows that the window leaves out.
func (d *dryRun) policies() {
	s := d.r.imp.Spec
	if n := d.r.counted.nulls; n > 0 {
		switch s.NullTimestamps {
		case jobs.NullError:
			d.note(fmt.Sprintf("The run would fail: %d rows have no %s, and null_timestamps is \"error\".", n, s.TimestampColumn))
		case jobs.NullIncludeOnce:
			d.note(fmt.Sprintf("Of the %d rows without %s, those that were not sent yet are sent, too.", n, s.TimestampColumn))
		default:
			d.note(fmt.Sprintf("%d rows without %s are left out.", n, s.TimestampColumn))
		}
	}
	if n := d.r.counted.future; n > 0 && !d.r.includesFuture() {
		d.note(fmt.Sprintf("%d rows are later than the warehouse's clock and wait for a later run.", n))
	}
	if s.RowLimit > 0 && d.out.Writes.Rows > s.RowLimit {
		d.out.Writes.Rows = s.RowLimit
		d.note(fmt.Sprintf("row_limit ends the run after %d events; the next one goes on.", s.RowLimit))
	}
}

// instant is a bound, or nil where there is none.
func instant(micros int64) *time.Time {
	if micros <= math.MinInt64+1 || micros == math.MaxInt64 {
		return nil
	}
	t := time.UnixMicro(micros).UTC()
	return &t
}

// readOnlyCursors are cursors that forget what they are told.
type readOnlyCursors struct{ CursorStore }

func (readOnlyCursors) Write(context.Context, func(*store.Tx) error) error { return nil }

// noProgress is nobody to tell.
type noProgress struct{}

func (noProgress) Phase(string, int64)      {}
func (noProgress) Advance(int64)            {}
func (noProgress) Count(func(*jobs.Counts)) {}

// readOnlySource is a source that makes no copies and drops none.
type readOnlySource struct {
	source
	// copied is the copy that a run would make, by statement.
	copied    *snapshot
	statement string
}

var errOnlyLooking = errors.New("a dry run drops nothing")

func (l *readOnlySource) copy(_ context.Context, t *table, name string, from int64) (snapshot, error) {
	copied, statement, err := copyStatement(t, name, from)
	l.copied, l.statement = &copied, statement
	return snapshot{table: t, label: "the source as it is now"}, err
}

func (l *readOnlySource) drop(context.Context, string) error { return errOnlyLooking }
