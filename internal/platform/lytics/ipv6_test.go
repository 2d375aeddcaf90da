package lytics_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/lytics"
)

// An address of the API may be an IPv6 address; over http only one of this machine.
func TestIPv6AddressesOfTheAPI(t *testing.T) {
	t.Parallel()
	for address, ok := range map[string]bool{
		"https://[2001:db8::7]": true, "https://[2001:db8::7]:8443/base": true, "http://[::1]:1": true, "http://[::ffff:127.0.0.1]:1": true,
		"http://[2001:db8::7]": false, "http://[fe80::1%25eth0]:1": false, "http://[fd12::1]:1": false, "http://[::ffff:10.0.0.1]:1": false,
	} {
		p, err := lytics.Open(lytics.Config{Token: fixed(canary), APIURL: address, BulkURL: address})
		if (err == nil) != ok {
			t.Errorf("%s: got %v, want accepted: %t", address, err, ok)
		}
		if err == nil {
			_ = p.Close()
		}
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "[::1]:0")
	if err != nil {
		t.Skipf("LEFT OUT: it needs the address ::1: %v", err)
	}
	server := httptest.NewUnstartedServer(account(http.NotFoundHandler()))
	_ = server.Listener.Close()
	server.Listener = l
	server.Start()
	defer server.Close()
	fields, err := openAccount(t, server.URL, nil).Fields(t.Context())
	if err != nil || len(fields) != 2 {
		t.Errorf("%s: got %v, %v, want two fields", server.URL, fields, err)
	}
}
