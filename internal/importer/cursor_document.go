package importer

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// cursorVersion is the version of the documents that this release writes. The
// JSON keys of Cursor are part of it: stores hold documents of earlier releases.
const cursorVersion = 2

// maxPageRows is how many remembered rows an upgrade puts into one page.
const maxPageRows = 10_000

// storedCursor is a cursor as it was read.
type storedCursor struct {
	Cursor
	// upgrade is nil for a document of this release's version; otherwise it is
	// the change that brings the store to it.
	upgrade *cursorChange
}

// ReadCursor reads the cursor of an import's key; nil when the import never ran.
// A document of an earlier version is read as this release would write it.
func ReadCursor(ctx context.Context, s CursorStore, key string) (*Cursor, error) {
	stored, err := readCursor(ctx, s, key)
	if stored == nil || err != nil {
		return nil, err
	}
	return &stored.Cursor, nil
}

func readCursor(ctx context.Context, s CursorStore, key string) (*storedCursor, error) {
	document, err := s.CursorDocument(ctx, key)
	if document == nil || err != nil {
		return nil, err
	}
	c, err := decodeCursor(key, document)
	if err != nil {
		return nil, err
	}
	if c.Version == cursorVersion {
		c.completePages()
		return &storedCursor{Cursor: c}, nil
	}
	return upgradeVersion1(ctx, s, key, c)
}

// completePages adds what a release that did not read changes left out: after its last
// run finished, no row was sent.
func (c *Cursor) completePages() {
	if l := c.LastCompared; l != nil && l.Pages == nil && c.Pinned == nil {
		completed, pages := *l, c.Pages
		completed.Pages = &pages
		c.LastCompared = &completed
	}
}

func decodeCursor(key string, document []byte) (c Cursor, err error) {
	if err := json.Unmarshal(document, &c); err != nil {
		return c, unreadableCursor(key, err)
	}
	if c.Version < 1 || c.Version > cursorVersion {
		return c, unreadableCursor(key, fmt.Errorf("the document has version %d, and this release reads the versions 1 to %d",
			c.Version, cursorVersion))
	}
	return c, nil
}

func encodeCursor(c Cursor) ([]byte, error) {
	c.Version = cursorVersion
	return json.Marshal(c)
}

func unreadableCursor(key string, err error) error {
	return &jobs.Error{
		Code: jobs.CodeStore, Summary: fmt.Sprintf("The stored cursor of the import %q cannot be read", key), Detail: err.Error(),
		Next: "Use the release that wrote it, or restore the store from a backup; nothing was changed", Err: err,
	}
}

// upgradeVersion1 upgrades a document of version 1. Its watermark moved with
// each batch, and a table of its own held the rows sent at the watermark: they
// become remembered rows. What was sent below the watermark is not known, so
// the generation begins at the watermark.
func upgradeVersion1(ctx context.Context, s CursorStore, key string, c Cursor) (*storedCursor, error) {
	c.Version, c.Pinned = cursorVersion, nil
	change := cursorChange{dropWatermarkTies: true}
	if w := c.Watermark; w != nil {
		c.From, c.RememberedFrom = w, w
		ties, err := s.WatermarkTies(ctx, key, *w)
		if err != nil {
			return nil, err
		}
		change.remember = slices.Collect(slices.Chunk(ties, maxPageRows))
		c.remember(len(change.remember))
	}
	change.cursor = c
	return &storedCursor{Cursor: c, upgrade: &change}, nil
}
