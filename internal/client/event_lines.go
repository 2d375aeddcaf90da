package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/http"
	"net/url"
	"time"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/api/protocol"
)

// EventLines implements jobs.CustomerData.
func (c *Client) EventLines(ctx context.Context, stream string) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		ctx, lines, end, err := c.stream(
			ctx,
			request{method: http.MethodGet, path: "/events", query: url.Values{"stream": {stream}}, accept: protocol.NDJSON},
		)
		if err != nil {
			yield(nil, err)
			return
		}
		defer end()
		out := make([]byte, 0, 2*answerBuffer)
		for more := true; more; {
			out, more, err = c.appendEvent(ctx, lines, out)
			if more && err == nil && len(out) < answerBuffer && lines.buffered() {
				continue
			}
			if len(out) > 0 && !yield(out, nil) {
				return
			}
			if err != nil {
				yield(nil, err)
				return
			}
			out = out[:0]
		}
	}
}

// appendEvent appends the line of the next event. more is false after the end of the answer.
func (c *Client) appendEvent(ctx context.Context, lines *lines, out []byte) (_ []byte, more bool, err error) {
	text, err := lines.next()
	if err != nil {
		return out, false, c.cutOff(ctx, err)
	}
	if isEventLine(text) {
		return append(append(out, text...), '\n'), true, nil
	}
	var line protocol.Event
	if err := decodeLine(text, &line); err != nil {
		return out, false, c.cutOff(ctx, err)
	}
	if line.End != nil {
		return out, false, lines.end(ctx, line.End)
	}
	if line.ID == "" || line.Time == nil || len(line.Data) == 0 || line.Data[0] != '{' {
		return out, false, c.malformed(errors.New("a line has neither an event nor the end"))
	}
	at := line.Time.UTC()
	line.Time = &at
	w := bytes.NewBuffer(out)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(line); err != nil {
		return out, false, c.malformed(err)
	}
	return w.Bytes(), true, nil
}

// maxBrackets is the number of brackets up to which isEventLine reads a line: gjson goes down
// into a value by recursion, without a limit of its own.
const maxBrackets = 1000

// isEventLine reports whether a line is an event in exactly the form that a runner writes. A
// line in another form may be an event too.
func isEventLine(line []byte) bool {
	rest, ok := bytes.CutPrefix(line, []byte(`{"id":"`))
	end := bytes.IndexByte(rest, '"')
	if !ok || end < 1 || !plainID(rest[:end]) {
		return false
	}
	rest, ok = bytes.CutPrefix(rest[end:], []byte(`","time":"`))
	end = bytes.IndexByte(rest, '"')
	if !ok || end < 0 || end > len(time.RFC3339Nano) {
		return false
	}
	clock := rest[:end]
	at, err := time.Parse(time.RFC3339Nano, string(clock))
	if err != nil || string(at.UTC().AppendFormat(make([]byte, 0, len(time.RFC3339Nano)), time.RFC3339Nano)) != string(clock) {
		return false
	}
	rest, ok = bytes.CutPrefix(rest[end:], []byte(`","data":`))
	if !ok || len(rest) < len("{}}") || rest[0] != '{' || rest[len(rest)-1] != '}' {
		return false
	}
	data := rest[:len(rest)-1]
	return bytes.Count(data, []byte("{"))+bytes.Count(data, []byte("[")) <= maxBrackets && gjson.ValidBytes(data) && utf8.Valid(line)
}

// plainID reports whether an id has only characters of ASCII that JSON does not escape.
func plainID(id []byte) bool {
	for _, c := range id {
		if c < ' ' || c == '\\' || c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
