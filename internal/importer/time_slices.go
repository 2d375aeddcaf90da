package importer

import (
	"context"
)

// sliceRows is how many rows one ordered query reads, unless more of them have
// one timestamp.
const sliceRows = 5_000_000

// buckets is how many ranges one aggregate tells apart.
const buckets = 4096

// slices divides the range of c into ranges that one ordered query each can
// read: a sort blocks, and what was sorted is lost with its session. Only
// timestamps are read for it.
func (r *run) planSlices(ctx context.Context, c counts) ([]slice, error) {
	whole := slice{c.first, c.last, c.rows}
	if c.rows <= r.imp.sliceRows() || c.first == c.last {
		return []slice{whole}, nil
	}
	r.imp.Progress.Phase("planning", 0)
	return r.divide(ctx, whole)
}

func (r *run) divide(ctx context.Context, s slice) ([]slice, error) {
	// As unsigned numbers the difference cannot overflow.
	width := (uint64(s.to)-uint64(s.from))/buckets + 1                     // #nosec G115 -- to is not below from
	found, err := r.src.histogram(ctx, r.snap, s.from, int64(width), s.to) // #nosec G115 -- a 4096th of the range
	if err != nil {
		return nil, err
	}
	var out []slice
	for _, b := range found {
		switch {
		case b.rows > r.imp.sliceRows() && b.from < b.to:
			parts, err := r.divide(ctx, b)
			if err != nil {
				return nil, err
			}
			out = append(out, parts...)
		case len(out) > 0 && out[len(out)-1].rows+b.rows <= r.imp.sliceRows():
			last := &out[len(out)-1]
			last.to, last.rows = b.to, last.rows+b.rows
		default:
			out = append(out, b)
		}
	}
	return out, nil
}
