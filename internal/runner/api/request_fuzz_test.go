package api_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/api"
)

// parameter is a path parameter.
var parameter = regexp.MustCompile(`\{[^}]*\}`)

// call is an operation of the API's description.
type call struct{ method, path string }

func describedCalls() (all []call) {
	for path, item := range api.OpenAPI().Paths {
		for method, o := range map[string]*huma.Operation{
			http.MethodGet: item.Get, http.MethodPost: item.Post, http.MethodPut: item.Put, http.MethodDelete: item.Delete,
		} {
			if o != nil {
				all = append(all, call{method, path})
			}
		}
	}
	slices.SortFunc(all, func(a, b call) int { return strings.Compare(a.path+a.method, b.path+b.method) })
	return all
}

// No body, query or id of any operation makes the server panic or answer with a server
// error.
func FuzzRequest(f *testing.F) {
	calls := describedCalls()
	for i := range calls {
		f.Add(uint16(i), "job_1", "limit=1&limit=x", `{"spec":{"import":{},"export":null}}`)
		f.Add(uint16(i), "%2e%2e", "after=\x00", `{"spec":`)
		f.Add(uint16(i), "run_1", "", `{"id":"a","schedule":{"frequency":"daily"},"import":{"table":"t"},"authorization_id":"a"}`)
		f.Add(uint16(i), "email", "", `[]`)
	}
	f.Fuzz(func(t *testing.T, index uint16, id, query, body string) {
		c := calls[int(index)%len(calls)]
		if strings.HasSuffix(c.path, "/follow") {
			return // ends with the run
		}
		r := httptest.NewRequestWithContext(t.Context(), c.method, "http://localhost:8088/", strings.NewReader(body))
		r.URL.Path = parameter.ReplaceAllLiteralString(c.path, id)
		r.URL.RawQuery = query
		r.Header.Set("Authorization", "Bearer "+secret)
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		server(product(t, nil)).Handler().ServeHTTP(w, r)
		if w.Code >= http.StatusInternalServerError {
			t.Errorf("%s %s?%q with the id %q and the body %q: got %d %s", c.method, c.path, query, id, body, w.Code, w.Body.String())
		}
	})
}
