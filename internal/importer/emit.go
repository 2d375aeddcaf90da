package importer

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// A batch is committed at this many rows or bytes, whichever is first. A commit
// costs a transaction and two syncs, however small it is.
const (
	batchRows  = 50_000
	batchBytes = 8 << 20
)

// commitEvery is how long rows of a slow warehouse wait for a batch to become
// full: progress is seen, and kept, all the while.
const commitEvery = time.Second

// maxEventBytes bounds one event: a larger row fails the run, visibly, rather
// than being cut.
const maxEventBytes = 64 << 20

// unit is what is committed at once.
type unit struct {
	events []jobs.Event
	// sent are the rows to remember, in order.
	sent []store.SentRow
	// forget is the timestamp before which remembered rows are forgotten.
	forget *int64
	cursor store.Cursor

	read, known, bytes int64
}

// emitter turns rows into events, batch by batch. Identical rows are next to
// each other in every order: their events differ by their occurrence.
type emitter struct {
	i      *Import
	ids    *eventIDs
	cursor store.Cursor
	commit func(context.Context, *unit) error

	// main tells rows above the watermark, which move the cursor's position,
	// from those of the window below it.
	main bool
	// byKey tells that key columns break ties before the digest.
	byKey bool
	// sent knows the rows sent before, up to sentTo; nil when there are none.
	sent   *sentReader
	sentTo int64
	// skip rows are behind the position, which is where main is at; reached is
	// the latest timestamp of it that is not of the future.
	skip     int64
	position *store.Position
	reached  *int64

	// The group of identical rows that the last row belongs to: how many were
	// met, how many of them are not to be sent, and by how many those exceed
	// what is remembered.
	open             bool
	micros           int64
	digest, tie      []byte
	occurrence, base int64
	unremembered     int64
	// noted tells that the present unit remembers the group.
	noted bool

	now       *unit
	committed int
	limited   bool
}

// trimEvery is after how many batches what was sent long ago is forgotten.
const trimEvery = 8

// columns are a batch's, by name.
type columns struct {
	micros, recorded    []int64
	digest, row, tie    databricks.Texts
	times, before       []int64
	hasTie, hasCounters bool
}

func (e *emitter) columns(b *databricks.Batch, tie, counters bool) (c columns, err error) {
	c.hasTie, c.hasCounters = tie, counters
	next := 0
	ints := func(to *[]int64) {
		if err == nil {
			*to, err = b.Int64s(next)
			next++
		}
	}
	texts := func(to *databricks.Texts) {
		if err == nil {
			*to, err = b.Texts(next)
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
		err = fmt.Errorf("the warehouse answered the import's query with other types than asked for: %w", err)
	}
	return c, err
}

// add takes the rows of a batch. It returns early when the run's limit is
// reached.
func (e *emitter) add(ctx context.Context, c columns) error {
	for n, micros := range c.micros {
		digest, tie := c.digest.At(n), []byte(nil)
		if c.hasTie {
			tie = c.tie.At(n)
		}
		same := e.open && micros == e.micros && bytes.Equal(digest, e.digest) && (!e.byKey || bytes.Equal(tie, e.tie))
		if !same {
			e.open, e.micros, e.digest, e.tie, e.occurrence = true, micros, digest, tie, 0
			var before int64
			if c.hasCounters {
				before = c.before[n]
			}
			if err := e.begin(ctx, before); err != nil {
				return err
			}
		}
		times := int64(1)
		if c.hasCounters {
			times = c.times[n]
		}
		e.unit().read++
		for range times {
			if err := e.row(ctx, c, n, tie); err != nil || e.limited {
				return err
			}
		}
	}
	return nil
}

// begin looks up how many rows of a group were sent.
func (e *emitter) begin(ctx context.Context, before int64) error {
	e.base, e.unremembered, e.noted = before, 0, false
	if e.sent == nil || e.micros > e.sentTo {
		return nil
	}
	row := store.SentRow{Micros: e.micros}
	if !row.SetDigest(e.digest) {
		return errDigest(e.digest)
	}
	sent, err := e.sent.times(ctx, row)
	if err != nil {
		return err
	}
	e.base, e.unremembered = max(before, sent), max(before-sent, 0)
	return nil
}

func errDigest(digest []byte) error {
	return fmt.Errorf("the warehouse gave %q as the digest of a row", digest)
}

func (e *emitter) row(ctx context.Context, c columns, n int, tie []byte) error {
	u := e.unit()
	e.occurrence++
	if e.skip > 0 {
		e.skip--
		if p := e.position; e.micros != p.Micros || p.Digest != "" && p.Digest != string(e.digest) {
			return &jobs.Error{Code: jobs.CodeFailed, Summary: "The snapshot is not as it was when this run was interrupted",
				Detail: fmt.Sprintf("It should have %d more rows at %s.", e.skip+1, clock(p.Micros)), Next: "Run the job again"}
		}
		return nil
	}
	if e.main {
		e.move()
	}
	if e.occurrence <= e.base {
		u.known++
		return nil
	}
	data := c.row.At(n)
	if len(data) > maxEventBytes {
		return &jobs.Error{
			Code: jobs.CodeFailed, Attribute: "table",
			Summary: fmt.Sprintf("The row with timestamp %s and digest %s is %d bytes as JSON", clock(e.micros), e.digest, len(data)),
			Detail:  fmt.Sprintf("An event is at most %d bytes, and rows are never cut.", maxEventBytes),
			Next:    "Leave the large column out with exclude_columns, or import from a view without it",
		}
	}
	e.ids.append(e.micros, e.digest, tie, e.occurrence)
	u.events = append(u.events, jobs.Event{Time: time.UnixMicro(c.recorded[n]).UTC(), Data: data})
	u.bytes += int64(len(data))
	if err := e.remember(u); err != nil {
		return err
	}
	e.cursor.Sent++
	e.limited = e.i.limit >= 0 && e.cursor.Sent >= e.i.limit
	if e.limited || len(u.events) >= e.i.batchRows() || u.bytes >= batchBytes {
		return e.flush(ctx)
	}
	return nil
}

func clock(micros int64) string {
	if micros == store.NullMicros {
		return "NULL"
	}
	return time.UnixMicro(micros).UTC().Format("2006-01-02 15:04:05.999999")
}

// move puts the position behind the row.
func (e *emitter) move() {
	switch {
	case e.position == nil:
		e.position = &store.Position{Micros: e.micros}
	case e.position.Micros != e.micros:
		*e.position = store.Position{Micros: e.micros}
	}
	e.position.Rows++
	e.position.Same = e.occurrence
	if e.micros <= e.cursor.Pinned.Upper {
		if e.reached == nil {
			e.reached = new(int64)
		}
		*e.reached = e.micros
	}
}

// remember notes a row as sent.
func (e *emitter) remember(u *unit) error {
	times := 1 + e.unremembered
	e.unremembered = 0
	if e.noted {
		u.sent[len(u.sent)-1].Times += times
		return nil
	}
	row := store.SentRow{Micros: e.micros, Times: times}
	if !row.SetDigest(e.digest) {
		return errDigest(e.digest)
	}
	u.sent, e.noted = append(u.sent, row), true
	return nil
}

func (e *emitter) unit() *unit {
	if e.now == nil {
		e.now = &unit{events: make([]jobs.Event, 0, min(e.i.batchRows(), batchRows))}
	}
	return e.now
}

// flush commits what was taken so far.
func (e *emitter) flush(ctx context.Context) error {
	u := e.now
	if u == nil {
		return nil
	}
	e.now, e.noted = nil, false
	ids := e.ids.take()
	for k := range u.events {
		u.events[k].ID = ids[k*eventIDLength : (k+1)*eventIDLength]
	}
	if e.main {
		e.trim(u)
	}
	if len(u.sent) > 0 {
		u.sent = ordered(u.sent, e.byKey)
		e.cursor.Pages++
	}
	e.snapshot(u)
	return e.commit(ctx, u)
}

// snapshot copies the cursor, which goes on changing, into the unit.
func (e *emitter) snapshot(u *unit) {
	u.cursor = e.cursor
	if e.cursor.Pinned == nil {
		return
	}
	pinned := *e.cursor.Pinned
	if e.position != nil {
		position := *e.position
		position.Digest = ""
		if e.main && !e.byKey {
			position.Digest = string(e.digest)
		}
		pinned.Position = &position
	}
	if e.reached != nil {
		reached := *e.reached
		pinned.Reached = &reached
	}
	u.cursor.Pinned = &pinned
}

// trim forgets what the lookback no longer reaches.
func (e *emitter) trim(u *unit) {
	if e.reached == nil {
		return
	}
	oldest := minus(*e.reached, e.i.lookback())
	keep := slices.IndexFunc(u.sent, func(r store.SentRow) bool { return r.Micros >= oldest })
	if keep < 0 {
		keep = len(u.sent)
	}
	u.sent = u.sent[keep:]
	if e.committed++; e.committed%trimEvery != 0 {
		return
	}
	u.forget = &oldest
	e.cursor.Known = later(e.cursor.Known, oldest)
}

// later gives the later of a timestamp that may be none and another.
func later(a *int64, b int64) *int64 {
	if a != nil && *a > b {
		return a
	}
	return &b
}

// ordered sorts remembered rows that came in the order of key columns.
func ordered(rows []store.SentRow, byKey bool) []store.SentRow {
	if !byKey {
		return rows
	}
	slices.SortFunc(rows, store.SentRow.Compare)
	out := rows[:1]
	for _, r := range rows[1:] {
		if last := &out[len(out)-1]; last.Compare(r) == 0 {
			last.Times += r.Times
		} else {
			out = append(out, r)
		}
	}
	return out
}

// eventIDLength is that of an id: 128 bits in hexadecimal.
const eventIDLength = 32

// hexadecimal appends the first half of a SHA-256.
func hexadecimal(to []byte, sum [32]byte) []byte { return hex.AppendEncode(to, sum[:16]) }
