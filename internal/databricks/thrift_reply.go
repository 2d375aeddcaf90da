package databricks

import (
	"bytes"
	"strings"
)

// The transport reads only some fields of each Thrift message (binary protocol), and copies
// nothing. The driver decodes the whole message again.

const (
	messageReply     = 2
	messageException = 3

	statusError         = 3
	statusInvalidHandle = 4
)

// reply holds the fields that the transport reads from a response.
type reply struct {
	// failure is the text of a Thrift exception or of an error status; empty
	// means the call succeeded.
	failure string
	// guid is the id of the statement that ExecuteStatement started, or of the session.
	guid []byte
	// state is the state of the statement; -1 if the response does not tell it.
	state int64
	// metadata are the descriptions of the result in the response. ExecuteStatement and
	// FetchResults can have one beside the page and one in it.
	metadata []metadata
	// page is set if the response contains rows.
	page *page
}

// metadata describes a result.
type metadata struct {
	// described is whether the response has a schema; types are the types of its columns,
	// with -1 for a column without a known type.
	described bool
	types     []int64
	format    int64
	// arrow is the schema of Arrow batches, if the response has one.
	arrow           []byte
	lz4, filesystem bool
	// tellsLZ4 is whether the response says if the result is compressed.
	tellsLZ4 bool
}

// page is a part of a result.
type page struct {
	start, rows int64
	// there is whether the response has a row set, even an empty one.
	there bool
	// described is whether the page has a description of the result.
	described bool
	more      bool
	parts     []part
	// columns are the rows in Thrift's columns.
	columns []valueList
	// forms is the number of forms in which the row set has rows: columns, Arrow batches
	// and links.
	forms int
	// wanted is whether the page has the row that the driver expects next.
	wanted bool
}

// part is one Arrow batch of a page, or the link to one.
type part struct {
	rows int64
	// inline is set for a batch, which is the bytes from..to of the message. The
	// four bytes before it are its length.
	inline   bool
	from, to int
	// inflated is what a compressed batch inflates to.
	inflated *bytes.Buffer
	// link and start are the address of a file and its first row, if the batch is not in
	// the page.
	link  string
	start int64
}

// valueList is a column in Thrift's form: a list of values, of one of eight types, and a bit
// for each value that is NULL.
type valueList struct {
	lists  int
	values int64
	nulls  int
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

// parseReply checks the structure of the response to a method, and reads it.
func parseReply(method string, body []byte) (r reply, err error) {
	r.state = -1
	if err := checkMessage(method, body); err != nil {
		return r, err
	}
	c := &thriftReader{b: body, size: len(body)}
	kind := c.checkHeader(method)
	if kind == messageException {
		c.fields(func(id int64, kind byte) {
			if id == 1 && kind == thriftString {
				r.failure = shortened(c.bytes())
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
		case "GetResultSetMetadata":
			r.metadata = append(r.metadata, c.metadata(&r))
		case "GetOperationStatus":
			c.operationStatus(&r)
		default:
			c.fields(func(id int64, kind byte) {
				if id == 3 && kind == thriftStruct { // sessionHandle
					c.fields(func(_ int64, kind byte) { c.guid(&r, kind) })
					return
				}
				c.statusOr(&r, id, kind)
			})
		}
	})
	return r, c.err
}

func (c *thriftReader) executeStatement(r *reply) {
	c.fields(func(id int64, kind byte) {
		switch {
		case id == 2 && kind == thriftStruct: // operationHandle
			c.fields(func(id int64, kind byte) {
				if id == 1 {
					c.guid(r, kind)
					return
				}
				c.skip(kind)
			})
		case id == 0x501 && kind == thriftStruct: // directResults
			c.fields(func(id int64, kind byte) {
				switch {
				case id == 1 && kind == thriftStruct:
					c.operationStatus(r)
				case id == 2 && kind == thriftStruct:
					r.metadata = append(r.metadata, c.metadata(r))
				case id == 3 && kind == thriftStruct: // resultSet
					r.page = c.page(r)
				default:
					c.skip(kind)
				}
			})
		default:
			c.statusOr(r, id, kind)
		}
	})
}

// guid reads the id in a THandleIdentifier.
func (c *thriftReader) guid(r *reply, kind byte) {
	if kind != thriftStruct {
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
}

func (c *thriftReader) operationStatus(r *reply) {
	c.fields(func(id int64, kind byte) {
		if id == 2 && kind == thriftI32 {
			r.state = c.number(4)
			return
		}
		c.statusOr(r, id, kind)
	})
}

// metadata reads a TGetResultSetMetadataResp.
func (c *thriftReader) metadata(r *reply) (m metadata) {
	c.fields(func(id int64, kind byte) {
		switch {
		case id == 2 && kind == thriftStruct:
			m.described = true
			c.fields(func(_ int64, kind byte) {
				if kind != thriftList {
					c.skip(kind)
					return
				}
				c.each(func(byte) { m.types = append(m.types, c.columnType()) })
			})
		case id == 0x501 && kind == thriftI32:
			m.format = c.number(4)
		case id == 0x502 && kind == thriftBool:
			m.lz4, m.tellsLZ4 = c.u8() != 0, true
		case id == 0x503 && kind == thriftString:
			m.arrow = c.bytes()
		case id == 0x507 && kind == thriftBool:
			m.filesystem = c.u8() != 0
		default:
			c.statusOr(r, id, kind)
		}
	})
	return m
}

// columnType reads a TColumnDesc, and returns the id of its type. The driver reads the first
// entry of a type only.
func (c *thriftReader) columnType() int64 {
	id, entries := int64(-1), 0
	c.fields(func(field int64, kind byte) {
		if field != 2 || kind != thriftStruct {
			c.skip(kind)
			return
		}
		c.fields(func(_ int64, kind byte) { // TTypeDesc
			if kind != thriftList {
				c.skip(kind)
				return
			}
			c.each(func(byte) {
				entries++
				c.fields(func(field int64, kind byte) { // TTypeEntry
					if field != 1 || kind != thriftStruct || entries > 1 {
						c.skip(kind)
						return
					}
					c.fields(func(field int64, kind byte) { // TPrimitiveTypeEntry
						if field == 1 && kind == thriftI32 {
							id = c.number(4)
							return
						}
						c.skip(kind)
					})
				})
			})
		})
	})
	return id
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
			message = shortened(c.bytes())
		case id == 6 && kind == thriftString:
			display = shortened(c.bytes())
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

// maxMessage limits the text of an error in bytes. It is stored with the run.
const maxMessage = 16 << 10

func shortened(text []byte) string {
	if len(text) > maxMessage {
		return strings.ToValidUTF8(string(text[:maxMessage]), "") + "..."
	}
	return string(text)
}
