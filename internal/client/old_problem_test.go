package client_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/api/protocol"
)

// checklist 76: a runner of an earlier release repeats the values of a request that
// it refuses. What this release prints has the place and the rule.
func TestARefusalOfAnOlderRunnerIsPrintedWithoutValues(t *testing.T) {
	t.Parallel()
	const title = "The runner cannot accept this request: validation failed"
	for _, c := range []struct{ title, detail, want string }{
		{title, "expected string (body.spec.host: map[dapi-canary:x])", "expected string (body.spec.host); the value"},
		{title, "expected number (body.spec.port: dapi-canary); expected string (body.token: [dapi-canary])", "expected number (body.spec.port); the value"},
		{title, "unexpected property (body.dapi-canary: x)", "unexpected property (body); the value"},
		{title, "expected required property spec to be present (body: map[token:dapi-canary; (body.x)])",
			"expected required property spec to be present (body); the value"},
		{title, "expected array (body.spec.fields[3]: dapi-canary)", "expected array (body.spec.fields[3]); the value"},
		{title, "unexpected property (body.tokn); expected string (body.token)", "unexpected property (body.tokn); expected string (body.token)"},
		{"The table was not found", "Its place (body: main) is not seen", "Its place (body: main) is not seen"},
	} {
		text, err := json.Marshal(protocol.Problem{Title: c.title, Detail: c.detail, Status: 422, Code: jobs.CodeInvalid})
		if err != nil {
			t.Fatal(err)
		}
		cl, _ := at(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set(protocol.VersionHeader, "1")
			problem(w, http.StatusUnprocessableEntity, string(text))
		})
		_, err = cl.Jobs(t.Context())
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: got %v, want %q", c.detail, err, c.want)
		}
	}
}
