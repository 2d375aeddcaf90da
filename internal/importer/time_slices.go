package importer

import "context"

// sliceRows is how many rows one ordered query reads at most, unless more of them
// have one timestamp.
const sliceRows = 5_000_000

// buckets is how many ranges one histogram query counts.
const buckets = 4096

// planSlices divides the counted rows into ranges of timestamp, each of which one
// ordered query reads: a sort returns no row before it has read them all, and its
// work is lost with its session. Planning reads the timestamp column only.
func (r *run) planSlices(ctx context.Context, c counts) ([]slice, error) {
	whole := slice{c.first, c.last, c.rows}
	if c.rows <= r.imp.sliceRows() || c.first == c.last {
		return []slice{whole}, nil
	}
	r.imp.Progress.Phase("planning", 0)
	return r.divide(ctx, whole)
}

// divide counts equal ranges of a slice, joins small neighbours and divides large
// ones again.
func (r *run) divide(ctx context.Context, s slice) ([]slice, error) {
	// The difference of two int64 fits into a uint64, and not always into an int64.
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
