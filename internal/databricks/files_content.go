package databricks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// stallTimeout limits the time during which the receiver of an upload reads no part of the
// content, and the time until it answers after the end of it.
const stallTimeout = 5 * time.Minute

// Write creates a file of size bytes, and its directory. It replaces a file of that name,
// whole: a reader sees the earlier content or the new one. An upload that fails for a moment
// is repeated from the beginning of the content.
func (f *Files) Write(ctx context.Context, path string, content io.ReaderAt, size int64) error {
	if err := f.MakeDirectory(ctx, parent(path)); err != nil {
		return err
	}
	_, err := f.do(ctx, filesRequest{
		method: http.MethodPut, api: filesPath, path: path, query: url.Values{"overwrite": {"true"}}, content: content, size: size,
	})
	return err
}

func parent(path string) string { return path[:max(0, strings.LastIndexByte(path, '/'))] }

// upload makes one attempt of an upload.
func (f *Files) upload(ctx context.Context, r filesRequest) (filesAnswer, *failure) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if r.size == 0 {
		return f.send(ctx, r, http.NoBody)
	}
	body := &uploadBody{
		r:     io.NewSectionReader(r.content, 0, r.size),
		timer: time.AfterFunc(stallTimeout, func() { cancel(errNoAnswer) }),
	}
	defer body.end()
	return f.send(ctx, r, body)
}

// uploadBody is the body of one attempt. It starts its timer anew with each part that the
// receiver reads. After end it reads nothing: the transport may still be sending when the
// answer is there, and the caller may then change the content.
type uploadBody struct {
	mu    sync.Mutex
	r     io.Reader
	timer *time.Timer
	ended bool
}

var errAttemptEnded = errors.New("the attempt has ended")

func (b *uploadBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended {
		return 0, errAttemptEnded
	}
	b.timer.Reset(stallTimeout)
	return b.r.Read(p)
}

func (b *uploadBody) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = true
	b.timer.Stop()
}

// errOtherBytes means that the answer of a download has other bytes than those that were
// asked for.
var errOtherBytes = errors.New("the Files API did not answer with the bytes that were asked for")

// ReadAt reads from a file like io.ReaderAt. The Files API supports the header Range
// (Databricks' reference of the Files API, "download a file"). The error is CodeNotFound if
// the file does not exist.
func (f *Files) ReadAt(ctx context.Context, path string, p []byte, offset int64) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	answer, err := f.do(ctx, filesRequest{
		method: http.MethodGet, api: filesPath, path: path, bytes: fmt.Sprintf("bytes=%d-%d", offset, offset+int64(len(p))-1),
	})
	if failed, ok := errors.AsType[*failure](err); ok && failed.status == http.StatusRequestedRangeNotSatisfiable {
		return 0, io.EOF
	}
	if err != nil {
		return 0, err
	}
	text := answer.text
	switch {
	case answer.status == http.StatusPartialContent:
		var first, last int64
		told := answer.header.Get("Content-Range")
		if _, err := fmt.Sscanf(told, "bytes %d-%d/", &first, &last); err != nil || first != offset ||
			int64(len(text)) != last-first+1 || len(text) > len(p) {
			return 0, fmt.Errorf("%w: %d bytes, %q, instead of those from %d on", errOtherBytes, len(text), told, offset)
		}
	case offset > 0: // the whole file: a proxy removed the header
		return 0, fmt.Errorf("%w: the answer is the whole file", errOtherBytes)
	}
	n := copy(p, text)
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}
