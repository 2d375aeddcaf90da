package egress

import "fmt"

// maxEmptyPages is the number of pages in a row that may have no entry. Unity Catalog
// documents pages without entries; none of the APIs needs many of them.
const maxEmptyPages = 1000

// Pages bounds a list that is read page by page, because a server can name a next page
// without end. A field of 0 is no limit.
type Pages struct {
	// Most limits the number of pages.
	Most int
	// Bytes limits the memory of the entries of all pages.
	Bytes int64

	read, empty int
	bytes       int64
	// mark is an earlier token. A sequence of tokens that repeats itself comes to it
	// again, because it is replaced after 1, 2, 4, 8, ... pages (Brent's cycle
	// detection).
	mark    string
	markAge int
	power   int
}

// PagesError means that a list does not end.
type PagesError struct {
	// Why says what the server did.
	Why string
}

func (e *PagesError) Error() string { return "the list does not end: " + e.Why }

// Next reports a page that was read: the number of its entries, the bytes that are kept of
// them, and the token of the next page, which is empty at the end. The error is a
// *PagesError.
func (p *Pages) Next(token string, entries int, bytes int64) error {
	p.read++
	p.bytes += bytes
	if p.empty++; entries > 0 {
		p.empty = 0
	}
	switch {
	case p.Bytes > 0 && p.bytes > p.Bytes:
		return &PagesError{fmt.Sprintf("its entries need more than %s of memory after %d pages", size(p.Bytes), p.read)}
	case token == "":
		return nil
	case token == p.mark:
		return &PagesError{fmt.Sprintf("after %d pages, the server names a page again that was read before", p.read)}
	case p.Most > 0 && p.read >= p.Most:
		return &PagesError{fmt.Sprintf("it has more than %d pages", p.Most)}
	case p.empty >= maxEmptyPages:
		return &PagesError{fmt.Sprintf("its last %d pages have no entry", p.empty)}
	}
	if p.markAge++; p.markAge > p.power {
		p.mark, p.markAge, p.power = token, 0, max(1, 2*p.power)
	}
	return nil
}
