package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
	"unicode/utf8"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/egress"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/api/protocol"
)

const (
	// maxLine limits a line of a streamed answer in bytes. A line has one event, one
	// profile or one run; the largest of them have some megabytes.
	maxLine = 32 << 20
	// lineTimeout limits the time of one line. The first line of a scan comes after the
	// runner has read the audience.
	lineTimeout = answerTimeout
	// answerBuffer is the size of the buffer of a streamed answer in bytes.
	answerBuffer = 64 << 10
)

// lines reads a streamed answer line by line.
type lines struct {
	c      *Client
	reader *bufio.Reader
	cancel context.CancelCauseFunc
}

// next returns the next line that is not empty. It is valid until the next call. next returns
// io.EOF at the end.
func (l *lines) next() ([]byte, error) {
	var timer *time.Timer
	for {
		// The timer runs only while a line is awaited, because the caller may be slow.
		if timer == nil && !l.buffered() {
			timer = time.AfterFunc(lineTimeout, func() {
				l.cancel(l.exceeds(fmt.Sprintf("has a line that did not end within %s", lineTimeout), true))
			})
			defer timer.Stop()
		}
		line, err := l.read()
		if line = bytes.TrimRight(line, "\r\n"); len(line) > 0 || err != nil {
			return line, err
		}
	}
}

// buffered reports whether the next line can be read without waiting.
func (l *lines) buffered() bool {
	text, _ := l.reader.Peek(l.reader.Buffered())
	return bytes.IndexByte(text, '\n') >= 0
}

// read returns the next line with its end. A last line without an end is an error,
// because it may be incomplete.
func (l *lines) read() ([]byte, error) {
	var line []byte
	for {
		part, err := l.reader.ReadSlice('\n')
		if len(line)+len(part) > maxLine {
			return nil, l.exceeds(fmt.Sprintf("has a line of more than %d MiB", maxLine>>20), false)
		}
		if err == nil && line == nil {
			return part, nil
		}
		line = append(line, part...)
		switch {
		case err == nil:
			return line, nil
		case err == bufio.ErrBufferFull: //nolint:errorlint // the very value
		case err == io.EOF && len(line) > 0:
			return nil, io.ErrUnexpectedEOF
		default:
			return nil, err
		}
	}
}

// lineError is the error of a line that is not what the API describes.
type lineError struct{ why string }

func (e *lineError) Error() string { return e.why }

// decode decodes the next line, which is an object.
func (l *lines) decode(out any) error {
	line, err := l.next()
	if err != nil {
		return err
	}
	return decodeLine(line, out)
}

// decodeLine decodes a line, which is an object.
func decodeLine(line []byte, out any) error {
	if line[0] != '{' || !utf8.Valid(line) {
		return &lineError{"a line is no object"}
	}
	if err := json.Unmarshal(line, out); err != nil {
		return &lineError{err.Error()}
	}
	return nil
}

// end returns the error of the last line. Nothing may follow it.
func (l *lines) end(ctx context.Context, last *protocol.End) error {
	if last.Problem != nil {
		return l.c.problem(last.Problem)
	}
	switch _, err := l.next(); {
	case err == nil:
		return l.c.malformed(errors.New("a line follows the end"))
	case err != io.EOF: //nolint:errorlint // io.EOF itself ends an answer
		return l.c.cutOff(ctx, err)
	}
	return nil
}

func (l *lines) exceeds(what string, late bool) *egress.AnswerError {
	return &egress.AnswerError{Method: "GET", Host: l.c.base.Host, Exceeds: what, Late: late}
}
