package importer

import (
	"math"
	"slices"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// Cursor is how far an import has come. It belongs to the import's key, so that
// it outlives the job. Timestamps are microseconds since 1970, in UTC.
//
// Every change of a cursor is a method of this file. cursor_document.go has the
// document that the store keeps, and commit_cursor.go the only way to write it.
type Cursor struct {
	Version int `json:"version"`
	// Generation counts the full imports of the table, from 1. A full refresh
	// begins the next one.
	Generation int `json:"generation"`
	// FullRefresh is the definition's full_refresh text that began the generation.
	FullRefresh string `json:"full_refresh,omitempty"`
	// DigestColumns are the names of the columns that the digest of a row covers.
	// They are fixed when the generation begins, so that a column that is added
	// later does not send every row again.
	DigestColumns []string `json:"columns"`
	// DigestSignature is the hash of the names and types of the columns that the
	// digests of the remembered rows cover; empty when no digest was computed yet.
	DigestSignature string `json:"digest,omitempty"`
	// From is the first timestamp of the generation; nil means no lower bound.
	// Rows before it are not imported.
	From *int64 `json:"from,omitempty"`
	// Watermark is the timestamp up to which finished snapshots were read,
	// inclusive; nil before the first row.
	Watermark *int64 `json:"watermark,omitempty"`
	// FutureSentThrough is the latest timestamp of the rows that were sent while
	// they were later than the warehouse's clock; nil when there are none above
	// the watermark.
	FutureSentThrough *int64 `json:"ahead,omitempty"`
	// RememberedFrom is the timestamp from which on the store remembers the rows
	// sent; nil means from the beginning.
	RememberedFrom *int64 `json:"known,omitempty"`
	// LastCompared is the snapshot that the last finished run read.
	LastCompared *ComparedSnapshot `json:"last,omitempty"`
	// Pinned is the snapshot of a run that has not finished.
	Pinned *PinnedSnapshot `json:"pinned,omitempty"`
	// Copies are the tables that runs created to read from and that may still
	// exist, as quoted names.
	Copies []string `json:"copies,omitempty"`
	// Sent counts the events of the generation.
	Sent int64 `json:"sent"`
	// Pages is the number of the last page of remembered rows.
	Pages int64 `json:"pages,omitempty"`
}

// ComparedSnapshot is a snapshot whose rows up to the watermark were all sent or
// left out for good.
type ComparedSnapshot struct {
	// TableVersion is nil for a source without versions.
	TableVersion *int64 `json:"table_version,omitempty"`
	// CommittedAt is when the version was committed; 0 if unknown, as in the documents of
	// earlier releases. Another table of this name has another time for the version.
	CommittedAt int64 `json:"committed,omitempty"`
	// Replaced is set, and TableVersion is nil, after another table took the name of the
	// one that the snapshot is of.
	Replaced bool `json:"replaced,omitempty"`
	// Columns is the schema of the snapshot.
	Columns []SourceColumn `json:"columns"`
	// DefinitionHash is that of the definition that the run executed.
	DefinitionHash string `json:"plan"`
	// NullsSent reports whether rows without a timestamp were sent.
	NullsSent bool `json:"nulls,omitempty"`
	// RowsNull counts the rows without a timestamp, RowsFuture those that were
	// later than the warehouse's clock and were left for a later run.
	RowsNull   int64 `json:"rows_null,omitempty"`
	RowsFuture int64 `json:"rows_future,omitempty"`
	// Partial is set when the rows of the snapshot above the watermark were not all
	// sent: the run that read it did not finish.
	Partial bool `json:"partial,omitempty"`
	// Pages is the number of the last page of remembered rows that were sent up to
	// this snapshot. Later pages have rows that were added since. It is nil in the
	// documents of releases that did not read changes.
	Pages *int64 `json:"pages,omitempty"`
}

// SourceColumn is one column of a snapshot's schema.
type SourceColumn struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// PinnedSnapshot is the snapshot that a run reads. It is stored so that another
// attempt reads the same rows.
type PinnedSnapshot struct {
	// TableVersion is the table's version, and Copy the quoted name of the table
	// that a source without versions was copied to. Neither is set for a temporary
	// copy, which ends with its session.
	TableVersion *int64 `json:"table_version,omitempty"`
	Copy         string `json:"copy,omitempty"`
	// CopyDerivable tells which columns of the copy follow from its others. The definition
	// can have changed since the copy was made.
	CopyDerivable derivable `json:"copy_derivable,omitzero"`
	// CommittedAt is when the version was committed; 0 if unknown.
	CommittedAt int64 `json:"committed,omitempty"`
	// Upper is the warehouse's clock when the snapshot was pinned.
	Upper int64 `json:"upper"`
	// Columns is the schema of the snapshot.
	Columns []SourceColumn `json:"columns"`
	// DefinitionHash is that of the definition that the run began with.
	DefinitionHash string `json:"plan"`
	// Changes are the changes that lead to the snapshot; nil when the window below
	// the watermark is compared.
	Changes *PinnedChanges `json:"changes,omitempty"`
	// WindowCompared is set once all rows without a timestamp and all late rows
	// below the watermark were sent.
	WindowCompared bool `json:"compared,omitempty"`
	// Comparable is set with WindowCompared by releases that remember rows down to
	// just below the lookback: a later run can compare with this snapshot, whether it
	// was read to its end or not.
	Comparable bool `json:"comparable,omitempty"`
	// Position is the last row sent above the watermark.
	Position *Position `json:"position,omitempty"`
	// Reached is the latest timestamp that was read and is not later than Upper.
	Reached *int64 `json:"reached,omitempty"`
}

// PinnedChanges are the changes between an earlier version of the table, whose rows
// up to the watermark were all sent, and the pinned one.
type PinnedChanges struct {
	// After is the earlier version, CommittedAt when it was committed (0 if unknown), and
	// Columns its schema.
	After       int64          `json:"after"`
	CommittedAt int64          `json:"committed,omitempty"`
	Columns     []SourceColumn `json:"columns"`
	// Feed is set when the change data feed is read, and not both versions.
	Feed bool `json:"feed,omitempty"`
	// NewRows is set when the rows above the watermark are read from the changes too.
	NewRows bool `json:"new_rows,omitempty"`
	// Pages is the number of the last page of rows that were sent up to the earlier
	// version, and RowsNull how many of its rows have no timestamp.
	Pages    int64 `json:"pages,omitempty"`
	RowsNull int64 `json:"rows_null,omitempty"`
	// DeletesSent counts the events of deleted rows that were sent.
	DeletesSent int64 `json:"deletes_sent,omitempty"`
}

// Position is a place in the order of a snapshot's rows.
type Position struct {
	Micros int64 `json:"micros"`
	// Rows is how many rows of this timestamp were read.
	Rows int64 `json:"rows"`
	// Digest is that of the last row read, and Same is how many rows of this
	// digest were read. Digest is empty while key columns order the rows.
	Digest string `json:"digest,omitempty"`
	Same   int64  `json:"same,omitempty"`
}

// beginGeneration starts the import over: only the copies to drop and the
// numbering of pages are carried on. from is the first timestamp to import; nil
// imports all of them.
func (c *Cursor) beginGeneration(fullRefresh string, from *int64) {
	*c = Cursor{Generation: c.Generation + 1, FullRefresh: fullRefresh, From: from, Copies: c.Copies, Pages: c.Pages}
}

// adoptSchema takes the columns that the digests of a new snapshot cover. Rows
// that were remembered under another signature cannot be recognized any more:
// RememberedFrom moves past them.
func (c *Cursor) adoptSchema(t *table) {
	if c.DigestColumns == nil {
		c.DigestColumns = t.digestColumns()
	}
	signature := t.signature()
	if old := c.DigestSignature; old != "" && old != signature && c.Watermark != nil {
		c.RememberedFrom = laterOf(c.RememberedFrom, *c.Watermark+1)
	}
	c.DigestSignature = signature
}

// pin makes a snapshot the one that the run reads.
func (c *Cursor) pin(p PinnedSnapshot) { c.Pinned = &p }

// releaseSnapshot gives up a pinned snapshot that was not read to its end. What was
// read of it counts. The latest timestamp that was read may have more rows: the
// watermark advances to just before it, and the rows that were sent at it are told
// from the others by the remembered ones, as those of the future are.
func (c *Cursor) releaseSnapshot() {
	p := c.Pinned
	c.Pinned = nil
	if p.Comparable {
		pages := c.Pages
		c.LastCompared = &ComparedSnapshot{TableVersion: p.TableVersion, CommittedAt: p.CommittedAt, Columns: p.Columns,
			DefinitionHash: p.DefinitionHash, Partial: true, Pages: &pages}
		if r := p.Reached; r != nil {
			c.advanceWatermark(*r - 1)
			c.FutureSentThrough = laterOf(c.FutureSentThrough, *r)
		}
	} else if p.Reached != nil { // pinned by an earlier release
		c.advanceWatermark(*p.Reached)
	}
	c.addFutureSent(p)
}

// addFutureSent records the rows of a snapshot that were sent while they were later
// than the warehouse's clock.
func (c *Cursor) addFutureSent(p *PinnedSnapshot) {
	if p.Position != nil && p.Position.Micros > p.Upper {
		c.FutureSentThrough = laterOf(c.FutureSentThrough, p.Position.Micros)
	}
}

// advanceWatermark moves the watermark forward to a timestamp, never back.
func (c *Cursor) advanceWatermark(to int64) { c.Watermark = laterOf(c.Watermark, to) }

// finish ends a run. With a snapshot pinned it releases it and records it as the
// one that the next run compares with.
func (c *Cursor) finish(compared ComparedSnapshot) {
	if p := c.Pinned; p != nil {
		pages := c.Pages
		c.Pinned = nil
		if p.Reached != nil {
			c.advanceWatermark(*p.Reached)
		}
		c.addFutureSent(p)
		compared.TableVersion, compared.CommittedAt = p.TableVersion, p.CommittedAt
		compared.Columns, compared.DefinitionHash, compared.Pages = p.Columns, p.DefinitionHash, &pages
		c.LastCompared = &compared
	}
	if f := c.FutureSentThrough; f != nil && c.Watermark != nil && *f <= *c.Watermark {
		c.FutureSentThrough = nil
	}
}

// advance moves the position past one row above the watermark. occurrence is the
// row's number among the rows of its digest and timestamp, from 1.
func (c *Cursor) advance(micros, occurrence int64) {
	p := c.Pinned
	switch {
	case p.Position == nil:
		p.Position = &Position{Micros: micros}
	case p.Position.Micros != micros:
		*p.Position = Position{Micros: micros}
	}
	p.Position.Rows++
	p.Position.Same = occurrence
	if micros <= p.Upper {
		if p.Reached == nil {
			p.Reached = new(int64)
		}
		*p.Reached = micros
	}
}

// windowCompared records that the rows of the pinned snapshot up to the watermark
// were all sent, or left out for good.
func (c *Cursor) windowCompared() {
	c.Pinned.WindowCompared, c.Pinned.Comparable = true, true
}

// moveCompared records a version that has the same rows as the one that the last run
// read, and when it was committed.
func (c *Cursor) moveCompared(version, committedAt int64) {
	moved := *c.LastCompared
	moved.TableVersion, moved.CommittedAt = &version, committedAt
	c.LastCompared = &moved
}

// leaveTable records that another table has the name of the one that the last run read:
// its version cannot be compared with.
func (c *Cursor) leaveTable() {
	left := *c.LastCompared
	left.TableVersion, left.CommittedAt, left.Replaced = nil, 0, true
	c.LastCompared = &left
}

// countDelete counts one event of a deleted row.
func (c *Cursor) countDelete() { c.Pinned.Changes.DeletesSent++ }

// giveUpFeed reads both versions instead of the feed where whole is set, and compares
// the window otherwise.
func (c *Cursor) giveUpFeed(whole bool) {
	if !whole {
		c.Pinned.Changes = nil
		return
	}
	changes := *c.Pinned.Changes
	changes.Feed, changes.NewRows = false, false
	c.Pinned.Changes = &changes
}

// remember takes the next page number for rows that are sent.
func (c *Cursor) remember(pages int) { c.Pages += int64(pages) }

// forgetBefore records that the rows before a timestamp are not remembered.
func (c *Cursor) forgetBefore(oldest int64) { c.RememberedFrom = laterOf(c.RememberedFrom, oldest) }

// countSent counts one event.
func (c *Cursor) countSent() { c.Sent++ }

// addCopy records a table that is about to be created.
func (c *Cursor) addCopy(name string) { c.Copies = append(slices.Clone(c.Copies), name) }

// removeCopies drops the copies that no snapshot needs from the list, as far as
// drop reports that the table is gone. It reports whether any was.
func (c *Cursor) removeCopies(drop func(name string) bool) bool {
	before := len(c.Copies)
	c.Copies = slices.DeleteFunc(slices.Clone(c.Copies), func(name string) bool {
		if p := c.Pinned; p != nil && p.Copy == name {
			return false
		}
		return drop(name)
	})
	return len(c.Copies) < before
}

// clone copies the cursor and its pinned snapshot, so that advancing the copy
// leaves the original as it is.
func (c *Cursor) clone() Cursor {
	out := *c
	if c.Pinned == nil {
		return out
	}
	pinned := *c.Pinned
	if p := pinned.Position; p != nil {
		position := *p
		pinned.Position = &position
	}
	if r := pinned.Reached; r != nil {
		reached := *r
		pinned.Reached = &reached
	}
	if changes := pinned.Changes; changes != nil {
		copied := *changes
		pinned.Changes = &copied
	}
	out.Pinned = &pinned
	return out
}

// firstUnread is the first timestamp above the watermark.
func (c *Cursor) firstUnread() int64 {
	switch {
	case c.Watermark != nil:
		return *c.Watermark + 1
	case c.From != nil:
		return *c.From
	default:
		return math.MinInt64
	}
}

// window is the range of timestamps at and below the watermark that a run
// compares. Without a previous version it begins where rows are remembered.
// Before the first watermark it is empty: from is above to.
func (c *Cursor) window(lookback int64, hasPrevious bool) slice {
	if c.Watermark == nil {
		return slice{from: math.MaxInt64, to: math.MinInt64}
	}
	from := subtractMicros(*c.Watermark, lookback)
	if c.From != nil {
		from = max(from, *c.From)
	}
	if !hasPrevious && c.RememberedFrom != nil {
		from = max(from, *c.RememberedFrom)
	}
	return slice{from: from, to: *c.Watermark}
}

// laterOf gives the later of two timestamps, the first of which may be nil.
func laterOf(a *int64, b int64) *int64 {
	if a != nil && *a > b {
		return a
	}
	return &b
}

// sentThrough is the latest timestamp of the rows that were sent; nil before the first.
// Above the watermark it has those of the future and those of a run that did not finish.
func (c *Cursor) sentThrough() *int64 {
	if c.Watermark == nil {
		return c.FutureSentThrough
	}
	return laterOf(c.FutureSentThrough, *c.Watermark)
}

// subtractMicros subtracts and stays above store.NullMicros, which is no timestamp.
func subtractMicros(micros, by int64) int64 {
	if out := micros - by; out <= micros && out > store.NullMicros {
		return out
	}
	return store.NullMicros + 1
}
