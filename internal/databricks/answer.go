package databricks

import (
	"bytes"
	"io"
	"net/http"
	"sync"
)

// answers is memory for answers, used again: a result's pages are megabytes
// each, and new memory for every one of them is a tenth of an import's work.
var answers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// keptAnswer is how large an answer may be for its memory to be kept: a page of
// an Arrow result, or a CloudFetch file.
const keptAnswer = 32 << 20

// readAll reads a body, reporting each piece.
func readAll(response *http.Response, progress func()) (*bytes.Buffer, error) {
	content, ok := answers.Get().(*bytes.Buffer)
	if !ok {
		content = new(bytes.Buffer)
	}
	content.Reset()
	const most = 1 << 30 // a hint beyond this is not believed
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

// passOn makes the response that the driver gets. The content is not to be used
// any more: its memory goes to another answer when the driver closes this one.
func passOn(request *http.Request, contentType string, content *bytes.Buffer) *http.Response {
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        http.Header{"Content-Type": {contentType}},
		Body:          &answer{content: content},
		ContentLength: int64(content.Len()),
		Request:       request,
	}
}

// answer is the body of a response that was read whole.
type answer struct {
	mu sync.Mutex
	// content is nil once the answer is closed.
	content *bytes.Buffer
}

func (a *answer) Read(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.content == nil {
		return 0, http.ErrBodyReadAfterClose
	}
	return a.content.Read(p)
}

func (a *answer) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.content != nil {
		recycle(a.content)
	}
	a.content = nil
	return nil
}

// recycle gives memory to another answer.
func recycle(content *bytes.Buffer) {
	if content.Cap() <= keptAnswer {
		answers.Put(content)
	}
}
