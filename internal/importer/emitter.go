package importer

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// A batch is committed at this many events or bytes, whichever comes first. A
// commit costs a transaction and two syncs, whatever its size.
const (
	maxBatchEvents = 50_000
	maxBatchBytes  = 8 << 20
)

// commitEvery is how long the rows of a slow warehouse wait for a batch to fill:
// progress is shown, and kept, at least this often.
const commitEvery = time.Second

// maxEventBytes bounds one event. A larger row goes into quarantine: it is never cut.
const maxEventBytes = 64 << 20

// forgetEvery is after how many batches the rows before the lookback are
// forgotten.
const forgetEvery = 8

// eventBatch is what one transaction commits.
type eventBatch struct {
	events []jobs.Event
	// tooLong are the rows, by their index in events, that are too long for an
	// event. flush moves them to rejected.
	tooLong  map[int]jobs.RejectedEvent
	rejected []jobs.RejectedEvent
	// remember are the rows of the events, in the order of timestamp and digest.
	remember []store.SentRow
	// forgetBefore is the timestamp before which remembered rows are removed; nil
	// removes none.
	forgetBefore *int64
	// cursor is the position after the batch.
	cursor Cursor
	// rowsRead counts rows of the warehouse's answer, rowsKnown those that were
	// sent before, and bytes the JSON of the events.
	rowsRead, rowsKnown, bytes int64
	// finish ends the sending of the events; it is nil if it has not begun.
	finish FinishBatch
}

// emitter turns the rows of one query into batches of events. Identical rows
// follow each other in every order; their events differ by their occurrence.
type emitter struct {
	imp    *Import
	ids    *eventIDs
	cursor Cursor
	commit func(context.Context, *eventBatch) error

	// aboveWatermark is set for rows that move the cursor's position, and not for
	// rows of the window below it.
	aboveWatermark bool
	// keyOrder is set when key columns order rows of one timestamp, before the
	// digest.
	keyOrder bool
	// sentBefore reads how often a row was sent, for timestamps up to sentThrough;
	// nil when no row can have been.
	sentBefore  *sentReader
	sentThrough int64
	// skipRows is how many rows the query repeats that are before the position.
	skipRows int64

	// added is set for late rows that are read from changes: how often a row was there
	// before is not known.
	added *addedRows
	// deletes is set for the keys of deleted rows.
	deletes bool
	// base is the range of changes that late or deleted rows are read from.
	base changeRange
	// countTimes is set where a row of the answer counts as often as it was added.
	countTimes bool
	// unclearFrom is the timestamp of the first row of which only both versions of
	// the table tell how often it is to be sent: nothing was read from it on.
	unclearFrom *int64

	group rowGroup

	batch *eventBatch
	// trimmed counts the batches since rows were last forgotten.
	trimmed      int
	limitReached bool
}

// rowGroup are the identical rows of one timestamp that the last row belongs to.
type rowGroup struct {
	open        bool
	micros      int64
	digest, tie []byte
	// occurrence is how many rows of the group were met.
	occurrence int64
	// alreadySent is how many rows of the group were sent before: that many are
	// not sent again.
	alreadySent int64
	// notRemembered is how many of alreadySent the store does not remember. They
	// are remembered with the next row of the group.
	notRemembered int64
	// inBatch is set when the batch remembers the group already.
	inBatch bool
	// changed is set when the ids of the group's events name the version after which
	// the row was added.
	changed bool
}

// columns are the columns of a page of rows.
type columns struct {
	micros, recorded    []int64
	digest, row, tie    databricks.Texts
	times, before       []int64
	hasTie, hasCounters bool
}

func readColumns(page *databricks.Batch, tie, counters bool) (c columns, err error) {
	c.hasTie, c.hasCounters = tie, counters
	next := 0
	ints := func(to *[]int64) {
		if err == nil {
			*to, err = page.Int64s(next)
			next++
		}
	}
	texts := func(to *databricks.Texts) {
		if err == nil {
			*to, err = page.Texts(next)
			next++
		}
	}
	ints(&c.micros)
	texts(&c.digest)
	texts(&c.row)
	ints(&c.recorded)
	if tie {
		texts(&c.tie)
	}
	if counters {
		ints(&c.times)
		ints(&c.before)
	}
	if err != nil {
		err = unexpectedTypes(err)
	}
	return c, err
}

func unexpectedTypes(err error) error {
	return fmt.Errorf("the warehouse answered the import's query with unexpected column types: %w", err)
}

// add emits the rows of a page. It returns early when the run's row limit is
// reached.
func (e *emitter) add(ctx context.Context, c columns) error {
	g := &e.group
	for n, micros := range c.micros {
		digest, tie := c.digest.At(n), []byte(nil)
		if c.hasTie {
			tie = c.tie.At(n)
		}
		same := g.open && micros == g.micros && bytes.Equal(digest, g.digest) && (!e.keyOrder || bytes.Equal(tie, g.tie))
		if !same {
			*g = rowGroup{open: true, micros: micros, digest: digest, tie: tie}
			var before int64
			if c.hasCounters {
				before = c.before[n]
			}
			if err := e.countAlreadySent(ctx, before); err != nil || e.unclearFrom != nil {
				return err
			}
		}
		times := int64(1)
		if c.hasCounters {
			times = c.times[n]
		}
		e.currentBatch().rowsRead++
		if e.countTimes {
			e.currentBatch().rowsRead += times - 1
		}
		for range times {
			if err := e.addRow(ctx, c, n, tie); err != nil || e.limitReached {
				return err
			}
		}
	}
	return nil
}

// countAlreadySent looks up how many rows of a new group were sent. before is
// how many the previous version has.
func (e *emitter) countAlreadySent(ctx context.Context, before int64) error {
	g := &e.group
	g.alreadySent = before
	if e.sentBefore == nil || g.micros > e.sentThrough {
		return nil
	}
	row := store.SentRow{Micros: g.micros}
	if !row.SetDigest(g.digest) {
		return malformedDigest(g.digest)
	}
	if e.added != nil {
		return e.countAdded(ctx, row)
	}
	remembered, err := e.sentBefore.times(ctx, row)
	if err != nil {
		return err
	}
	g.alreadySent, g.notRemembered = max(before, remembered), max(before-remembered, 0)
	return nil
}

func malformedDigest(digest []byte) error {
	return fmt.Errorf("the warehouse returned %q as the digest of a row, which is no SHA-256", digest)
}

func (e *emitter) addRow(ctx context.Context, c columns, n int, tie []byte) error {
	b, g := e.currentBatch(), &e.group
	g.occurrence++
	if e.skipRows > 0 {
		return e.skipRow()
	}
	if e.aboveWatermark {
		e.cursor.advance(g.micros, g.occurrence)
	}
	if g.occurrence <= g.alreadySent {
		b.rowsKnown++
		return nil
	}
	data := c.row.At(n)
	switch {
	case e.deletes:
		var err error
		if data, err = deletedEvent(data, c.recorded[n]); err != nil {
			return err
		}
		e.ids.appendChange("deleted", e.base, 0, g.digest, tie, g.occurrence)
		e.cursor.countDelete()
	case g.changed:
		e.ids.appendChange("added", e.base, g.micros, g.digest, tie, g.occurrence)
	default:
		e.ids.append(g.micros, g.digest, tie, g.occurrence)
	}
	event := jobs.Event{Time: time.UnixMicro(c.recorded[n]).UTC(), Data: data}
	if len(data) > maxEventBytes {
		event.Data = nil
		b.addTooLong(event, tie, len(data))
	} else {
		b.bytes += int64(len(data))
	}
	b.events = append(b.events, event)
	if !e.deletes {
		if err := e.remember(b); err != nil {
			return err
		}
	}
	e.cursor.countSent()
	e.limitReached = e.imp.limit >= 0 && e.cursor.Sent >= e.imp.limit
	if e.limitReached || len(b.events) >= e.imp.batchEvents() || b.bytes >= maxBatchBytes {
		return e.flush(ctx)
	}
	return nil
}

// skipRow skips a row that an earlier attempt read, and checks that the query
// repeats the rows of the position.
func (e *emitter) skipRow() error {
	e.skipRows--
	p := e.cursor.Pinned.Position
	if e.deletes || e.group.micros == p.Micros && (p.Digest == "" || p.Digest == string(e.group.digest)) {
		return nil
	}
	return &jobs.Error{Code: jobs.CodeFailed, Summary: "The snapshot is not as it was when this run was interrupted",
		Detail: fmt.Sprintf("It should have %d more rows at %s.", e.skipRows+1, formatMicros(p.Micros)), Next: "Run the job again"}
}

func formatMicros(micros int64) string {
	if micros == store.NullMicros {
		return "NULL"
	}
	return time.UnixMicro(micros).UTC().Format("2006-01-02 15:04:05.999999")
}

// remember adds a row that is sent to the rows that the batch remembers.
func (e *emitter) remember(b *eventBatch) error {
	g := &e.group
	times := 1 + g.notRemembered
	g.notRemembered = 0
	if g.inBatch {
		b.remember[len(b.remember)-1].Times += times
		return nil
	}
	row := store.SentRow{Micros: g.micros, Times: times}
	if !row.SetDigest(g.digest) {
		return malformedDigest(g.digest)
	}
	b.remember, g.inBatch = append(b.remember, row), true
	return nil
}

func (e *emitter) currentBatch() *eventBatch {
	if e.batch == nil {
		e.batch = &eventBatch{events: make([]jobs.Event, 0, min(e.imp.batchEvents(), maxBatchEvents))}
	}
	return e.batch
}

// flush commits the batch, full or not.
func (e *emitter) flush(ctx context.Context) error {
	b := e.batch
	if b == nil {
		return nil
	}
	e.batch, e.group.inBatch = nil, false
	ids := e.ids.take()
	for k := range b.events {
		b.events[k].ID = ids[k*eventIDLength : (k+1)*eventIDLength]
	}
	b.rejectTooLong()
	if e.aboveWatermark {
		e.trim(b)
	}
	if len(b.remember) > 0 {
		b.remember = inDigestOrder(b.remember, e.keyOrder)
		e.cursor.remember(1)
	}
	b.cursor = e.committedCursor()
	return e.commit(ctx, b)
}

// committedCursor is a copy of the cursor that later rows do not change. Its
// position names the digest of the last row, where digests order the rows.
func (e *emitter) committedCursor() Cursor {
	c := e.cursor.clone()
	if p := c.Pinned.Position; p != nil && e.aboveWatermark {
		p.Digest = ""
		if !e.keyOrder {
			p.Digest = string(e.group.digest)
		}
	}
	return c
}

// trim leaves out rows that the lookback does not reach, and has the store forget
// older ones from time to time.
func (e *emitter) trim(b *eventBatch) {
	reached := e.cursor.Pinned.Reached
	if reached == nil {
		return
	}
	// The watermark of a run that does not finish is just before what it reached.
	oldest := subtractMicros(*reached, e.imp.lookback()+1)
	e.cursor.forgetBefore(oldest)
	first := slices.IndexFunc(b.remember, func(r store.SentRow) bool { return r.Micros >= oldest })
	if first < 0 {
		first = len(b.remember)
	}
	b.remember = b.remember[first:]
	if e.trimmed++; e.trimmed%forgetEvery != 0 {
		return
	}
	b.forgetBefore = &oldest
}
