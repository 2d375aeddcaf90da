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

// The driver copies an Arrow batch three times: from the page to a buffer that grows by
// doubling, from that buffer, and column by column. These copies are most of the work of
// reading a large result. Batches avoids them: the transport removes the batches from the
// pages before it passes them to the driver. The driver reads empty batches, continues to
// request pages, and returns an empty stream for each batch. Batches reads the batch
// itself from the page.

// passedParts are the parts of a result that the driver does not read, in the order in
// which it returns their streams.
type passedParts struct {
	// nextRow is the row that the driver expects next.
	nextRow int64
	parts   []passedPart
}

// passedPart is an Arrow batch of a result, or stands for a batch that the driver fetches
// as a file.
type passedPart struct {
	// rows is the number of rows that the warehouse declared.
	rows int64
	// batch is an Arrow batch; nil if the driver fetches a file.
	batch []byte
	// page is the memory of the page, set on its last batch.
	page *bytes.Buffer
}

// extractBatches removes the batches from a page, keeps them in the call, and returns the
// rest of the page.
func (c *call) extractBatches(content *bytes.Buffer, p *page) *bytes.Buffer {
	c.mu.Lock()
	defer c.mu.Unlock()
	// The driver skips a page that does not contain the row that it expects.
	wanted := p.start <= c.passed.nextRow && c.passed.nextRow < p.start+p.rows
	if wanted {
		c.passed.nextRow = p.start + p.rows
	}
	body, rest, from := content.Bytes(), content, 0
	for _, part := range p.parts {
		one := passedPart{rows: part.rows}
		if part.inline {
			if rest == content {
				rest = new(bytes.Buffer)
			}
			one.batch = body[part.from:part.to:part.to]
			rest.Write(body[from : part.from-4])
			rest.Write([]byte{0, 0, 0, 0})
			from = part.to
		}
		if wanted {
			c.passed.parts = append(c.passed.parts, one)
		}
	}
	if rest == content {
		return content
	}
	rest.Write(body[from:])
	if wanted {
		c.passed.parts[len(c.passed.parts)-1].page = content
	}
	return rest
}

// nextPart returns the part of the driver's next stream.
func (c *call) nextPart() (passedPart, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.passed.parts) == 0 {
		return passedPart{}, errors.New("the driver has a part of the result that did not arrive")
	}
	one := c.passed.parts[0]
	c.passed.parts = c.passed.parts[1:]
	return one, nil
}

// read calls take for each record of a part, until take returns false. stream is the
// driver's stream; it is read if the part is a file.
func (p passedPart) read(schema []byte, stream io.Reader, take func(arrow.Record) (bool, error)) (more bool, err error) {
	var reader *ipc.Reader
	if p.batch != nil {
		reader, err = ipc.NewReaderFromMessageReader(&messages{segments: [][]byte{schema, p.batch}})
	} else {
		reader, err = ipc.NewReader(stream)
	}
	if err != nil {
		return false, err
	}
	defer reader.Release()
	// A file may have more rows than its link declares; they are padding.
	left := p.rows
	for reader.Next() {
		record := reader.Record()
		if p.batch == nil && p.rows > 0 && record.NumRows() > left {
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
	if p.page != nil {
		releaseBuffer(p.page)
	}
	return true, reader.Err()
}

// messages reads the messages of an Arrow stream from memory, without copying.
type messages struct {
	// segments are the schema and the batch. Each may end with an end-of-stream marker,
	// which is a message of length 0.
	segments [][]byte
}

// continuation is the first field of each message (Arrow's encapsulated message format).
const continuation = 0xFFFFFFFF

func (m *messages) Message() (*ipc.Message, error) {
	for len(m.segments) > 0 {
		b := m.segments[0]
		if len(b) == 0 {
			m.segments = m.segments[1:]
			continue
		}
		if len(b) >= 4 && binary.LittleEndian.Uint32(b) == continuation {
			b = b[4:]
		}
		if len(b) < 4 {
			return nil, errTruncated
		}
		size := int64(binary.LittleEndian.Uint32(b))
		if b = b[4:]; size == 0 {
			m.segments = m.segments[1:]
			continue
		}
		if size > int64(len(b)) {
			return nil, errTruncated
		}
		meta, b := memory.NewBufferBytes(b[:size]), b[size:]
		length := ipc.NewMessage(meta, memory.NewBufferBytes(nil)).BodyLen()
		if length < 0 || length > int64(len(b)) {
			return nil, fmt.Errorf("an Arrow message of %d bytes: %w", length, errTruncated)
		}
		m.segments[0] = b[length:]
		return ipc.NewMessage(meta, memory.NewBufferBytes(b[:length])), nil
	}
	return nil, io.EOF
}

func (*messages) Release() {}
func (*messages) Retain()  {}
