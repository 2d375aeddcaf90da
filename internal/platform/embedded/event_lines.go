package embedded

import (
	"bytes"
	"context"
	"errors"
	"hash/crc32"
	"io"
	"iter"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

// linesPiece is the number of bytes from which on EventLines gives a piece away.
const linesPiece = 64 << 10

// EventLines reads a stream as Events does, as the text that jobs.CustomerData describes. It
// copies the stored lines, in which only the time may have another form.
func (p *Platform) EventLines(ctx context.Context, stream string) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		r, err := p.readStream(ctx, stream)
		if err != nil {
			yield(nil, err)
			return
		}
		defer r.close()
		out := make([]byte, 0, linesPiece+writeChunk)
		for {
			out, err = r.appendLines(ctx, out)
			if len(out) >= linesPiece || err != nil && len(out) > 0 {
				if !yield(out, nil) {
					return
				}
				out = out[:0]
			}
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(nil, err)
				return
			}
		}
	}
}

// appendLines appends the next lines of a stream, as many as are in memory, and at least one.
// It returns io.EOF after the last line.
func (r *streamReader) appendLines(ctx context.Context, out []byte) ([]byte, error) {
	for r.atEnd() {
		if err := r.advance(ctx); err != nil {
			return out, err
		}
	}
	buffered, _ := r.text.buffer.Peek(r.text.buffer.Buffered())
	buffered = buffered[:min(int64(len(buffered)), r.current.text()-r.at.offset)]
	lines, length, appended := appendStored(out, buffered)
	if lines == 0 {
		e, err := r.next(ctx)
		if err != nil {
			return out, err
		}
		return appendRead(out, e), nil
	}
	r.at.checksum = crc32.Update(r.at.checksum, castagnoli, buffered[:length])
	r.at.offset += int64(length)
	r.at.events += int64(lines)
	if _, err := r.text.buffer.Discard(length); err != nil {
		return out, r.readError(err)
	}
	if err := r.checkExtent(); err != nil {
		return out, err
	}
	return appended, nil
}

// appendStored appends the lines that a text begins with, up to the first one that is not
// complete or that only parseLine can read. It returns their number, and their length in the
// text. It writes the time as time.RFC3339Nano does, without zeros at the end.
func appendStored(out, text []byte) (lines, length int, appended []byte) {
	const timeAt, dataAt = len(`"` + lineTime), len(`"`+lineTime) + len(lineClock)
	copied := 0
	for {
		rest := text[length:]
		if !bytes.HasPrefix(rest, []byte(lineID+`"`)) {
			break
		}
		id := bytes.IndexByte(rest[len(lineID)+1:], '"') + len(lineID) + 1
		if id <= len(lineID) || bytes.IndexByte(rest[:id], '\\') >= 0 {
			break
		}
		fields := rest[id:]
		if len(fields) < dataAt+len(lineData) || string(fields[:timeAt]) != `"`+lineTime || string(fields[dataAt:dataAt+len(lineData)]) != lineData {
			break
		}
		if !isClock(string(fields[timeAt:dataAt])) {
			break
		}
		end := bytes.IndexByte(fields[dataAt:], '\n')
		if end < 1 || fields[dataAt+end-1] != '}' {
			break
		}
		if micros := length + id + dataAt - len("0Z"); text[micros] == '0' {
			out = append(out, text[copied:shorterClock(text, micros)]...)
			copied = micros + 1
		}
		length += id + dataAt + end + 1
		lines++
	}
	return lines, length, append(out, text[copied:length]...)
}

// isClock reports whether a text has exactly the form of lineClock, and is a time.
func isClock(text string) bool {
	const second, zone = len("2006-01-02T15:04:05"), len(lineClock) - 1
	if text[len("2006-01-02")] != 'T' || text[second] != '.' || text[zone] != 'Z' {
		return false
	}
	_, ok := value.ParseFixedTime(text)
	return ok
}

// shorterClock returns the end of a time without the zeros that its fraction ends with, and
// without the point if nothing is left of the fraction. last is the fraction's last digit.
func shorterClock(text []byte, last int) int {
	for text[last] == '0' {
		last--
	}
	if text[last] == '.' {
		return last
	}
	return last + 1
}

// appendRead appends an event that parseLine has read.
func appendRead(out []byte, e rawEvent) []byte {
	out = value.AppendJSONString(append(out, lineID...), e.id)
	out = append(out, lineTime...)
	out = time.UnixMicro(e.micros).UTC().AppendFormat(out, time.RFC3339Nano)
	out = append(out, lineData...)
	out = append(out, e.data...)
	return append(out, lineEnd...)
}
