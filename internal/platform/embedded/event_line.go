package embedded

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

// The directories of streams and of the locks of writers, in the data directory. The
// name of a stream's directory never begins with a dot.
const (
	topDir     = "streams"
	streamsDir = topDir
	writersDir = topDir + "/.writers"
)

// streamDir is the path of a stream's directory in the data directory, with slashes.
func streamDir(stream string) string { return path.Join(streamsDir, escapeStream(stream)) }

// deviceNames are not allowed as file names on Windows.
var deviceNames = []string{
	"con", "prn", "aux", "nul",
	"com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9",
	"lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
}

// longestDir is the length, in bytes, of the longest directory name without a digest.
const longestDir = 120

// escapeStream returns the name of a stream's directory. A plain name is used
// unchanged. In other names, special characters become underscores, and a digest of the
// name follows, so that each stream has its own directory, even on a file system that
// ignores case.
func escapeStream(stream string) string {
	plain := func(r rune) bool { return r == '_' || r == '-' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9' }
	kept := strings.Map(func(r rune) rune {
		if plain(r) {
			return r
		}
		if r >= 'A' && r <= 'Z' {
			return r - 'A' + 'a'
		}
		return '_'
	}, stream)
	if kept == stream && len(stream) <= longestDir && !slices.Contains(deviceNames, stream) {
		return stream
	}
	digest := sha256.Sum256([]byte(stream))
	return kept[:min(len(kept), longestDir)] + "~" + hex.EncodeToString(digest[:8])
}

// The fixed parts of the line of an event:
//
//	{"id":"...","time":"2006-01-02T15:04:05.000000Z","data":{...}}
const (
	lineID    = `{"id":`
	lineTime  = `,"time":"`
	lineData  = `","data":`
	lineEnd   = "}\n"
	lineClock = "2006-01-02T15:04:05.000000Z"
)

// The first and the last second of four-digit years, since 1970.
const firstSecond, lastSecond = -62_167_219_200, 253_402_300_799

// checkEvent refuses an event of a kind that no line can represent: its source is
// wrong. An event whose time no line can represent is rejected by splitRejected.
func checkEvent(e jobs.Event) error {
	switch {
	case e.ID == "":
		return errors.New("it has no id")
	case !gjson.ValidBytes(e.Data) || e.Data[0] != '{' && bytes.TrimLeft(e.Data, " \t\r\n")[0] != '{':
		return errors.New("its data is not one JSON object")
	}
	return nil
}

// splitRejected separates the events that no line can hold from the others.
func splitRejected(events []jobs.Event) (kept []jobs.Event, rejected []jobs.RejectedEvent) {
	for i, e := range events {
		switch at := e.Time.Unix(); {
		case at < firstSecond || at > lastSecond:
			if len(rejected) == 0 {
				kept = slices.Clone(events[:i])
			}
			rejected = append(rejected, jobs.RejectedEvent{
				Event: e, Reason: "Its time is in a year that does not have four digits", Bytes: int64(len(e.Data)),
			})
		case len(rejected) > 0:
			kept = append(kept, e)
		}
	}
	if len(rejected) == 0 {
		return events, nil
	}
	return kept, rejected
}

func appendLine(b []byte, e jobs.Event) []byte {
	data := e.Data
	if bytes.IndexByte(data, '\n') >= 0 {
		var compact bytes.Buffer
		// Compact cannot fail: checkEvent found the JSON valid.
		_ = json.Compact(&compact, data)
		data = compact.Bytes()
	}
	b = append(b, lineID...)
	b = value.AppendJSONString(b, e.ID)
	b = append(b, lineTime...)
	b = value.AppendTime(b, e.Time)
	b = append(b, lineData...)
	b = append(b, data...)
	return append(b, lineEnd...)
}

// rawEvent holds the parts of a line. They share the line's memory.
type rawEvent struct {
	id     string
	micros int64
	data   string
}

func parseLine(line string) (rawEvent, bool) {
	rest, ok := strings.CutPrefix(line, lineID)
	if !ok || len(rest) < 2 || rest[0] != '"' {
		return rawEvent{}, false
	}
	end := strings.IndexByte(rest[1:], '"') + 1
	id := rest[1:max(end, 1)]
	if end < 1 || strings.IndexByte(id, '\\') >= 0 {
		r := gjson.Parse(rest)
		id, end = r.Str, len(r.Raw)-1
	}
	rest, ok = strings.CutPrefix(rest[end+1:], lineTime)
	if !ok || len(rest) < len(lineClock) {
		return rawEvent{}, false
	}
	micros, ok := parseClock(rest[:len(lineClock)])
	if !ok {
		return rawEvent{}, false
	}
	data, ok := strings.CutPrefix(rest[len(lineClock):], lineData)
	if !ok {
		return rawEvent{}, false
	}
	data, ok = strings.CutSuffix(data, lineEnd)
	return rawEvent{id: id, micros: micros, data: data}, ok
}

// parseClock reads the time of a line, in microseconds since 1970.
func parseClock(text string) (micros int64, ok bool) {
	if text[len(text)-1] == 'Z' && text[len("2006-01-02")] == 'T' {
		if micros, ok = value.ParseFixedTime(text); ok {
			return micros, true
		}
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	return t.UnixMicro(), err == nil
}
