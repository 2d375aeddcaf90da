package egress

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"time"
)

// Options are the options of a transport. With the zero value, it dials public addresses
// directly and trusts the system's certificate authorities.
type Options struct {
	Rules Rules
	// Proxy chooses a proxy for each request, usually http.ProxyFromEnvironment; nil
	// means no proxy.
	Proxy ProxyFunc
	// RootCAs are the certificate authorities; nil means the system's.
	RootCAs *x509.CertPool
	// DialTimeout limits the time to connect, and the time of the TLS handshake; 0
	// means the constant DialTimeout.
	DialTimeout time.Duration
}

// NewTransport returns an HTTP transport that enforces the rules.
func NewTransport(o Options) *http.Transport {
	t := &http.Transport{
		TLSClientConfig:   &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.RootCAs},
		ForceAttemptHTTP2: true,
		// An HTTP/2 connection to a dead peer is closed.
		HTTP2:               &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 15 * time.Second},
		MaxIdleConnsPerHost: 4,
		IdleConnTimeout:     90 * time.Second,
	}
	Restrict(t, o.Rules, o.Proxy, o.DialTimeout)
	return t
}

// Restrict makes a transport of another package enforce the rules. It sets how the
// transport dials and chooses proxies, and the largest header of an answer. The parameters
// are as in Options.
func Restrict(t *http.Transport, rules Rules, proxy ProxyFunc, dialTimeout time.Duration) {
	d := newDialer(rules, dialTimeout)
	t.DialContext, t.TLSHandshakeTimeout, t.Proxy = d.dial, d.timeout, nil
	t.MaxResponseHeaderBytes = MaxHeader
	if proxy != nil {
		t.Proxy = d.proxy(proxy)
	}
}
