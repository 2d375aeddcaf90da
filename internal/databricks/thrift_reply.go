package databricks

import "fmt"

// The transport reads only some fields of each Thrift message (binary protocol), and copies
// nothing. The driver decodes the whole message again.

const (
	messageException = 3

	statusError         = 3
	statusInvalidHandle = 4
)

// reply holds the fields that the transport reads from a response.
type reply struct {
	// failure is the text of a Thrift exception or of an error status; empty
	// means the call succeeded.
	failure string
	// guid is the id of the statement that ExecuteStatement started.
	guid []byte
	// page is set if the response contains rows.
	page *page
	// links are the addresses of the files with the page's rows, if the rows are not in
	// the page.
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
	// inline is set for a batch, which is the bytes from..to of the message. The
	// four bytes before it are its length.
	inline   bool
	from, to int
}

// requestMethod returns the name of the RPC that a request calls.
func requestMethod(body []byte) string {
	c := &thriftReader{b: body}
	c.number(4) // version and kind
	name := c.bytes()
	if c.err != nil {
		return ""
	}
	return string(name)
}

// parseReply parses the response to a method.
func parseReply(method string, body []byte) (r reply, err error) {
	c := &thriftReader{b: body, size: len(body)}
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

func (c *thriftReader) executeStatement(r *reply) {
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
func (c *thriftReader) page(r *reply) *page {
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

// rowSet counts rows like the driver: by the declared counts of Arrow batches or links, or
// else by the values of the first column.
func (c *thriftReader) rowSet(p *page, r *reply) {
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
func (c *thriftReader) links(p *page, r *reply) {
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
func (c *thriftReader) arrowBatches(p *page) {
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
func (c *thriftReader) statusOr(r *reply, id int64, kind byte) {
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
