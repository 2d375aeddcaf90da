package databricks

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"sync"
)

// buffers are reused buffers for the bodies of responses. The pages of a result have
// megabytes each, and allocating a buffer for each page takes a tenth of an import's time.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// maxKeptBuffer is the size in bytes of the largest buffer that is kept for reuse. Pages of
// an Arrow result and CloudFetch files fit into it.
const maxKeptBuffer = 32 << 20

// maxErrorBody is the largest part of an error's response that is read.
const maxErrorBody = 64 << 10

// readAll reads a whole body, and calls progress after each read. Of the body of an error it
// reads the beginning.
func readAll(response *http.Response, progress func()) (*bytes.Buffer, error) {
	content, ok := buffers.Get().(*bytes.Buffer)
	if !ok {
		content = new(bytes.Buffer)
	}
	content.Reset()
	// A body that is full is larger than its limit, and answerLimits refuses it.
	limit := maxAnswer + 1
	if response.StatusCode != http.StatusOK {
		limit = maxErrorBody
	}
	b := content.AvailableBuffer()
	if n := int(response.ContentLength); n >= cap(b) && n < limit {
		b = make([]byte, 0, n+1)
	}
	for len(b) < limit {
		if len(b) == cap(b) {
			// bytes.Buffer would double beyond the limit.
			b = append(make([]byte, 0, min(max(2*cap(b), bytes.MinRead), limit)), b...)
		}
		n, err := response.Body.Read(b[len(b):min(cap(b), limit)])
		if b = b[:len(b)+n]; n > 0 {
			progress()
		}
		switch {
		case errors.Is(err, io.EOF):
			if n := response.ContentLength; n >= 0 && int64(len(b)) != n {
				return content, io.ErrUnexpectedEOF
			}
			return bytes.NewBuffer(b), nil
		case err != nil:
			return content, err
		}
	}
	return bytes.NewBuffer(b), nil
}

// bufferedResponse returns a response for the driver. The caller must not use content
// afterwards, because the buffer is reused after the driver closes the response.
func bufferedResponse(request *http.Request, contentType string, content *bytes.Buffer) *http.Response {
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        http.Header{"Content-Type": {contentType}},
		Body:          &bufferedBody{content: content},
		ContentLength: int64(content.Len()),
		Request:       request,
	}
}

// bufferedBody is the buffered body of a response.
type bufferedBody struct {
	mu sync.Mutex
	// content is nil once the body is closed.
	content *bytes.Buffer
}

func (b *bufferedBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.content == nil {
		return 0, http.ErrBodyReadAfterClose
	}
	return b.content.Read(p)
}

func (b *bufferedBody) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.content != nil {
		releaseBuffer(b.content)
	}
	b.content = nil
	return nil
}

// releaseBuffer makes a buffer available to another response.
func releaseBuffer(content *bytes.Buffer) {
	if content.Cap() <= maxKeptBuffer {
		buffers.Put(content)
	}
}
