package importer

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// DryRun reports what Run would do. It executes the same steps on a cursor that is
// not written and on a source that is only read.
func (i *Import) DryRun(ctx context.Context) (p jobs.DryRun, err error) {
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
	readOnlySrc := &readOnlySource{source: src}
	r.src = readOnlySrc
	d := &dryRun{r: &r}
	if cursor != nil && cursor.Pinned != nil {
		d.note("A run that did not finish has sent some of the rows; the next run goes on after them.")
	}
	if r.needsGeneration() {
		if err := r.beginGeneration(ctx); err != nil {
			return p, err
		}
		if r.cursor.Generation > 1 {
			d.note(fmt.Sprintf("full_refresh has changed: generation %d begins, and every row is sent again.", r.cursor.Generation))
		}
	}
	unchanged, err := r.pinSnapshot(ctx)
	if err != nil {
		return p, err
	}
	d.out.Reads.Source = jobs.TableName{Catalog: i.Spec.Catalog, Database: i.Spec.Database, Table: i.Spec.Table}.String()
	d.out.Reads.Continues = cursor != nil
	if w := r.cursor.Watermark; w != nil {
		d.out.Reads.Watermark = timeOf(*w)
	}
	if r.snap.table != nil { // the table is not resolved if its version is unchanged
		for _, c := range r.snap.table.event {
			d.out.Reads.Columns = append(d.out.Reads.Columns, jobs.DryRunColumn{Name: c.Name, Type: c.Type})
		}
	}
	d.out.Reads.Snapshot, d.out.Reads.RowsNull, d.out.Writes.Stream = r.snap.label, r.counted.nulls, i.Spec.Stream
	if unchanged {
		d.note("The last run read this version to its end: no row can be new, and a run ends here.")
		return d.out, nil
	}
	return d.out, d.readSnapshot(ctx, readOnlySrc)
}

// dryRun collects what a run would do.
type dryRun struct {
	r   *run
	out jobs.DryRun
}

func (d *dryRun) note(text string) { d.out.Notes = append(d.out.Notes, text) }

func (d *dryRun) addStatement(statement string) {
	d.out.Statements = append(d.out.Statements, statement)
}

// readSnapshot adds what a run reads of the pinned snapshot.
func (d *dryRun) readSnapshot(ctx context.Context, readOnlySrc *readOnlySource) error {
	r := d.r
	// The statements that are shown read the copy that a run would create. The
	// counts cannot: there is no copy.
	shown := r.snap
	if readOnlySrc.copied != nil {
		shown = *readOnlySrc.copied
		d.addStatement(readOnlySrc.statement)
		if r.snap.version == nil {
			d.note("The source has no versions: a run copies it first, and reads the copy. The counts are of the source as it is now.")
		}
	}
	if r.way.why != "" {
		d.note(r.way.why)
	}
	relation, err := shown.relation()
	if err != nil {
		return err
	}
	var upper *int64
	if p := r.cursor.Pinned; p != nil && p.Position != nil {
		upper = &p.Upper
	}
	if err := d.addCounts(shown, relation, upper); err != nil {
		return err
	}
	if r.cursor.Pinned.Changes != nil {
		err = d.addChanges(shown)
	} else {
		err = d.addLateRows(ctx, shown)
	}
	if err != nil {
		return err
	}
	if err := d.addNewRows(ctx, shown); err != nil {
		return err
	}
	d.noteLeftOut()
	return nil
}

// addLateRows adds the comparison of the window below the watermark.
func (d *dryRun) addLateRows(ctx context.Context, shown snapshot) error {
	r := d.r
	w := r.window()
	if w.from > w.to || r.cursor.Pinned.WindowCompared {
		return nil
	}
	q := rowsQuery{slice: w, byDigest: true, previous: r.previous()}
	late := jobs.DryRunLate{From: timeOf(w.from), To: time.UnixMicro(w.to).UTC(), Against: rememberedRows}
	if q.previous != nil {
		late.Against = q.previous.label
		n, err := r.countLate(ctx, q)
		if isUnreadableVersion(err) {
			d.note(fmt.Sprintf("%s cannot be read any more: the window is compared with %s.", q.previous.label, rememberedRows))
			r.previousGone = true
			q.previous = nil
			late.Against = rememberedRows
			if r.counted, err = r.src.count(ctx, r.snap, r.countQuery(&r.cursor.Pinned.Upper, true)); err != nil {
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
		counted := r.counted.window
		late.New, late.Looked = nil, &counted
	}
	statement, err := rowsStatement(shown, q)
	if err != nil {
		return err
	}
	d.addStatement(statement)
	d.out.Reads.Late = &late
	return nil
}

// rememberedRows names what late rows are compared with without a version.
const rememberedRows = "the remembered digests of the rows that were sent"

// countLate counts the rows that the snapshot has more often than the previous
// version.
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
			// Rows of one digest may come one by one, each with the number of rows of
			// this digest in the previous version: it is subtracted once.
			n += c.times[i]
			if digest == nil || micros != c.micros[i] || !bytes.Equal(digest, c.digest.At(i)) {
				micros, digest = c.micros[i], bytes.Clone(c.digest.At(i))
				n -= c.before[i]
			}
		}
	}
	return n, nil
}

// addNewRows adds the rows above the watermark, by slice.
func (d *dryRun) addNewRows(ctx context.Context, shown snapshot) error {
	r := d.r
	c, reads := r.counted, &d.out.Reads
	reads.From, reads.To, reads.RowsFuture = timeOf(r.cursor.firstUnread()), timeOf(c.upper), c.future
	if r.includesFuture() && c.future > 0 {
		if c.rows == 0 {
			c.first = c.upper + 1
		}
		c.last, c.rows = c.futureLast, c.rows+c.future
		reads.To = timeOf(c.futureLast)
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
		d.addStatement(statement)
		if n == 0 {
			if err := d.addSamples(ctx, q); err != nil {
				return err
			}
		}
		s.rows -= skipped + e.skipRows
		reads.Rows += s.rows
		reads.Slices = append(reads.Slices, jobs.DryRunSlice{From: time.UnixMicro(s.from).UTC(), To: time.UnixMicro(s.to).UTC(), Rows: s.rows})
	}
	d.out.Writes.Rows += reads.Rows
	return nil
}

// addSamples adds the first rows of a query.
func (d *dryRun) addSamples(ctx context.Context, q rowsQuery) error {
	q.most = d.r.imp.Samples
	if q.most <= 0 {
		return nil
	}
	for b, err := range d.r.src.rows(ctx, d.r.snap, q) {
		if err != nil {
			return err
		}
		c, err := readColumns(b, len(d.r.snap.table.keys) > 0, false)
		if err != nil {
			return err
		}
		for n := range c.micros {
			if len(d.out.Samples) == q.most {
				return nil
			}
			d.out.Samples = append(d.out.Samples, jobs.DryRunSample{Row: string(c.row.At(n))})
		}
	}
	return nil
}

// noteLeftOut notes what happens to rows without a timestamp, to rows of the
// future, and after row_limit events.
func (d *dryRun) noteLeftOut() {
	s := d.r.imp.Spec
	if n := d.r.counted.nulls; n > 0 {
		switch s.NullTimestamps {
		case jobs.NullError:
			d.note(fmt.Sprintf("The run would fail: %d rows have no %s, and null_timestamps is \"error\".", n, s.TimestampColumn))
		case jobs.NullIncludeOnce:
			d.note(fmt.Sprintf("Of the %d rows without %s, those that were not sent yet are sent.", n, s.TimestampColumn))
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

// timeOf converts a bound; nil where it is the least or the greatest timestamp.
func timeOf(micros int64) *time.Time {
	if micros <= math.MinInt64+1 || micros == math.MaxInt64 {
		return nil
	}
	t := time.UnixMicro(micros).UTC()
	return &t
}
