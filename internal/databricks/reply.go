package databricks

import (
	"errors"
	"fmt"
)

// What the transport needs to know of a Thrift message (binary protocol) is read
// here without copying: the driver decodes the same bytes again in full.

// Thrift's type ids.
const (
	thriftBool   = 2
	thriftByte   = 3
	thriftDouble = 4
	thriftI16    = 6
	thriftI32    = 8
	thriftI64    = 10
	thriftString = 11
	thriftStruct = 12
	thriftMap    = 13
	thriftSet    = 14
	thriftList   = 15
)

const (
	messageException = 3

	statusError         = 3
	statusInvalidHandle = 4
)

// reply is what the transport keeps of an answer.
type reply struct {
	// failure is the text of a Thrift exception or of an error status; empty
	// means the call succeeded.
	failure string
	// guid is the id of the statement that ExecuteStatement started.
	guid []byte
	// page is set when rows came with the answer.
	page *page
	// links are where its rows are, if they are not in the page.
	links []string
}

// page is a part of a result.
type page struct {
	start, rows int64
	more        bool
	parts       []part
}

// part is one Arrow batch of a page, or the link to one.
type part struct {
	rows int64
	// inline tells a batch, which is at these places of the message, behind four
	// bytes of length.
	inline   bool
	from, to int
}

var errShort = errors.New("the message ends early")

// requestMethod gives the name of the RPC that a request calls.
func requestMethod(body []byte) string {
	c := &cursor{b: body}
	c.number(4) // version and kind
	name := c.bytes()
	if c.err != nil {
		return ""
	}
	return string(name)
}

// parseReply reads an answer to a method.
func parseReply(method string, body []byte) (r reply, err error) {
	c := &cursor{b: body, size: len(body)}
	c.number(3) // the protocol's version
	kind := c.u8()
	c.bytes()
	c.number(4) // the sequence number
	if kind == messageException {
		c.fields(func(id int64, kind byte) {
			if id == 1 && kind == thriftString {
				r.failure = string(c.bytes())
				return
			}
			c.skip(kind)
		})
		if r.failure == "" {
			r.failure = "the warehouse answered " + method + " with an exception"
		}
		return r, c.err
	}
	c.fields(func(id int64, kind byte) {
		if id != 0 || kind != thriftStruct {
			c.skip(kind)
			return
		}
		switch method {
		case "ExecuteStatement":
			c.executeStatement(&r)
		case "FetchResults":
			r.page = c.page(&r)
		default:
			c.fields(func(id int64, kind byte) { c.statusOr(&r, id, kind) })
		}
	})
	if c.err != nil {
		return r, fmt.Errorf("reading the answer to %s: %w", method, c.err)
	}
	return r, nil
}

func (c *cursor) executeStatement(r *reply) {
	c.fields(func(id int64, kind byte) {
		switch {
		case id == 2 && kind == thriftStruct: // operationHandle
			c.fields(func(id int64, kind byte) {
				if id != 1 || kind != thriftStruct {
					c.skip(kind)
					return
				}
				c.fields(func(id int64, kind byte) {
					if id == 1 && kind == thriftString {
						r.guid = append([]byte(nil), c.bytes()...)
						return
					}
					c.skip(kind)
				})
			})
		case id == 0x501 && kind == thriftStruct: // directResults
			c.fields(func(id int64, kind byte) {
				if id == 3 && kind == thriftStruct { // resultSet
					r.page = c.page(r)
					return
				}
				c.skip(kind)
			})
		default:
			c.statusOr(r, id, kind)
		}
	})
}

// page reads a TFetchResultsResp.
func (c *cursor) page(r *reply) *page {
	p := &page{}
	c.fields(func(id int64, kind byte) {
		switch {
		case id == 2 && kind == thriftBool:
			p.more = c.u8() != 0
		case id == 3 && kind == thriftStruct:
			c.rowSet(p, r)
		default:
			c.statusOr(r, id, kind)
		}
	})
	return p
}

// rowSet counts rows as the driver does: by the declared counts of Arrow
// batches or links, else by the values of the first column.
func (c *cursor) rowSet(p *page, r *reply) {
	counted := false
	c.fields(func(id int64, kind byte) {
		switch {
		case id == 1 && kind == thriftI64:
			p.start = c.number(8)
		case id == 3 && kind == thriftList: // columns
			c.each(func(byte) {
				c.fields(func(_ int64, kind byte) {
					if kind != thriftStruct {
						c.skip(kind)
						return
					}
					c.fields(func(id int64, kind byte) {
						if id == 1 && kind == thriftList && !counted {
							p.rows, counted = c.peekListSize(), true
						}
						c.skip(kind)
					})
				})
			})
		case id == 0x501 && kind == thriftList: // arrowBatches
			c.arrowBatches(p)
		case id == 0x502 && kind == thriftList: // resultLinks
			c.links(p, r)
		default:
			c.skip(kind)
		}
	})
}

// links reads a list of TSparkArrowResultLink.
func (c *cursor) links(p *page, r *reply) {
	c.each(func(byte) {
		var one part
		c.fields(func(id int64, kind byte) {
			switch {
			case id == 1 && kind == thriftString:
				r.links = append(r.links, string(c.bytes()))
			case id == 4 && kind == thriftI64:
				one.rows = c.number(8)
			default:
				c.skip(kind)
			}
		})
		p.rows += one.rows
		p.parts = append(p.parts, one)
	})
}

// arrowBatches reads a list of TSparkArrowBatch.
func (c *cursor) arrowBatches(p *page) {
	c.each(func(byte) {
		var one part
		c.fields(func(id int64, kind byte) {
			switch {
			case id == 1 && kind == thriftString:
				n := len(c.bytes())
				one.inline, one.to = true, c.size-len(c.b)
				one.from = one.to - n
			case id == 2 && kind == thriftI64:
				one.rows = c.number(8)
			default:
				c.skip(kind)
			}
		})
		p.rows += one.rows
		p.parts = append(p.parts, one)
	})
}

// statusOr reads a TStatus in field 1 and skips every other field.
func (c *cursor) statusOr(r *reply, id int64, kind byte) {
	if id != 1 || kind != thriftStruct {
		c.skip(kind)
		return
	}
	var code int64
	var message, display string
	c.fields(func(id int64, kind byte) {
		switch {
		case id == 1 && kind == thriftI32:
			code = c.number(4)
		case id == 5 && kind == thriftString:
			message = string(c.bytes())
		case id == 6 && kind == thriftString:
			display = string(c.bytes())
		default:
			c.skip(kind)
		}
	})
	if code != statusError && code != statusInvalidHandle {
		return
	}
	switch {
	case message != "":
		r.failure = message
	case display != "":
		r.failure = display
	case code == statusInvalidHandle:
		r.failure = "Invalid OperationHandle"
	default:
		r.failure = "the warehouse answered with an error that has no text"
	}
}

// cursor walks a message. After its first error it reads zeros.
type cursor struct {
	b []byte
	// size is that of the whole message.
	size  int
	err   error
	depth int
}

func (c *cursor) take(n int) []byte {
	if c.err == nil && (n < 0 || n > len(c.b)) {
		c.err = errShort
	}
	if c.err != nil {
		return nil
	}
	out := c.b[:n]
	c.b = c.b[n:]
	return out
}

func (c *cursor) u8() byte {
	if b := c.take(1); b != nil {
		return b[0]
	}
	return 0
}

// number reads a signed number of n bytes.
func (c *cursor) number(n int) (v int64) {
	for _, b := range c.take(n) {
		v = v<<8 | int64(b)
	}
	unused := 64 - 8*n
	return v << unused >> unused
}

func (c *cursor) bytes() []byte { return c.take(int(c.number(4))) }

// maxDepth keeps a hostile message from exhausting the stack.
const maxDepth = 64

// fields calls read for every field of a struct; read has to consume its value.
func (c *cursor) fields(read func(id int64, kind byte)) {
	c.nested(func() {
		for c.err == nil {
			kind := c.u8()
			if kind == 0 {
				return
			}
			read(c.number(2), kind)
		}
	})
}

// each calls read for every element of a list; read has to consume it.
func (c *cursor) each(read func(kind byte)) {
	c.nested(func() {
		kind, n := c.u8(), c.number(4)
		for i := int64(0); i < n && c.err == nil; i++ {
			read(kind)
		}
	})
}

func (c *cursor) nested(read func()) {
	if c.depth++; c.depth > maxDepth && c.err == nil {
		c.err = errors.New("the message is nested too deep")
	}
	if c.err == nil {
		read()
	}
	c.depth--
}

// peekListSize gives the length of the list that begins here.
func (c *cursor) peekListSize() int64 {
	ahead := cursor{b: c.b}
	ahead.u8()
	return ahead.number(4)
}

func (c *cursor) skip(kind byte) {
	switch kind {
	case thriftBool, thriftByte:
		c.take(1)
	case thriftI16:
		c.take(2)
	case thriftI32:
		c.take(4)
	case thriftI64, thriftDouble:
		c.take(8)
	case thriftString:
		c.bytes()
	case thriftStruct:
		c.fields(func(_ int64, kind byte) { c.skip(kind) })
	case thriftList, thriftSet:
		c.each(c.skip)
	case thriftMap:
		c.nested(func() {
			key, value, n := c.u8(), c.u8(), c.number(4)
			for i := int64(0); i < n && c.err == nil; i++ {
				c.skip(key)
				c.skip(value)
			}
		})
	default:
		if c.err == nil {
			c.err = fmt.Errorf("unknown Thrift type %d", kind)
		}
	}
}
