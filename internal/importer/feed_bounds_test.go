package importer

import "github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"

// mostSent is how often each row may have been sent: as often as it was in one of the
// snapshots. A row below the lookback is not remembered: the feed shows that it was
// added, and it is sent again each time that it comes back.
func (s *scenario) mostSent() map[fakeRow]int64 {
	most, added, before := map[fakeRow]int64{}, map[fakeRow]int64{}, map[fakeRow]int64{}
	for _, p := range s.table.pinned {
		now := countEqual(p.rows)
		for r, n := range now {
			most[r] = max(most[r], n)
			added[r] += max(n-before[r], 0)
		}
		before = now
	}
	c, err := ReadCursor(s.ctx, s.db, s.imp.Key)
	if err != nil {
		s.t.Fatal(err)
	}
	for r := range most {
		if c != nil && c.Watermark != nil && r.micros != store.NullMicros && r.micros < *c.Watermark-lookback && s.table.feedEverRead {
			most[r] = added[r]
		}
	}
	return most
}

// requireAdded adds the rows that the feed has since a version, whatever their age.
func (s *scenario) requireAdded(since int64, from *int64) {
	pinned, then := s.table.pinned[len(s.table.pinned)-1], countEqual(s.table.versions[since])
	for r, n := range countEqual(pinned.rows) {
		if then[r] == 0 && r.micros != store.NullMicros && r.micros <= pinned.clock && (from == nil || r.micros >= *from) {
			s.required[r] = max(s.required[r], n)
		}
	}
}
