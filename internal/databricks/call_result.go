package databricks

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks/arrowipc"
)

// resultShape is what the answers of a call have said about its result.
type resultShape struct {
	// columns is the number of columns; -1 before it is known.
	columns int
	// schema is that of the result's Arrow batches; nil before it is known.
	schema *arrowipc.Schema
	// lz4 is whether its batches and files are compressed.
	lz4 bool
	// unread are parts of the first page, which came before the schema.
	unread []part
	bytes  []byte
	// next is the row that the driver expects next; idle counts the pages in succession
	// that did not have it.
	next int64
	idle int
}

var errNoSchema = errors.New("the result has Arrow batches, and no Arrow schema")

// accept checks the answer to a method against the answers before it, with its batches. body
// is the answer.
func (c *call) accept(method string, r reply, body []byte) error {
	if r.failure != "" {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range r.metadata {
		if err := c.describe(m); err != nil {
			return err
		}
	}
	switch {
	case r.page == nil:
		return nil
	case method == "FetchResults" && c.passThrough && !r.page.described:
		return errors.New("it does not describe its rows") // the driver's streams need it
	}
	return c.acceptPage(r.page, body)
}

// describe compares the description of the result with the ones before it.
func (c *call) describe(m metadata) error {
	if m.described {
		if c.shape.columns >= 0 && c.shape.columns != len(m.types) {
			return fmt.Errorf("its result has %d columns, and had %d before", len(m.types), c.shape.columns)
		}
		c.shape.columns = len(m.types)
	} else if c.reads {
		return errors.New("it does not describe the columns of the result")
	}
	if m.tellsLZ4 && m.format != formatColumns {
		if c.shape.schema != nil && c.shape.lz4 != m.lz4 {
			return errors.New("its result is compressed, and was not before, or the other way round")
		}
		c.shape.lz4 = m.lz4
	}
	if m.format == formatColumns || m.arrow == nil {
		if c.shape.unread != nil {
			return errNoSchema
		}
		return nil
	}
	schema, err := arrowipc.ReadSchema(m.arrow)
	if err != nil {
		return err
	}
	if m.described && schema.Columns() != len(m.types) {
		return fmt.Errorf("its Arrow schema has %d columns, and the result has %d", schema.Columns(), len(m.types))
	}
	if c.shape.schema != nil && !c.shape.schema.SameTypes(schema) {
		return errors.New("the types of its columns differ from those of the answers before it")
	}
	c.shape.schema = schema
	unread, content := c.shape.unread, c.shape.bytes
	c.shape.unread, c.shape.bytes = nil, nil
	return c.checkParts(unread, content)
}

func (c *call) acceptPage(p *page, body []byte) error {
	if p.wanted = c.advance(p); !p.wanted && c.shape.idle > maxIdlePages {
		return fmt.Errorf("it is page %d in succession without row %d, which comes next", c.shape.idle, c.shape.next)
	}
	if n := len(p.columns); p.forms > 0 && len(p.parts) == 0 && p.rows > 0 && c.shape.columns >= 0 && n != c.shape.columns {
		return fmt.Errorf("it has %d columns, and the result has %d", n, c.shape.columns)
	}
	if c.shape.schema == nil && len(p.parts) > 0 && p.parts[0].inline {
		// The driver asks for the description before it reads a batch.
		if c.shape.unread != nil || c.shape.columns >= 0 {
			return errNoSchema
		}
		c.shape.unread, c.shape.bytes = p.parts, bytes.Clone(body)
		return nil
	}
	return c.checkParts(p.parts, body)
}

// advance reports whether a page has the row that the driver expects next.
func (c *call) advance(p *page) bool {
	if p.start > c.shape.next || c.shape.next >= p.start+p.rows {
		c.shape.idle++
		return false
	}
	c.shape.next, c.shape.idle = p.start+p.rows, 0
	return true
}

// checkParts inflates and checks the Arrow batches of a page.
func (c *call) checkParts(parts []part, body []byte) error {
	if err := c.inflate(parts, body); err != nil {
		return err
	}
	for i, one := range parts {
		if !one.inline {
			continue
		}
		content := body[one.from:one.to]
		if one.inflated != nil {
			content = one.inflated.Bytes()
		}
		records, err := c.shape.schema.ReadBatches(content)
		if err != nil {
			return fmt.Errorf("part %d, %w", i+1, err)
		}
		if n := rowsOf(records); n != one.rows {
			return fmt.Errorf("part %d has %d rows, and declares %d", i+1, n, one.rows)
		}
	}
	return nil
}

func rowsOf(records []arrowipc.Record) (n int64) {
	for _, r := range records {
		n += int64(r.Rows)
	}
	return n
}

// acceptFile checks a file of the result, which has at least the rows that its link declares.
func (c *call) acceptFile(rows int64, content []byte) error {
	schema, records, err := arrowipc.ReadStream(content)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch n := rowsOf(records); {
	case n < rows:
		return fmt.Errorf("it has %d rows, and its link declares %d", n, rows)
	case c.shape.schema != nil && !c.shape.schema.SameTypes(schema):
		return errors.New("the types of its columns differ from those of the result")
	case c.shape.schema == nil && c.shape.columns >= 0 && c.shape.columns != schema.Columns():
		return fmt.Errorf("it has %d columns, and the result has %d", schema.Columns(), c.shape.columns)
	}
	return nil
}
