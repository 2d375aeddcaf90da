package databricks

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// thriftText returns a string in Thrift's binary protocol.
func thriftText(text string) string {
	return string([]byte{0, 0, 0, byte(len(text))}) + text
}

// The warehouse ends a statement by the session parameter STATEMENT_TIMEOUT. It ignores the
// driver's timeout.
func TestQueryTimeoutIsASessionParameter(t *testing.T) {
	t.Parallel()
	for timeout, want := range map[time.Duration]string{
		90 * time.Minute:       "5400",
		0:                      "3600",
		300 * time.Millisecond: "1",
		1000 * time.Hour:       "172800",
	} {
		var mu sync.Mutex
		var opening []byte
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			mu.Lock()
			defer mu.Unlock()
			if requestMethod(body) == "OpenSession" {
				opening = body
			}
			w.WriteHeader(http.StatusNotFound)
		}))
		t.Cleanup(server.Close)
		cfg := serverConfig(t, server)
		cfg.HTTPPath, cfg.QueryTimeout = "/sql/1.0/warehouses/x", timeout
		cfg.Token = func(context.Context) (jobs.Secret, error) { return jobs.NewSecret("canary"), nil }
		if w, err := Open(t.Context(), cfg); err == nil {
			_ = w.Close()
			t.Fatal("a server that answers 404 was opened")
		}
		mu.Lock()
		defer mu.Unlock()
		for name, value := range map[string]string{"STATEMENT_TIMEOUT": want, "TIMEZONE": "UTC", "ANSI_MODE": "true"} {
			if parameter := thriftText(name) + thriftText(value); !bytes.Contains(opening, []byte(parameter)) {
				t.Errorf("a query timeout of %s: OpenSession has no parameter %s = %s: %q", timeout, name, value, opening)
			}
		}
	}
}
