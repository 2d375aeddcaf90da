package certs_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/certs"
)

func TestClientsThatTrustTheAuthorityConnect(t *testing.T) {
	t.Parallel()
	config, authority, err := certs.Make(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.TLS = config
	server.StartTLS()
	defer server.Close()

	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(authority) {
		t.Fatal("the authority is not a PEM certificate")
	}
	trusting := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	for _, url := range []string{server.URL, strings.Replace(server.URL, "127.0.0.1", "localhost", 1)} {
		resp, err := trusting.Get(url)
		if err != nil {
			t.Fatalf("%s: %v", url, err)
		}
		_ = resp.Body.Close()
	}
	if resp, err := http.Get(server.URL); err == nil {
		_ = resp.Body.Close()
		t.Error("got no error from a client that does not trust the authority")
	}
}
