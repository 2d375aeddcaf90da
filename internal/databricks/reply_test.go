package databricks

import (
	"errors"
	"testing"
)

func FuzzParseReply(f *testing.F) {
	f.Add("FetchResults", thriftCall(2, "FetchResults"))
	f.Add("ExecuteStatement", thriftCall(3, "ExecuteStatement"))
	f.Fuzz(func(_ *testing.T, method string, body []byte) {
		_ = requestMethod(body)
		_, _ = parseReply(method, body)
	})
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
		{"one page", []page{{0, 10, false}}, 10, true},
		{"an empty result", []page{{0, 0, false}}, 0, true},
		{"more to come", []page{{0, 10, true}}, 10, false},
		{"a page lost by the driver", []page{{0, 10, true}, {10, 5, false}}, 10, false},
		{"a page read twice", []page{{0, 10, true}, {20, 10, false}, {10, 10, true}}, 30, true},
		{"an empty page at the end", []page{{0, 10, true}, {10, 0, false}}, 10, true},
		{"padding", []page{{0, 10, false}}, 11, false},
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
