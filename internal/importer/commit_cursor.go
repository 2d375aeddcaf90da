package importer

import (
	"context"
	"slices"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// Fence fails, inside a transaction, when another process has taken the run
// over: store.ErrFenced rolls the transaction back.
type Fence func(tx *store.Tx) error

// CursorStore keeps the documents of cursors and the rows that were sent.
// *store.DB is one.
type CursorStore interface {
	// CursorDocument gives the document of a key; nil when there is none.
	CursorDocument(ctx context.Context, key string) ([]byte, error)
	// WatermarkTies gives the rows beside a document of version 1.
	WatermarkTies(ctx context.Context, key string, micros int64) ([]store.SentRow, error)
	// SentPages lists the pages of remembered rows that overlap a range of
	// timestamps, inclusive, in the order of their first row.
	SentPages(ctx context.Context, key string, from, to int64) ([]store.SentPage, error)
	SentRows(ctx context.Context, key string, page store.SentPage) ([]store.SentRow, error)
	// Write runs f in a transaction, again if others were in its way.
	Write(ctx context.Context, f func(tx *store.Tx) error) error
}

// cursorChange is a new cursor and what changes with it in the same transaction.
type cursorChange struct {
	cursor Cursor
	// remember are pages of rows that were sent, each in the order of timestamp
	// and digest. The last one gets the number cursor.Pages.
	remember [][]store.SentRow
	// forgetBefore removes the pages that end before a timestamp; forgetAll
	// removes all of them.
	forgetBefore *int64
	forgetAll    bool
	// rejected are rows that no event can hold. They go into quarantine.
	rejected []jobs.RejectedEvent
	// dropWatermarkTies removes what a document of version 1 had beside it.
	dropWatermarkTies bool
}

// commitCursor returns the part of a transaction that writes the import's cursor,
// and the rows before it that were rejected. It is the only code that writes the
// cursor, and it asks the fence first: a process that lost the run must not move the
// cursor of the process that executes the run now.
func (i *Import) commitCursor(ctx context.Context, c cursorChange) func(tx *store.Tx, rejected []jobs.RejectedEvent) error {
	return func(tx *store.Tx, rejected []jobs.RejectedEvent) error {
		if err := i.Fence(tx); err != nil {
			return err
		}
		if all := slices.Concat(c.rejected, i.withKeys(rejected)); len(all) > 0 {
			if err := i.Quarantine.Add(ctx, tx, all); err != nil {
				return err
			}
		}
		if c.forgetAll {
			if err := store.ForgetAllSent(ctx, tx, i.Key); err != nil {
				return err
			}
		}
		if c.dropWatermarkTies {
			if err := store.DropWatermarkTies(ctx, tx, i.Key); err != nil {
				return err
			}
		}
		first := c.cursor.Pages - int64(len(c.remember)) + 1
		for n, page := range c.remember {
			if err := store.AddSent(ctx, tx, i.Key, first+int64(n), page); err != nil {
				return err
			}
		}
		if c.forgetBefore != nil {
			if err := store.ForgetSent(ctx, tx, i.Key, *c.forgetBefore); err != nil {
				return err
			}
		}
		document, err := encodeCursor(c.cursor)
		if err != nil {
			return err
		}
		return store.PutCursorDocument(ctx, tx, i.Key, document)
	}
}

// writeCursor commits a change that goes with no events.
func (i *Import) writeCursor(ctx context.Context, c cursorChange) error {
	commit := i.commitCursor(ctx, c)
	return i.Cursors.Write(ctx, func(tx *store.Tx) error { return commit(tx, nil) })
}
