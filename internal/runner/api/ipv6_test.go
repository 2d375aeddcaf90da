package api_test

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/client"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/api"
)

// A runner listens on an IPv6 address, and a client reaches it at a URL with the address.
func TestARunnerOnAnIPv6Address(t *testing.T) {
	t.Parallel()
	l, names, err := api.Listen(t.Context(), "[::1]:0", "", "")
	if err != nil {
		t.Skipf("LEFT OUT: it needs the address ::1: %v", err)
	}
	s := api.New(api.Config{API: product(t, nil), Token: jobs.NewSecret(secret), Hosts: names, Release: "1.2.3"})
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- api.Serve(ctx, l, s.Handler(), slog.New(slog.DiscardHandler), time.Second) }()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"[::1]", "[0:0:0:0:0:0:0:1]"} {
		c, err := client.New(client.Config{URL: "http://" + host + ":" + port, Token: jobs.NewSecret(secret), Release: "1.2.3"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Jobs(t.Context()); err != nil {
			t.Errorf("%s: got %v, want the jobs", host, err)
		}
		_ = c.Close()
	}
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// checklist 54: the list of hosts has an IPv6 address in all of its spellings, with any
// port and zone, and no other address.
func TestIPv6HostsOfRequests(t *testing.T) {
	t.Parallel()
	s := api.New(api.Config{API: product(t, nil), Token: jobs.NewSecret(secret), Hosts: []string{"2001:db8::7", "[2001:DB8::8]", "192.0.2.9"}})
	for host, want := range map[string]int{
		"[2001:db8::7]": http.StatusOK, "[2001:db8::7]:8443": http.StatusOK, "[2001:DB8:0:0::7]:8443": http.StatusOK, "[2001:db8::8]:1": http.StatusOK,
		"[::1]:8443": http.StatusOK, "[::ffff:127.0.0.1]": http.StatusOK, "[::ffff:192.0.2.9]:1": http.StatusOK,
		"[2001:db8::9]:8443": http.StatusMisdirectedRequest, "[::ffff:192.0.2.1]": http.StatusMisdirectedRequest, "[fe80::1%25eth0]": http.StatusMisdirectedRequest,
		"[::]:8443": http.StatusMisdirectedRequest,
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/v1/jobs", nil)
		r.Host = host
		r.Header.Set("Authorization", "Bearer "+secret)
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%s: got %d %s, want %d", host, w.Code, w.Body, want)
		}
	}
}
