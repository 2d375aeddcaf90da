package rows

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"
)

// appendJSON appends the nested value that to_json wrote as text.
func appendJSON(to array.Builder, t *types.Type, text string, location *time.Location) error {
	if t.Atomic() {
		return appendText(to, t, text, location)
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	r := jsonReader{Decoder: d, location: location}
	if err := r.value(to, t); err != nil {
		return fmt.Errorf("%w in %s", err, text)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("JSON with more than one value: %s", text)
	}
	return nil
}

type jsonReader struct {
	*json.Decoder
	location *time.Location
}

func (r jsonReader) value(to array.Builder, t *types.Type) error {
	token, err := r.Token()
	if err != nil {
		return err
	}
	switch v := token.(type) {
	case nil:
		to.AppendNull()
		return nil
	case json.Delim:
		return r.nested(to, t, v)
	case bool:
		return appendText(to, t, strconv.FormatBool(v), r.location)
	case json.Number:
		return appendText(to, t, v.String(), r.location)
	case string:
		return appendText(to, t, v, r.location)
	}
	return fmt.Errorf("unexpected %v, want a value", token)
}

func (r jsonReader) nested(to array.Builder, t *types.Type, open json.Delim) error {
	switch b := to.(type) {
	case *array.ListBuilder:
		b.Append(true)
		for r.More() {
			if err := r.value(b.ValueBuilder(), t.Elem); err != nil {
				return err
			}
		}
	case *array.MapBuilder:
		b.Append(true)
		for r.More() {
			key, err := r.Token()
			if err != nil {
				return err
			}
			if err := appendKey(b.KeyBuilder(), t.Key, fmt.Sprint(key), r.location); err != nil {
				return err
			}
			if err := r.value(b.ItemBuilder(), t.Elem); err != nil {
				return err
			}
		}
	case *array.StructBuilder:
		b.Append(true)
		for i := 0; r.More(); i++ {
			// Fields are matched by position: names may differ in case only.
			name, err := r.Token()
			if err != nil {
				return err
			}
			if i >= len(t.Fields) || name != t.Fields[i].Name {
				return fmt.Errorf("field %d is %q, which does not match %s", i, name, t)
			}
			if err := r.value(b.FieldBuilder(i), t.Fields[i].Type); err != nil {
				return err
			}
		}
	default:
		return fmt.Errorf("unexpected %v, want a %s", open, t)
	}
	_, err := r.Token() // the closing bracket
	return err
}

// appendKey appends a map's key. to_json writes dates as days and timestamps as
// microseconds in keys.
func appendKey(to array.Builder, t *types.Type, text string, location *time.Location) error {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return appendText(to, t, text, location)
	}
	switch b := to.(type) {
	case *array.Date32Builder:
		b.Append(arrow.Date32(n))
	case *array.TimestampBuilder:
		b.Append(arrow.Timestamp(n))
	default:
		return appendText(to, t, text, location)
	}
	return nil
}
