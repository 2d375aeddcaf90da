package importer

import (
	"context"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// Watermark tells up to which timestamp an import has sent its rows, so that another
// executor can continue from there; nil before the first row. Rows that a run which
// did not finish has sent count.
func Watermark(ctx context.Context, s CursorStore, key string) (*time.Time, error) {
	cursor, err := ReadCursor(ctx, s, key)
	if cursor == nil || err != nil {
		return nil, err
	}
	return cursor.sentUpTo(), nil
}

// WatermarkOf is Watermark of the document of a cursor that was read before.
func WatermarkOf(key string, document []byte) (*time.Time, error) {
	c, err := decodeCursor(key, document)
	if err != nil {
		return nil, err
	}
	return c.sentUpTo(), nil
}

func (c *Cursor) sentUpTo() *time.Time {
	copied := c.clone()
	if p := copied.Pinned; p != nil && p.Reached != nil {
		copied.advanceWatermark(*p.Reached)
	}
	if copied.Watermark == nil {
		return nil
	}
	at := time.UnixMicro(*copied.Watermark).UTC()
	return &at
}

// RestartAfter begins a new generation of an import that another executor continued
// in the meantime: the next run reads the rows after since. An import that never ran
// has no cursor, and begins at its definition's since anyway.
func RestartAfter(ctx context.Context, s CursorStore, key, fullRefresh string, since time.Time) error {
	cursor, err := ReadCursor(ctx, s, key)
	if cursor == nil || err != nil {
		return err
	}
	from := since.UnixMicro() + 1
	cursor.beginGeneration(fullRefresh, &from)
	i := Import{Key: key, Cursors: s, Fence: func(*store.Tx) error { return nil }}
	return i.writeCursor(ctx, cursorChange{cursor: *cursor, forgetAll: true, dropWatermarkTies: true})
}
