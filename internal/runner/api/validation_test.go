package api_test

import (
	"net/http"
	"strings"
	"testing"
)

// checklist 76: an error about a request says where the mistake is and which
// rule it breaks, never the value, which may be a secret.
func TestValidationErrorsNeverRepeatValues(t *testing.T) {
	t.Parallel()
	const spec = `"spec":{"label":"l","host":"h","port":1,"http_path":"p"}`
	for name, body := range map[string]string{
		"unknown property":           `{` + spec + `,"tokn":"dapi-canary"}`,
		"secret as unknown property": `{` + spec + `,"dapi-canary":"x"}`,
		"secret of another type":     `{` + spec + `,"token":{"dapi-canary":"dapi-canary"}}`,
		"secret as a number":         `{` + spec + `,"token":["dapi-canary"]}`,
		"secret in place of spec":    `{"spec":"dapi-canary"}`,
		"secret as port":             `{"spec":{"label":"l","host":"h","port":"dapi-canary","http_path":"p"}}`,
		"missing property":           `{"token":"dapi-canary"}`,
		"not JSON":                   `{"token":"dapi-canary"`,
		"not JSON at the secret":     `{"token":dapi-canary}`,
		"secret alone":               `dapi-canary`,
	} {
		resp := ask(t, server(product(t, nil)).Handler(), http.MethodPost, "/api/v1/authorizations", body, nil)
		if resp.StatusCode < 400 || resp.StatusCode >= 500 || strings.Contains(resp.Body, "canary") {
			t.Errorf("%s: got %d %s, want an error of the request without its values", name, resp.StatusCode, resp.Body)
		}
	}
	resp := ask(t, server(product(t, nil)).Handler(), http.MethodPost, "/api/v1/authorizations", `{`+spec+`,"tokn":"dapi-canary"}`, nil)
	if want := "unexpected property (body.tokn)"; !strings.Contains(resp.Body, want) {
		t.Errorf("got %s, want the place of the mistake: %s", resp.Body, want)
	}
}
