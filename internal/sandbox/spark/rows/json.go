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

// jsonOf appends a nested value from what to_json made of it.
func jsonOf(to array.Builder, t *types.Type, text string, location *time.Location) error {
	if t.Atomic() {
		return textOf(to, t, text, location)
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	r := jsonReader{Decoder: d, location: location}
	if err := r.value(to, t); err != nil {
		return fmt.Errorf("%w in %s", err, text)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("more than one value in %s", text)
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
		return textOf(to, t, strconv.FormatBool(v), r.location)
	case json.Number:
		return textOf(to, t, v.String(), r.location)
	case string:
		return textOf(to, t, v, r.location)
	}
	return fmt.Errorf("%v where a value should be", token)
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
			if err := keyOf(b.KeyBuilder(), t.Key, fmt.Sprint(key), r.location); err != nil {
				return err
			}
			if err := r.value(b.ItemBuilder(), t.Elem); err != nil {
				return err
			}
		}
	case *array.StructBuilder:
		b.Append(true)
		for i := 0; r.More(); i++ {
			// By position: two names may differ by nothing that JSON keeps apart.
			name, err := r.Token()
			if err != nil {
				return err
			}
			if i >= len(t.Fields) || name != t.Fields[i].Name {
				return fmt.Errorf("field %d is %q, which is not what %s has there", i, name, t)
			}
			if err := r.value(b.FieldBuilder(i), t.Fields[i].Type); err != nil {
				return err
			}
		}
	default:
		return fmt.Errorf("%v where a %s should be", open, t)
	}
	_, err := r.Token() // the closing bracket
	return err
}

// keyOf appends the key of a map. to_json writes the keys of some types as Spark
// holds them: dates as days, timestamps as microseconds.
func keyOf(to array.Builder, t *types.Type, text string, location *time.Location) error {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return textOf(to, t, text, location)
	}
	switch b := to.(type) {
	case *array.Date32Builder:
		b.Append(arrow.Date32(n))
	case *array.TimestampBuilder:
		b.Append(arrow.Timestamp(n))
	default:
		return textOf(to, t, text, location)
	}
	return nil
}
