package lytics_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/lytics"
)

// checklist 43: Lytics repeats its own token, and a warehouse's token that it is given,
// in an error that is cut in the middle of one.
func TestEchoesOfTokensAreInNoError(t *testing.T) {
	t.Parallel()
	const warehouse = "canary-warehouse+token/9c1d"
	said := "refused"
	for _, secret := range []string{canary, warehouse} {
		said += " " + secret + " " + url.QueryEscape(secret) + " " + base64.StdEncoding.EncodeToString([]byte("user:"+secret))
	}
	said += strings.Repeat(".", 490-len(said)) + " " + canary
	text, err := json.Marshal(map[string]any{"status": http.StatusBadRequest, "message": said, "request_id": "req-1"})
	if err != nil {
		t.Fatal(err)
	}
	p, err := lytics.Open(lytics.Config{Token: fixed(canary), HTTP: &http.Client{Transport: transport(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusBadRequest, Header: http.Header{"Content-Type": {"application/json"}},
			Body: io.NopCloser(bytes.NewReader(text))}, nil
	})}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.CreateAccountAuth(t.Context(), lytics.AuthDefinition{Host: "h", Token: jobs.NewSecret(warehouse)})
	if err == nil || !strings.Contains(err.Error(), "refused [redacted]") {
		t.Fatalf("got %v, want what Lytics said, without tokens", err)
	}
	for _, part := range []string{canary, canary[:8], warehouse, url.QueryEscape(warehouse), base64.StdEncoding.EncodeToString([]byte("user:" + canary))[8:20]} {
		if strings.Contains(err.Error(), part) {
			t.Errorf("%s is in %v", part, err)
		}
	}
}
