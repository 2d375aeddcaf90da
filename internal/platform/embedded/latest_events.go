package embedded

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// LatestEvents returns the newest events of a stream, at most n, the newest first. It
// reads no more than the extents that have them.
func (p *Platform) LatestEvents(ctx context.Context, stream string, n int) ([]jobs.Event, error) {
	return p.LatestEventsOf(ctx, stream, n, n, func(jobs.Event) bool { return true })
}

// LatestEventsOf returns those of the newest events of a stream that belong, at most n, the
// newest first. It looks at the newest among events, and at those that share an extent with
// one of them. It keeps no event that does not belong.
func (p *Platform) LatestEventsOf(ctx context.Context, stream string, among, n int, belongs func(jobs.Event) bool) ([]jobs.Event, error) {
	r, err := p.readStream(ctx, stream)
	if err != nil {
		return nil, err
	}
	defer r.close()
	first, err := p.extentBefore(ctx, stream, int64(among))
	if err != nil {
		return nil, err
	}
	r.at = position{extent: first - 1}
	var out []jobs.Event
	for {
		e, err := r.next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		event := jobs.Event{ID: e.id, Time: time.UnixMicro(e.micros).UTC(), Data: []byte(e.data)}
		if !belongs(event) {
			continue
		}
		if len(out) >= 2*n { // an extent may have many more events
			out = slices.Delete(out, 0, len(out)-n)
		}
		event.ID = strings.Clone(e.id)
		out = append(out, event)
	}
	slices.Reverse(out)
	return out[:min(len(out), n)], nil
}

// extentBefore returns the id of the newest extent of a stream that has, with those
// after it, at least n events; or that of the oldest extent.
func (p *Platform) extentBefore(ctx context.Context, stream string, n int64) (id int64, err error) {
	rows, err := p.db.Read().QueryContext(ctx, `SELECT id, events FROM extents WHERE stream = ? ORDER BY id DESC`, stream)
	if err != nil {
		return 0, p.storageError("Cannot read stream "+stream, err)
	}
	defer func() { _ = rows.Close() }()
	for n > 0 && rows.Next() {
		var events int64
		if err := rows.Scan(&id, &events); err != nil {
			return 0, p.storageError("Cannot read stream "+stream, err)
		}
		n -= events
	}
	if err := rows.Err(); err != nil {
		return 0, p.storageError("Cannot read stream "+stream, err)
	}
	return id, nil
}
