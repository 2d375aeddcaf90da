package runner

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// fakeRemote is a connection that reports another remote address.
type fakeRemote struct {
	net.Conn
	to string
}

func (p fakeRemote) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.ParseIP(p.to), Port: 80} }

// checklist 50: unencrypted alerts do not leave private networks.
func TestUnencryptedAlertsStayOnPrivateNetworks(t *testing.T) {
	t.Parallel()
	for to, allowed := range map[string]bool{"127.0.0.1": true, "10.1.2.3": true, "fd12::1": true, "203.0.113.7": false, "2001:db8::1": false} {
		dial := privateNetworksOnly(func(context.Context, string, string) (net.Conn, error) {
			near, far := net.Pipe()
			t.Cleanup(func() { _ = far.Close() })
			return fakeRemote{near, to}, nil
		})
		conn, err := dial(t.Context(), "tcp", "alerts.example.com:80")
		if (err == nil) != allowed {
			t.Errorf("%s: %v", to, err)
		}
		if conn != nil {
			_ = conn.Close()
		}
	}
}

// Alerts go through the proxy of the environment, at any address. Forbidden
// addresses are refused through the proxy too, and unencrypted alerts do not
// use it.
func TestAlertsGoThroughTheProxy(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var asked []string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, r.Method+" "+r.Host)
		w.WriteHeader(http.StatusBadGateway)
	}))
	t.Cleanup(proxy.Close)
	at, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	send := func(to string, allowPrivate bool) error {
		w, err := newWebhook(to, jobs.NewSecret("s"), allowPrivate, http.ProxyURL(at))
		if err != nil {
			t.Fatal(err)
		}
		return w.send(t.Context(), []byte("{}"))
	}
	if err := send("https://alerts.example.com/hook", false); err == nil || !strings.Contains(err.Error(), "Bad Gateway") {
		t.Errorf("got %v", err)
	}
	if err := send("https://169.254.169.254/hook", true); err == nil || !strings.Contains(err.Error(), "must not be contacted") {
		t.Errorf("got %v", err)
	}
	if err := send("http://127.0.0.1:1/hook", true); err == nil {
		t.Error("got no error from port 1, want a refused connection")
	}
	mu.Lock()
	defer mu.Unlock()
	if len(asked) != 1 || asked[0] != "CONNECT alerts.example.com:443" {
		t.Errorf("the proxy was asked for %q", asked)
	}
}
