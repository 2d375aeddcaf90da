package importer

import (
	"context"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// addedRows is what tells the late rows in a range of changes from those that were
// sent.
type addedRows struct {
	// pages is the number of the last page of rows that were sent up to the version after
	// which the changes begin.
	pages int64
	// rememberedFrom is the first timestamp whose rows are all remembered.
	rememberedFrom int64
	// deletesSent is set if an event told of each deleted row: one that comes back is
	// sent again.
	deletesSent bool
}

// countAdded looks up how many of the rows that were added were sent since. A row that
// was sent earlier may be there still, or come back after it was deleted: both versions
// of the table tell.
func (e *emitter) countAdded(ctx context.Context, row store.SentRow) error {
	g, a := &e.group, e.added
	earlier, since, err := e.sentBefore.timesAround(ctx, row, a.pages)
	if err != nil {
		return err
	}
	remembered := g.micros >= a.rememberedFrom
	if remembered && earlier > 0 && !a.deletesSent {
		from := g.micros
		e.unclearFrom = &from
		return nil
	}
	g.alreadySent, g.changed = since, !remembered || earlier > 0
	return nil
}
