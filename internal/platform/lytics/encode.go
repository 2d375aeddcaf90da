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
	// EventID is the stable id of the event.
	EventID = "_event_id"
	// EventTime is the time of the event. The parameter timestamp_field names it.
	EventTime = "_event_time"
)

// maxEvent is the largest size in bytes of an event in a batch that Lytics accepts.
const maxEvent = 16 << 10

// encodeEvent appends an event in the form that Lytics accepts. If Lytics would
// reject this one event, refusal says why, and b is returned as it was. An error
// means that events of this kind cannot be sent at all.
func encodeEvent(b []byte, e jobs.Event) (_ []byte, refusal string, err error) {
	if e.ID == "" {
		return b, "", errors.New("it has no id")
	}
	if y := e.Time.UTC().Year(); y < 0 || y > 9999 {
		return b, "Its time is in a year that does not have four digits", nil
	}
	data := trimmed(e.Data)
	if len(data) == 0 || data[0] != '{' || !gjson.ValidBytes(data) {
		return b, "", errors.New("its data is not one JSON object")
	}
	start := len(b)
	b = append(b, `{"`+EventID+`":`...)
	b = value.AppendJSONString(b, e.ID)
	b = append(b, `,"`+EventTime+`":"`...)
	b = value.AppendTime(b, e.Time)
	b = append(b, '"')
	b, reserved := appendColumns(b, data)
	if reserved != "" {
		return b[:start], "", fmt.Errorf("it has a column %s, and each event gets a key of this name; rename the column, or leave it out",
			reserved)
	}
	b = append(b, '}')
	if n := len(b) - start; n > maxEvent {
		return b[:start], fmt.Sprintf("The event has %d bytes, and Lytics accepts up to %d in a batch", n, maxEvent), nil
	}
	return b, "", nil
}

// jsonSpace is the white space of JSON.
const jsonSpace = " \t\r\n"

// trimmed returns JSON without the white space around it.
func trimmed(data []byte) []byte {
	if n := len(data); n > 0 && data[0] > ' ' && data[n-1] > ' ' {
		return data
	}
	return bytes.Trim(data, jsonSpace)
}

// appendColumns appends a comma and the columns of a row. If the row has a column
// with the name EventID or EventTime, reserved is that name.
func appendColumns(b, data []byte) (_ []byte, reserved string) {
	if needsNoChange(data) {
		if inside := trimmed(data[1 : len(data)-1]); len(inside) > 0 {
			b = append(append(b, ','), inside...)
		}
		return b, ""
	}
	gjson.ParseBytes(data).ForEach(func(k, v gjson.Result) bool {
		if k.Str == EventID || k.Str == EventTime {
			reserved = k.Str
			return false
		}
		b = append(b, ',')
		b = append(b, k.Raw...)
		b = append(b, ':')
		b = appendValue(b, v, false)
		return true
	})
	return b, reserved
}

// needsNoChange reports whether a row can be copied as it is, from a few searches
// in its bytes: it has no object that could be in an array, and no key that could
// be EventID or EventTime, not even in an escaped form.
func needsNoChange(data []byte) bool {
	nested := bytes.IndexByte(data, '[') >= 0 && bytes.IndexByte(data[1:], '{') >= 0
	return !nested && !bytes.Contains(data, []byte("_event_")) && !bytes.Contains(data, []byte(`\u`))
}

// appendValue copies JSON, with all digits of its numbers. It writes an object in
// an array as a string of JSON, because Lytics rejects arrays of objects.
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
