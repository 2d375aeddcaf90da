package databricks

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks/arrowipc"
)

// The driver copies an Arrow batch three times: from the page to a buffer that grows by
// doubling, from that buffer, and column by column. These copies are most of the work of
// reading a large result. Batches avoids them: the transport removes the batches from the
// pages before it passes them to the driver, and passes it empty files. The driver reads
// empty batches, continues to request pages, and returns an empty stream for each batch.
// Batches reads the batch itself from the page or the file.

// passedParts are the parts of a result that the driver does not read, in the order in
// which it returns their streams.
type passedParts struct {
	parts []passedPart
	// files are the fetched files, by their address.
	files map[string]*bytes.Buffer
}

// passedPart is an Arrow batch of a result, or stands for one that comes as a file.
type passedPart struct {
	// rows is the number of rows that the warehouse declared.
	rows int64
	// batch is an Arrow batch; nil if it comes as a file.
	batch    []byte
	inflated bool
	// link is the address of the file.
	link string
	// page is the memory of the page, set on its last batch; of an inflated batch it is the
	// batch's own memory.
	page *bytes.Buffer
}

// extractBatches removes the batches from a page, keeps them in the call, and returns the
// rest of the page.
func (c *call) extractBatches(content *bytes.Buffer, p *page) *bytes.Buffer {
	c.mu.Lock()
	defer c.mu.Unlock()
	// The driver skips a page that does not contain the row that it expects.
	wanted := p.wanted
	body, rest, from := content.Bytes(), content, 0
	for _, part := range p.parts {
		one := passedPart{rows: part.rows, link: part.link}
		if part.inline {
			if rest == content {
				rest = new(bytes.Buffer)
			}
			one.batch = body[part.from:part.to:part.to]
			if part.inflated != nil {
				one.batch, one.page, one.inflated = part.inflated.Bytes(), part.inflated, true
			}
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
	if last := len(c.passed.parts) - 1; wanted && c.passed.parts[last].page == nil {
		c.passed.parts[last].page = content
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

// keepFile keeps a fetched file, and returns the empty one for the driver.
func (c *call) keepFile(link string, content *bytes.Buffer) *bytes.Buffer {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.passed.files == nil {
		c.passed.files = map[string]*bytes.Buffer{}
	}
	c.passed.files[link] = content
	return new(bytes.Buffer)
}

// records returns the records of a part, and the memory that they are in.
func (c *call) records(p passedPart) ([]arrowipc.Record, *bytes.Buffer, error) {
	c.mu.Lock()
	schema, file, lz4 := c.shape.schema, c.passed.files[p.link], c.shape.lz4
	delete(c.passed.files, p.link)
	c.mu.Unlock()
	switch {
	case p.batch == nil && file == nil:
		return nil, nil, fmt.Errorf("the file of %d rows did not arrive", p.rows)
	case p.batch == nil:
		_, records, err := arrowipc.ReadStream(file.Bytes())
		return records, file, err
	case schema == nil:
		return nil, nil, errors.New("the schema of the result did not arrive")
	case lz4 && !p.inflated: // it came before the description of the result
		inflated, err := inflate(p.batch, c.inflateLimit)
		if err != nil {
			return nil, nil, err
		}
		p.batch, p.page = inflated.Bytes(), inflated
	}
	records, err := schema.ReadBatches(p.batch)
	return records, p.page, err
}

// readPart calls take for each batch of a part, until take returns false.
func (c *call) readPart(p passedPart, take func(*Batch) (bool, error)) (more bool, err error) {
	records, memory, err := c.records(p)
	if err != nil {
		return false, err
	}
	// A file may have more rows than its link declares; they are padding.
	left := p.rows
	for _, record := range records {
		rows := min(int64(record.Rows), left)
		if rows == 0 {
			continue
		}
		left -= rows
		b, err := fromRecord(record, int(rows))
		if err != nil {
			return false, err
		}
		if more, err := take(b); err != nil || !more {
			return false, err
		}
	}
	if memory != nil {
		releaseBuffer(memory)
	}
	return true, nil
}
