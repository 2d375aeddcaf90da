package databricks

import (
	"errors"
	"fmt"
	"math"
)

// The driver believes every answer. A missing type descriptor is a nil dereference in it, and
// a wrong count in a batch is a wrong result or an allocation without a bound. So the
// transport passes it an answer only if all that the driver relies on is there: parseReply
// checks the structure of the message, check its content, and call.accept what it says about
// the result, with the answers before it.

// formatColumns is the number of the result format with Thrift's columns.
const formatColumns = 1

const (
	// maxColumns limits the columns of a result, because readers need memory for each
	// column and row. Databricks' tables have at most a few thousand.
	maxColumns = 10_000
	// maxLinks limits the addresses of files in a page, in bytes. A page has as many links
	// as files of pageBytes hold its rows, with about a kilobyte each.
	maxLinks = 16 << 20
	// maxIdlePages limits the pages in succession that bring none of the rows that are
	// expected next. The driver requests pages until one has them.
	maxIdlePages = 100
)

// check checks the content of the answer to a method. lz4 is whether the statement offered to
// read LZ4. It does not read the batches.
func (r *reply) check(method string, lz4 bool) error {
	if r.failure != "" {
		return nil // the driver reads the error only
	}
	switch {
	case (method == "ExecuteStatement" || method == "OpenSession") && len(r.guid) != 16:
		return fmt.Errorf("its handle has an id of %d bytes instead of 16", len(r.guid))
	case method == "GetOperationStatus" && r.state < 0:
		return errors.New("it does not tell the state of the statement")
	case method == "FetchResults" && !r.page.there:
		return errors.New("it has no rows, not even an empty set of them")
	}
	for _, m := range r.metadata {
		if err := m.check(lz4); err != nil {
			return err
		}
	}
	if r.page != nil {
		return r.page.check()
	}
	return nil
}

func (m metadata) check(lz4 bool) error {
	switch {
	case m.filesystem:
		return errors.New("it asks for files of this machine")
	case m.lz4 && !lz4:
		return errors.New("its result is compressed with LZ4, which this client did not offer to read")
	case m.format < 0 || m.format > 3:
		return fmt.Errorf("its result has the unknown format %d", m.format)
	case len(m.types) > maxColumns:
		return fmt.Errorf("its result has %d columns; at most %d are read", len(m.types), maxColumns)
	}
	for i, id := range m.types {
		if !knownType(id) {
			return fmt.Errorf("column %d of its result has no type that is known", i+1)
		}
	}
	return nil
}

// knownType reports whether the driver knows a TTypeId.
func knownType(id int64) bool { return id >= 0 && id <= 21 }

func (p *page) check() error {
	if p.forms > 1 {
		return errors.New("it has rows in more than one form")
	}
	if p.start < 0 || p.rows < 0 || p.start > math.MaxInt64-p.rows {
		return fmt.Errorf("it has %d rows from row %d", p.rows, p.start)
	}
	for i, c := range p.columns {
		switch {
		case c.lists != 1:
			return fmt.Errorf("column %d has %d lists of values instead of one", i+1, c.lists)
		case c.values != p.rows:
			return fmt.Errorf("column %d has %d values, and column 1 has %d", i+1, c.values, p.rows)
		case int64(c.nulls) > c.values/8+1:
			// Fewer bytes are no error: servers leave out those without a bit.
			return fmt.Errorf("column %d has %d values, and %d bytes tell which are NULL", i+1, c.values, c.nulls)
		}
	}
	next, links := p.start, 0
	for i, one := range p.parts {
		if links += len(one.link); links > maxLinks {
			return fmt.Errorf("it has more than %d MiB of links to files", maxLinks>>20)
		}
		if one.rows < 0 || one.rows > math.MaxInt64-next {
			return fmt.Errorf("part %d has %d rows", i+1, one.rows)
		}
		if !one.inline && one.start != next {
			return fmt.Errorf("the file of part %d begins at row %d instead of %d", i+1, one.start, next)
		}
		next += one.rows
	}
	if next != p.start+p.rows && len(p.parts) > 0 {
		return errors.New("its counts of rows are too large") // their sum overflowed
	}
	return nil
}
