package importer

import (
	"context"
	"slices"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// sentReader tells how often rows were sent before. It is asked in the order of
// timestamp and digest, and holds only the pages around the place it is at.
type sentReader struct {
	i     *Import
	pages []store.SentPage
	open  []openPage
}

type openPage struct {
	rows []store.SentRow
	last store.SentRow
}

// sentBetween reads what was remembered of a range of timestamps.
func (i *Import) sentBetween(ctx context.Context, from, to int64) (*sentReader, error) {
	pages, err := i.Cursors.SentPages(ctx, i.Key, from, to)
	return &sentReader{i: i, pages: pages}, err
}

// times gives how often a row was sent.
func (s *sentReader) times(ctx context.Context, row store.SentRow) (int64, error) {
	for len(s.pages) > 0 && s.pages[0].First.Compare(row) <= 0 {
		page := s.pages[0]
		s.pages = s.pages[1:]
		if page.Last.Compare(row) < 0 {
			continue
		}
		rows, err := s.i.Cursors.SentRows(ctx, s.i.Key, page)
		if err != nil {
			return 0, err
		}
		s.open = append(s.open, openPage{rows, page.Last})
	}
	var n int64
	s.open = slices.DeleteFunc(s.open, func(p openPage) bool { return p.last.Compare(row) < 0 })
	for i := range s.open {
		p := &s.open[i]
		at, found := slices.BinarySearchFunc(p.rows, row, store.SentRow.Compare)
		p.rows = p.rows[at:]
		if found {
			n += p.rows[0].Times
		}
	}
	return n, nil
}
