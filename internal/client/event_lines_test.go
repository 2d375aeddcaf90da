package client

import (
	"bufio"
	"bytes"
	"encoding/json"
	"testing"
	"time"
)

// A line that is copied is the line that decoding and encoding it gives.
func FuzzIsEventLine(f *testing.F) {
	for _, s := range []string{
		`{"id":"e1","time":"2024-01-02T03:04:05.6Z","data":{"a":"<1>","n":1.10}}`, `{"id":"e1","time":"2024-01-02T03:04:05Z","data":{}}`,
		`{"id":"\u0061","time":"2024-01-02T03:04:05.60Z","data":{}}`, `{"id":"a","time":"2024-01-02T03:04:05+01:00","data":{}}`,
		`{"id":"a","time":"2024-01-02T03:04:05Z","data":{"a":1},"end":{}}`, `{"id":"a","time":"2024-01-02T03:04:05Z","data":{"a":1},"id":"b"}`,
		`{"id":"","time":"2024-01-02T03:04:05Z","data":{}}`, `{"id":"a","time":"2024-01-02T03:04:05Z","data":{"a":[{]}}`, `{"end":{}}`,
		`{"id":"a","time":"2024-01-02T03:04:05,1Z","data":{}}`, `{"id":"a","time":"2024-01-02T03:04:05Z","data":{}}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if bytes.ContainsAny(text, "\r\n") || !isEventLine(text) {
			return
		}
		answer := append(append([]byte{}, text...), '\n')
		var e struct {
			ID   string          `json:"id"`
			Time time.Time       `json:"time"`
			Data json.RawMessage `json:"data"`
		}
		l := &lines{reader: bufio.NewReader(bytes.NewReader(answer))}
		if err := l.decode(&e); err != nil || e.ID == "" || e.Data[0] != '{' {
			t.Fatalf("%s is copied: %v", text, err)
		}
		// Data may have spaces that an encoder leaves out.
		var want, got bytes.Buffer
		encoder := json.NewEncoder(&want)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(e); err != nil {
			t.Fatal(err)
		}
		if err := json.Compact(&got, answer); err != nil {
			t.Fatal(err)
		}
		if got.String() != string(bytes.TrimSuffix(want.Bytes(), []byte("\n"))) {
			t.Errorf("%s is copied as it is, want %s", &got, &want)
		}
	})
}
