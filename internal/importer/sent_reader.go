package importer

import (
	"context"
	"slices"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// sentReader looks up how often rows were sent before. Rows have to be asked for
// in the order of timestamp and digest: only the pages around the current row are
// in memory.
type sentReader struct {
	imp *Import
	// pages are those that were not read yet.
	pages []store.SentPage
	open  []openPage
}

// openPage is a page in memory, from the current row on.
type openPage struct {
	number int64
	rows   []store.SentRow
	last   store.SentRow
}

// sentBetween prepares the lookup of the rows sent in a range of timestamps,
// inclusive.
func (i *Import) sentBetween(ctx context.Context, from, to int64) (*sentReader, error) {
	pages, err := i.Cursors.SentPages(ctx, i.Key, from, to)
	return &sentReader{imp: i, pages: pages}, err
}

// times returns how often a row was sent.
func (s *sentReader) times(ctx context.Context, row store.SentRow) (int64, error) {
	earlier, later, err := s.timesAround(ctx, row, 0)
	return earlier + later, err
}

// timesAround returns how often a row was sent in the pages up to one, and in the
// pages after it.
func (s *sentReader) timesAround(ctx context.Context, row store.SentRow, number int64) (earlier, later int64, err error) {
	for len(s.pages) > 0 && s.pages[0].First.Compare(row) <= 0 {
		page := s.pages[0]
		s.pages = s.pages[1:]
		if page.Last.Compare(row) < 0 {
			continue
		}
		rows, err := s.imp.Cursors.SentRows(ctx, s.imp.Key, page)
		if err != nil {
			return 0, 0, err
		}
		s.open = append(s.open, openPage{page.Page, rows, page.Last})
	}
	s.open = slices.DeleteFunc(s.open, func(p openPage) bool { return p.last.Compare(row) < 0 })
	for i := range s.open {
		p := &s.open[i]
		at, found := slices.BinarySearchFunc(p.rows, row, store.SentRow.Compare)
		p.rows = p.rows[at:]
		switch {
		case !found:
		case p.number > number:
			later += p.rows[0].Times
		default:
			earlier += p.rows[0].Times
		}
	}
	return earlier, later, nil
}
