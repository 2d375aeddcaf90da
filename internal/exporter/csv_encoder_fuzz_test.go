package exporter

import (
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// Every text is read back from a record as it was, and NULL is not a text. The reader
// below follows the options of COPY INTO: the quote escapes itself, and a line feed
// outside quotes ends the record.
func FuzzRecord(f *testing.F) {
	for _, seed := range [][2]string{{"", "a"}, {`"`, `""`}, {"a,b", "\n"}, {"\r\n", "\x00"}, {`\N0K`, `\`}, {"\ufeff", "=1+1"}, {"\xff\xfe", "\u2028"}} {
		f.Add(seed[0], seed[1], false)
		f.Add(seed[0], seed[1], true)
	}
	f.Fuzz(func(t *testing.T, first, second string, null bool) {
		const marker = `\N0123456789ABCDEFGHIJKLMNOP`
		in := []jobs.Value{{Text: first}, {Text: second}, {Null: null}, {Text: first + second}}
		got, ok := readRecord(string(appendRecord(nil, in, marker)), marker)
		if !ok || len(got) != len(in) {
			t.Fatalf("got %d values and ok = %v, want %d: %+v", len(got), ok, len(in), got)
		}
		for i := range in {
			if got[i] != in[i] {
				t.Errorf("value %d: got %+v, want %+v", i, got[i], in[i])
			}
		}
	})
}

// readRecord reads exactly one record; ok is false if the text is something else.
func readRecord(text, null string) (values []jobs.Value, ok bool) {
	for {
		switch {
		case strings.HasPrefix(text, `"`):
			var value strings.Builder
			rest := text[1:]
			for {
				i := strings.IndexByte(rest, '"')
				if i < 0 {
					return nil, false
				}
				value.WriteString(rest[:i])
				if rest = rest[i+1:]; !strings.HasPrefix(rest, `"`) {
					break
				}
				value.WriteByte('"')
				rest = rest[1:]
			}
			values, text = append(values, jobs.Value{Text: value.String()}), rest
		case strings.HasPrefix(text, null):
			values, text = append(values, jobs.Value{Null: true}), text[len(null):]
		default:
			return nil, false
		}
		if text == "\n" {
			return values, true
		}
		if text, ok = strings.CutPrefix(text, ","); !ok {
			return nil, false
		}
	}
}
