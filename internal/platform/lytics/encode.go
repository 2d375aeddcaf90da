package lytics

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/tidwall/gjson"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

// The keys of an event that are not columns of its row.
const (
	// EventID is the event's stable id.
	EventID = "_event_id"
	// EventTime is the event's own time; timestamp_field names it.
	EventTime = "_event_time"
)

// maxEvent is the most bytes that Lytics takes for one event of a batch.
const maxEvent = 16 << 10

// encodeEvent appends an event as Lytics takes it.
func encodeEvent(b []byte, e jobs.Event) ([]byte, error) {
	switch y := e.Time.UTC().Year(); {
	case e.ID == "":
		return b, errors.New("it has no id")
	case y < 0 || y > 9999:
		return b, fmt.Errorf("its time %s is no date of four-digit years", e.Time)
	}
	data := trimmed(e.Data)
	if len(data) == 0 || data[0] != '{' || !gjson.ValidBytes(data) {
		return b, errors.New("its data is not one JSON object")
	}
	start := len(b)
	b = append(b, `{"`+EventID+`":`...)
	b = value.AppendJSONString(b, e.ID)
	b = append(b, `,"`+EventTime+`":"`...)
	b = value.AppendTime(b, e.Time)
	b = append(b, '"')
	b, taken := appendColumns(b, data)
	if taken != "" {
		return b, fmt.Errorf("it has a column %s, which is the name of a key that each event gets; rename the column, or leave it out", taken)
	}
	b = append(b, '}')
	if n := len(b) - start; n > maxEvent {
		return b, fmt.Errorf("it has %d bytes, and Lytics takes events of up to %d; leave large columns out", n, maxEvent)
	}
	return b, nil
}

// jsonSpace is the white space of JSON.
const jsonSpace = " \t\r\n"

// trimmed gives JSON without the white space around it, which is rare.
func trimmed(data []byte) []byte {
	if n := len(data); n > 0 && data[0] > ' ' && data[n-1] > ' ' {
		return data
	}
	return bytes.Trim(data, jsonSpace)
}

// appendColumns copies the columns of a row, after a comma. Taken is a column with
// the name of EventID or EventTime, if the row has one.
func appendColumns(b, data []byte) (_ []byte, taken string) {
	if needsNoChange(data) {
		if inside := trimmed(data[1 : len(data)-1]); len(inside) > 0 {
			b = append(append(b, ','), inside...)
		}
		return b, ""
	}
	gjson.ParseBytes(data).ForEach(func(k, v gjson.Result) bool {
		if k.Str == EventID || k.Str == EventTime {
			taken = k.Str
			return false
		}
		b = append(b, ',')
		b = append(b, k.Raw...)
		b = append(b, ':')
		b = appendValue(b, v, false)
		return true
	})
	return b, taken
}

// needsNoChange reports, from a few searches in its bytes, that a row can be copied
// as it is: it has no object that could be in an array, and no key that could be
// EventID or EventTime, not even escaped.
func needsNoChange(data []byte) bool {
	nested := bytes.IndexByte(data, '[') >= 0 && bytes.IndexByte(data[1:], '{') >= 0
	return !nested && !bytes.Contains(data, []byte("_event_")) && !bytes.Contains(data, []byte(`\u`))
}

// appendValue copies JSON, number for number, with each object inside an array
// as a string.
func appendValue(b []byte, v gjson.Result, inArray bool) []byte {
	switch {
	case v.IsObject() && inArray:
		return value.AppendJSONString(b, v.Raw)
	case v.IsObject():
		b = append(b, '{')
		first := true
		v.ForEach(func(k, v gjson.Result) bool {
			if !first {
				b = append(b, ',')
			}
			first = false
			b = append(b, k.Raw...)
			b = append(b, ':')
			b = appendValue(b, v, false)
			return true
		})
		return append(b, '}')
	case v.IsArray():
		b = append(b, '[')
		first := true
		v.ForEach(func(_, v gjson.Result) bool {
			if !first {
				b = append(b, ',')
			}
			first = false
			b = appendValue(b, v, true)
			return true
		})
		return append(b, ']')
	default:
		return append(b, v.Raw...)
	}
}
