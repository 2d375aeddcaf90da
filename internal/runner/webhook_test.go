package runner

import (
	"context"
	"net"
	"testing"
)

// placed is a connection that seems to lead somewhere.
type placed struct {
	net.Conn
	to string
}

func (p placed) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.ParseIP(p.to), Port: 80} }

// checklist 50: what is not encrypted does not leave private networks.
func TestAlertsInClearTextStayInside(t *testing.T) {
	t.Parallel()
	for to, allowed := range map[string]bool{"127.0.0.1": true, "10.1.2.3": true, "fd12::1": true, "203.0.113.7": false, "2001:db8::1": false} {
		dial := insideOnly(func(context.Context, string, string) (net.Conn, error) {
			near, far := net.Pipe()
			t.Cleanup(func() { _ = far.Close() })
			return placed{near, to}, nil
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
