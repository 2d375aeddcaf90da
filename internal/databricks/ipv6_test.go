package databricks_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// A host can be an IPv6 address: the driver's requests reach it.
func TestIPv6Host(t *testing.T) {
	t.Parallel()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "[::1]:0")
	if err != nil {
		t.Skipf("LEFT OUT: this machine has no IPv6 loopback: %v", err)
	}
	tcp, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		t.Fatalf("got the address %v", l.Addr())
	}
	port := tcp.Port
	var asked atomic.Int32
	server := &httptest.Server{Listener: l, Config: &http.Server{ReadHeaderTimeout: time.Minute,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			asked.Add(1)
			http.Error(w, "no", http.StatusUnauthorized)
		})}}
	server.Start()
	t.Cleanup(server.Close)
	_, err = databricks.Open(t.Context(), databricks.Config{
		Host: "http://[::1]", Port: port, HTTPPath: "/sql", LoopbackHosts: true,
		Token: func(context.Context) (jobs.Secret, error) { return jobs.NewSecret("dapi-1"), nil },
	})
	if !jobs.IsCode(err, jobs.CodeUnauthorized) || asked.Load() == 0 {
		t.Errorf("got %v after %d requests, want that the host refuses the token", err, asked.Load())
	}
}
