package databricks

import (
	"bytes"
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

// readAll reads a whole body, and calls progress after each read.
func readAll(response *http.Response, progress func()) (*bytes.Buffer, error) {
	content, ok := buffers.Get().(*bytes.Buffer)
	if !ok {
		content = new(bytes.Buffer)
	}
	content.Reset()
	const most = 1 << 30 // no memory is reserved for a larger Content-Length
	if n := response.ContentLength; n > 0 && n < most {
		content.Grow(int(n) + bytes.MinRead)
	}
	_, err := content.ReadFrom(readerFunc(func(p []byte) (int, error) {
		n, err := response.Body.Read(p)
		if n > 0 {
			progress()
		}
		return n, err
	}))
	if n := response.ContentLength; err == nil && n >= 0 && int64(content.Len()) != n {
		err = io.ErrUnexpectedEOF
	}
	return content, err
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

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
