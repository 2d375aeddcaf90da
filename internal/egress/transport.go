package egress

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"os"
	"time"
)

// Options are those of a transport. The zero value dials public addresses
// directly and trusts the system's certificate authorities.
type Options struct {
	Rules Rules
	// Proxy chooses a proxy for each request, mostly http.ProxyFromEnvironment;
	// nil means that none is used.
	Proxy ProxyFunc
	// RootCAs are the certificate authorities; nil means the system's.
	RootCAs *x509.CertPool
	// DialTimeout bounds connecting, and the TLS handshake after it; 0 means
	// the constant of that name.
	DialTimeout time.Duration
}

// NewTransport makes an HTTP transport that keeps the rules.
func NewTransport(o Options) *http.Transport {
	t := &http.Transport{
		TLSClientConfig:   &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.RootCAs},
		ForceAttemptHTTP2: true,
		// An HTTP/2 connection to a peer that vanished is given up.
		HTTP2:               &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 15 * time.Second},
		MaxIdleConnsPerHost: 4,
		IdleConnTimeout:     90 * time.Second,
	}
	Restrict(t, o.Rules, o.Proxy, o.DialTimeout)
	return t
}

// Restrict makes a transport that somebody else built keep the rules: it sets
// how the transport dials and chooses proxies, and leaves the rest. The
// parameters are as in Options.
func Restrict(t *http.Transport, rules Rules, proxy ProxyFunc, dialTimeout time.Duration) {
	d := newDialer(rules, dialTimeout)
	t.DialContext, t.TLSHandshakeTimeout, t.Proxy = d.dial, d.timeout, nil
	if proxy != nil {
		t.Proxy = d.proxy(proxy)
	}
}

// ReadCAs gives the system's certificate authorities and those of a PEM file.
// No file means the system's alone, as nil.
func ReadCAs(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if !roots.AppendCertsFromPEM(pem) {
		return nil, errors.New("the file holds no certificate in PEM form")
	}
	return roots, nil
}
