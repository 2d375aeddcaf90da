package databricks

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow/go/v12/arrow"
	"github.com/apache/arrow/go/v12/arrow/ipc"
	"github.com/apache/arrow/go/v12/arrow/memory"
)

// The driver takes an Arrow batch out of a page into a buffer that grows by
// doubling, then copies it, then copies its columns: most of the work of reading
// a large result. For Batches the transport lifts the batches out of the pages: the
// driver sees them empty, goes on asking for pages, and gives a stream for each,
// in whose place the batch is read from where it arrived.

// lifted are the parts of a result that arrived, in the order in which the
// driver will come to them.
type lifted struct {
	// next is the row that the driver expects next.
	next  int64
	parts []arrived
}

// arrived is a part of a result.
type arrived struct {
	// rows are what the warehouse declared.
	rows int64
	// batch is an Arrow batch; nil where the driver fetches a file.
	batch []byte
	// done is the page's memory, set on its last batch.
	done *bytes.Buffer
}

// lift takes the batches out of a page, and gives what is left of it.
func (c *call) lift(content *bytes.Buffer, p *page) *bytes.Buffer {
	c.mu.Lock()
	defer c.mu.Unlock()
	// The driver passes by a page that is not the one it asked for.
	l := &c.lifted
	wanted := p.start <= l.next && l.next < p.start+p.rows
	if wanted {
		l.next = p.start + p.rows
	}
	body, left, from := content.Bytes(), content, 0
	for _, part := range p.parts {
		one := arrived{rows: part.rows}
		if part.inline {
			if left == content {
				left = new(bytes.Buffer)
			}
			one.batch = body[part.from:part.to:part.to]
			left.Write(body[from : part.from-4])
			left.Write([]byte{0, 0, 0, 0})
			from = part.to
		}
		if wanted {
			l.parts = append(l.parts, one)
		}
	}
	if left == content {
		return content
	}
	left.Write(body[from:])
	if wanted {
		l.parts[len(l.parts)-1].done = content
	}
	return left
}

// arrival gives the part that belongs to the driver's next stream.
func (c *call) arrival() (arrived, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.lifted.parts) == 0 {
		return arrived{}, errors.New("the driver has a part of the result that did not arrive")
	}
	one := c.lifted.parts[0]
	c.lifted.parts = c.lifted.parts[1:]
	return one, nil
}

// read calls take for the records of a part, until it says no. Stream is the
// driver's.
func (a arrived) read(schema []byte, stream io.Reader, take func(arrow.Record) (bool, error)) (more bool, err error) {
	var reader *ipc.Reader
	if a.batch != nil {
		reader, err = ipc.NewReaderFromMessageReader(&messages{segments: [][]byte{schema, a.batch}})
	} else {
		reader, err = ipc.NewReader(stream)
	}
	if err != nil {
		return false, err
	}
	defer reader.Release()
	// A file may have more rows than its link declares: they are padding.
	left := a.rows
	for reader.Next() {
		record := reader.Record()
		if a.batch == nil && a.rows > 0 && record.NumRows() > left {
			if left == 0 {
				break
			}
			record = record.NewSlice(0, left)
			defer record.Release()
		}
		left -= record.NumRows()
		if more, err := take(record); err != nil || !more {
			return false, err
		}
	}
	if a.done != nil {
		recycle(a.done)
	}
	return true, reader.Err()
}

// messages reads the messages of an Arrow stream in memory where they are.
type messages struct {
	// segments are the schema and the batch. Either may end with a mark of the
	// end.
	segments [][]byte
}

// continued begins each message.
const continued = 0xFFFFFFFF

func (m *messages) Message() (*ipc.Message, error) {
	for len(m.segments) > 0 {
		b := m.segments[0]
		if len(b) == 0 {
			m.segments = m.segments[1:]
			continue
		}
		if len(b) >= 4 && binary.LittleEndian.Uint32(b) == continued {
			b = b[4:]
		}
		if len(b) < 4 {
			return nil, errShort
		}
		size := int64(binary.LittleEndian.Uint32(b))
		if b = b[4:]; size == 0 {
			m.segments = m.segments[1:]
			continue
		}
		if size > int64(len(b)) {
			return nil, errShort
		}
		meta, b := memory.NewBufferBytes(b[:size]), b[size:]
		length := ipc.NewMessage(meta, memory.NewBufferBytes(nil)).BodyLen()
		if length < 0 || length > int64(len(b)) {
			return nil, fmt.Errorf("an Arrow message of %d bytes: %w", length, errShort)
		}
		m.segments[0] = b[length:]
		return ipc.NewMessage(meta, memory.NewBufferBytes(b[:length])), nil
	}
	return nil, io.EOF
}

func (*messages) Release() {}
func (*messages) Retain()  {}
