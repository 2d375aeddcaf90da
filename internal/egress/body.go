package egress

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
)

// boundedBody is the body of a bounded answer. Its error is final: later reads return it
// again.
type boundedBody struct {
	*answer
	raw      io.ReadCloser
	received receivedBytes
	// content is the body after inflating.
	content io.Reader
	bytes   int64
	shape   jsonShape
	err     error
}

// Body bounds the size of a body, for a library that sends its requests itself.
func (l Limits) Body(method, host string, raw io.ReadCloser) io.ReadCloser {
	l.Silence, l.Total = 0, 0
	a := &answer{limits: l, method: method, host: host, ctx: context.Background(), cancel: func(error) {}}
	a.silence, a.total = a.deadline(0, ""), a.deadline(0, "")
	b := &boundedBody{answer: a, raw: raw}
	b.received = receivedBytes{body: b}
	b.content = &b.received
	return b
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if b.err != nil || len(p) == 0 {
		return 0, b.err
	}
	if b.limits.Bytes > 0 {
		p = p[:min(int64(len(p)), b.limits.Bytes+1-b.bytes)]
	}
	n, err := b.content.Read(p)
	if b.bytes += int64(n); n > 0 {
		b.received.fruitless = 0
	}
	switch {
	case b.limits.Bytes > 0 && b.bytes > b.limits.Bytes:
		n, err = 0, b.tooLarge()
	case b.limits.Values > 0:
		if b.shape.add(p[:n]); b.shape.values > b.limits.Values {
			n, err = 0, b.exceeds(fmt.Sprintf("has more than %d values", b.limits.Values), false)
		} else if b.shape.deepest > maxNesting {
			n, err = 0, b.exceeds(fmt.Sprintf("is nested more than %d deep", maxNesting), false)
		}
	}
	if err == nil {
		return n, nil
	}
	if err != io.EOF { //nolint:errorlint // io.EOF itself ends a body
		err = b.cause(err)
	}
	b.err = err
	b.stop()
	return n, err
}

// Close closes the body and ends the request, if it has not ended.
func (b *boundedBody) Close() error {
	b.stop()
	return b.raw.Close()
}

// receivedBytes reads the body as it is received. The time limits run only while it
// waits for the server, because the reader of an answer may be slow.
type receivedBytes struct {
	body  *boundedBody
	bytes int64
	// fruitless are the bytes that were received since the last byte of the content.
	fruitless int64
}

// maxFruitless limits the bytes that inflate to nothing. A stream of empty gzip members
// has no content, and would be read without end where Limits.Bytes is 0.
const maxFruitless = 1 << 20

func (r *receivedBytes) Read(p []byte) (int, error) {
	b := r.body
	if b.limits.Silence > 0 {
		b.silence.Reset(b.limits.Silence)
		defer b.silence.Stop()
	}
	n, err := b.raw.Read(p)
	if r.bytes += int64(n); b.limits.Bytes > 0 && r.bytes > b.limits.Bytes {
		return 0, b.tooLarge()
	}
	if r.fruitless += int64(n); r.fruitless > maxFruitless && b.content != io.Reader(r) {
		return 0, b.exceeds("inflates to nothing", false)
	}
	return n, err
}

// inflater reads the gzip header at the first read, because it may not be there yet when
// the answer begins.
type inflater struct {
	compressed io.Reader
	gzip       *gzip.Reader
}

func (i *inflater) Read(p []byte) (n int, err error) {
	if i.gzip == nil {
		if i.gzip, err = gzip.NewReader(i.compressed); err != nil {
			i.gzip = nil
			if err == io.EOF { //nolint:errorlint // an empty body is no gzip stream
				err = io.ErrUnexpectedEOF
			}
			return 0, err
		}
	}
	return i.gzip.Read(p)
}

// maxNesting limits the nesting of a JSON body. Parsers that call themselves for each level
// exhaust the stack in a body of some megabytes, which ends the process.
const maxNesting = 1000

// jsonShape counts values and levels of a JSON text that is read in parts. It does not
// check the text.
type jsonShape struct {
	values, depth, deepest int64
	inString, escaped      bool
}

func (s *jsonShape) add(text []byte) {
	for _, c := range text {
		if s.inString {
			switch {
			case s.escaped:
				s.escaped = false
			case c == '\\':
				s.escaped = true
			case c == '"':
				s.inString = false
			}
			continue
		}
		switch c {
		case '"':
			s.inString = true
		case ',':
			s.values++
		case '{', '[':
			s.values++
			s.depth++
			s.deepest = max(s.deepest, s.depth)
		case '}', ']':
			s.depth--
		}
	}
}
