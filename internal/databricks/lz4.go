package databricks

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/pierrec/lz4/v4"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/panics"
)

// The driver reads LZ4, and has no option to ask for it. Batches takes the Arrow batches out
// of the driver's pages and files anyway, so the transport asks for LZ4 and inflates them:
// the rows of an import are JSON texts with the names of all columns, of which less than a
// half goes over the wire.

// lz4PageBytes is the size in bytes of the pages and files that are requested with LZ4. That
// it is the size before compression is not documented. If it is the one after it, they
// inflate to eight times as much within maxAnswer.
const lz4PageBytes = 8 << 20

// inflatesTooMuch are the workspaces, by their address, of which a page inflated to more
// than its limit. They are not asked for LZ4 again: the caller goes on from its last
// checkpoint in a new session.
var inflatesTooMuch sync.Map

// errInflated is the failure of such a page.
var errInflated = errors.New("it inflates to more than an answer may have; the next session asks for it uncompressed")

var inflaters = sync.Pool{New: func() any { return lz4.NewReader(nil) }}

// offerLZ4 reports whether the result of a call may be compressed, and decides it when the
// statement is sent.
func (t *transport) offerLZ4(method string, c *call) bool {
	if c == nil || !c.passThrough {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if method == "ExecuteStatement" {
		_, tooMuch := inflatesTooMuch.Load(t.endpoint.Host)
		c.lz4, c.inflateLimit = !tooMuch, t.inflateLimit
	}
	return c.lz4
}

// malformed returns the failure of an answer or a file that did not pass a check.
func (t *transport) malformed(method string, err error) *failure {
	if errors.Is(err, errInflated) {
		inflatesTooMuch.Store(t.endpoint.Host, true)
		return &failure{method: method, cause: causeInflated, err: err}
	}
	return &failure{method: method, cause: causeMalformed, err: err}
}

// inflate returns the content of an LZ4 frame. The caller may release the buffer.
func inflate(frame []byte, limit int64) (*bytes.Buffer, error) {
	reader, ok := inflaters.Get().(*lz4.Reader)
	if !ok {
		reader = lz4.NewReader(nil)
	}
	content, ok := buffers.Get().(*bytes.Buffer)
	if !ok {
		content = new(bytes.Buffer)
	}
	content.Reset()
	// The driver downloads files in goroutines of its own, where a panic would end the process.
	err := panics.Catch(func() error {
		reader.Reset(bytes.NewReader(frame))
		_, err := content.ReadFrom(io.LimitReader(reader, limit+1))
		inflaters.Put(reader)
		return err
	})
	switch {
	case err != nil:
		err = fmt.Errorf("it is no LZ4: %w", err)
	case int64(content.Len()) > limit:
		err = errInflated
	default:
		return content, nil
	}
	releaseBuffer(content)
	return nil, err
}

// inflate replaces the batches of a page by what they inflate to. The limit is that of the
// page as a whole: 64 MiB of frames may inflate to 16 GiB.
func (c *call) inflate(parts []part, body []byte) error {
	if !c.shape.lz4 {
		return nil
	}
	left := c.inflateLimit
	for i := range parts {
		one := &parts[i]
		if !one.inline || one.inflated != nil {
			continue
		}
		var err error
		if one.inflated, err = inflate(body[one.from:one.to], left); err != nil {
			return fmt.Errorf("part %d: %w", i+1, err)
		}
		left -= int64(one.inflated.Len())
	}
	return nil
}

// inflateFile returns the content of a file of the result.
func (c *call) inflateFile(content *bytes.Buffer) (*bytes.Buffer, error) {
	c.mu.Lock()
	compressed := c.shape.lz4
	c.mu.Unlock()
	if !compressed {
		return content, nil
	}
	inflated, err := inflate(content.Bytes(), c.inflateLimit)
	if err == nil {
		releaseBuffer(content)
	}
	return inflated, err
}
