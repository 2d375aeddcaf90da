package databricks

import (
	"bytes"
	"errors"
	"testing"
)

func FuzzParseReply(f *testing.F) {
	f.Add("FetchResults", thriftCall(2, "FetchResults"))
	f.Add("ExecuteStatement", thriftCall(3, "ExecuteStatement"))
	f.Fuzz(func(t *testing.T, method string, body []byte) {
		_ = requestMethod(body)
		r, err := parseReply(method, body)
		if err != nil || r.page == nil {
			return
		}
		// What is left without its batches says the same.
		left, err := parseReply(method, newCall(t.Context(), true).lift(bytes.NewBuffer(body), r.page).Bytes())
		if err != nil || left.page == nil || left.page.start != r.page.start || left.page.rows != r.page.rows || left.page.more != r.page.more || len(left.page.parts) != len(r.page.parts) {
			t.Errorf("%+v became %+v: %v", r.page, left.page, err)
		}
	})
}

// The driver asks again for a page that it did not expect; of what it passes by
// nothing is kept.
func TestPartsOfPagesThatTheDriverPassesByAreNotKept(t *testing.T) {
	t.Parallel()
	c := newCall(t.Context(), true)
	body := []byte("....first....second")
	batches := func(start int64) *page {
		return &page{start: start, rows: 10, parts: []part{{rows: 5, inline: true, from: 4, to: 9}, {rows: 5, inline: true, from: 13, to: 19}}}
	}
	for _, start := range []int64{0, 20, 10, 0} {
		if left := c.lift(bytes.NewBuffer(body), batches(start)); left.String() != "\x00\x00\x00\x00\x00\x00\x00\x00" {
			t.Errorf("%q is left", left)
		}
	}
	for _, want := range []string{"first", "second", "first", "second"} {
		if got, err := c.arrival(); err != nil || string(got.batch) != want || got.rows != 5 || (got.done != nil) != (want == "second") {
			t.Errorf("%+v arrived: %v", got, err)
		}
	}
	if _, err := c.arrival(); err == nil {
		t.Error("more arrived")
	}
}

func TestIncompleteResults(t *testing.T) {
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
				call.note("FetchResults", reply{page: &p})
			}
			if err := call.incomplete(c.read); (err == nil) != c.whole {
				t.Errorf("incomplete = %v, want whole %t", err, c.whole)
			}
		})
	}
	call := newCall(t.Context(), true)
	call.fail(&failure{method: "CloseOperation", err: errors.New("x")})
	if call.failed() != nil {
		t.Error("a failure to tidy up counts as a failure of the statement")
	}
}
