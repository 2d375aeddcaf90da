package embedded

import "slices"

// cache keeps profiles in memory from batch to batch.
type cache struct {
	profiles map[int64]*profile
	bytes    int
}

func (c *cache) clear() { c.profiles, c.bytes = map[int64]*profile{}, 0 }

func (c *cache) take(id int64) (*profile, bool) {
	pr, ok := c.profiles[id]
	if ok {
		delete(c.profiles, id)
		c.bytes -= pr.size
	}
	return pr, ok
}

// keep adds a profile. If the cache would exceed the limit, in bytes, it first removes
// all others.
func (c *cache) keep(pr *profile, limit int) {
	if c.bytes+pr.size > limit {
		c.clear()
	}
	if pr.size <= limit {
		c.profiles[pr.id] = pr
		c.bytes += pr.size
	}
}

// recentShare is the part of buildLimits.cachedBytes that recentProfiles takes for a batch.
const recentShare = 4

// recentProfiles keeps the stored forms of the new profiles of the last batch that were
// put together without decoding them, because their users often have more events soon.
type recentProfiles struct {
	last, current encodedProfiles
}

// encodedProfiles are the stored forms of profiles with increasing ids. The form of ids[n]
// begins at starts[n].
type encodedProfiles struct {
	ids    []int64
	starts []int
	blobs  []byte
}

// beginBatch makes the profiles of the current batch those of the last one.
func (p *recentProfiles) beginBatch() {
	p.last, p.current = p.current, p.last
	p.current.ids, p.current.starts, p.current.blobs = p.current.ids[:0], p.current.starts[:0], p.current.blobs[:0]
}

// keep copies a stored profile, unless the profiles would exceed the limit, in bytes.
func (p *recentProfiles) keep(id int64, blob []byte, limit int) {
	c := &p.current
	if len(c.blobs)+len(blob) > limit {
		return
	}
	c.ids, c.starts = append(c.ids, id), append(c.starts, len(c.blobs))
	c.blobs = append(c.blobs, blob...)
}

// get returns the stored form of a new profile of the last batch. It is valid until the
// next batch.
func (p *recentProfiles) get(id int64) ([]byte, bool) {
	l := &p.last
	n, ok := slices.BinarySearch(l.ids, id)
	if !ok {
		return nil, false
	}
	end := len(l.blobs)
	if n+1 < len(l.starts) {
		end = l.starts[n+1]
	}
	return l.blobs[l.starts[n]:end], true
}
