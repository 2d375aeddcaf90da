package databricks

import (
	"bytes"
	"errors"
	"testing"
)

func FuzzParseReply(f *testing.F) {
	f.Add("FetchResults", emptyAnswer("FetchResults"))
	f.Add("ExecuteStatement", emptyAnswer("ExecuteStatement"))
	f.Fuzz(func(t *testing.T, method string, body []byte) {
		_ = requestMethod(body)
		r, err := parseReply(method, body)
		if err != nil || r.page == nil {
			return
		}
		// The rest without the batches declares the same rows.
		rest, err := parseReply(method, newCall(t.Context(), true).extractBatches(bytes.NewBuffer(body), r.page).Bytes())
		if err != nil || rest.page == nil || rest.page.start != r.page.start || rest.page.rows != r.page.rows ||
			rest.page.more != r.page.more || len(rest.page.parts) != len(r.page.parts) {
			t.Errorf("got %+v, %v, want %+v without the batches", rest.page, err, r.page)
		}
	})
}

// The driver skips a page that does not contain the row that it expects, and requests it
// again. The batches of a skipped page must not be kept.
func TestSkippedPagesLeaveNoParts(t *testing.T) {
	t.Parallel()
	c := newCall(t.Context(), true)
	body := []byte("....first....second")
	batches := func(start int64) *page {
		return &page{start: start, rows: 10, parts: []part{{rows: 5, inline: true, from: 4, to: 9}, {rows: 5, inline: true, from: 13, to: 19}}}
	}
	for _, start := range []int64{0, 20, 10, 0} {
		p := batches(start)
		p.wanted = c.advance(p)
		rest := c.extractBatches(bytes.NewBuffer(body), p)
		if want := "\x00\x00\x00\x00\x00\x00\x00\x00"; rest.String() != want {
			t.Errorf("got a rest of %q, want two lengths of 0", rest)
		}
	}
	for _, want := range []string{"first", "second", "first", "second"} {
		if got, err := c.nextPart(); err != nil || string(got.batch) != want || got.rows != 5 || (got.page != nil) != (want == "second") {
			t.Errorf("got %+v, %v, want %q of 5 rows", got, err, want)
		}
	}
	if _, err := c.nextPart(); err == nil {
		t.Error("got another part, want an error")
	}
}

func TestIncompleteResultIsAnError(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name  string
		pages []page
		read  int64
		whole bool
	}{
		{"no page", nil, 0, false},
		{"one page", []page{{start: 0, rows: 10, more: false}}, 10, true},
		{"an empty result", []page{{start: 0, rows: 0, more: false}}, 0, true},
		{"more to come", []page{{start: 0, rows: 10, more: true}}, 10, false},
		{"a page lost by the driver", []page{{start: 0, rows: 10, more: true}, {start: 10, rows: 5, more: false}}, 10, false},
		{"a page read twice", []page{{start: 0, rows: 10, more: true}, {start: 20, rows: 10, more: false}, {start: 10, rows: 10, more: true}}, 30, true},
		{"an empty page at the end", []page{{start: 0, rows: 10, more: true}, {start: 10, rows: 0, more: false}}, 10, true},
		{"padding", []page{{start: 0, rows: 10, more: false}}, 11, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			call := newCall(t.Context(), true)
			for _, p := range c.pages {
				call.record("FetchResults", reply{page: &p})
			}
			if err := call.checkComplete(c.read); (err == nil) != c.whole {
				t.Errorf("got %v, want a whole result %t", err, c.whole)
			}
		})
	}
	call := newCall(t.Context(), true)
	call.recordFailure(&failure{method: "CloseOperation", err: errors.New("x")})
	if call.firstFailure() != nil {
		t.Error("got the failure of a clean-up call as the failure of the statement")
	}
}
