package embedded

import (
	"context"
)

// undecidedSegment is a segment whose last bytes belong to a failed commit, which may
// yet turn out to be committed (store.ErrUndecided). It is not appended to.
type undecidedSegment struct {
	file segmentFile
	name string
}

// keepUndecided keeps the bytes of the failed commit, and ends the segment.
func (a *appender) keepUndecided() {
	a.undecided = append(a.undecided, undecidedSegment{a.file, a.name})
	a.file = nil
}

// settle frees the space of failed commits. It is called after a later commit, which
// decided them. What it cannot free is left to the sweep of a later process.
func (a *appender) settle(ctx context.Context) {
	for _, u := range a.undecided {
		id, length, err := committed(ctx, a.p.db.Read(), u.name)
		if err == nil && id != 0 {
			_ = u.file.Truncate(length)
		}
		_ = u.file.Close()
		if err == nil && id == 0 {
			_ = a.p.segments.discard(ctx, u.name)
		}
	}
	a.undecided = nil
}
