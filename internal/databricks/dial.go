package databricks

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

type addressClass int

const (
	addressPublic addressClass = iota
	// addressPrivate is reached by a Databricks name (PrivateLink), or when
	// opted in.
	addressPrivate
	// addressLoopback is reached when the host says so itself, or opted in.
	addressLoopback
	// addressForbidden is never reached.
	addressForbidden
)

// forbidden are metadata services and ranges that no warehouse can have.
var forbidden = prefixes(
	"0.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "224.0.0.0/4", "240.0.0.0/4",
	"100.100.100.200/32", // Alibaba Cloud's metadata service
	"168.63.129.16/32",   // Azure's platform address
	"::/128", "fe80::/10", "ff00::/8",
	"fd00:ec2::/32",          // AWS's metadata service and its neighbours
	"fd20:ce::254/128",       // Google Cloud's metadata service
	"fd00:c1::a9fe:a9fe/128", // Oracle Cloud's metadata service
)

var private = prefixes("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "198.18.0.0/15", "fc00::/7", "fec0::/10")

// embedding are IPv6 ranges that carry an IPv4 address at a byte offset.
var embedding = []struct {
	prefix netip.Prefix
	offset int
}{
	{netip.MustParsePrefix("64:ff9b::/96"), 12},
	{netip.MustParsePrefix("64:ff9b:1::/48"), 12},
	{netip.MustParsePrefix("2002::/16"), 2},
	{netip.MustParsePrefix("::/96"), 12},
}

func prefixes(texts ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		out[i] = netip.MustParsePrefix(text)
	}
	return out
}

func classify(a netip.Addr) addressClass {
	a = a.Unmap().WithZone("")
	in := func(list []netip.Prefix) bool {
		for _, p := range list {
			if p.Contains(a) {
				return true
			}
		}
		return false
	}
	switch {
	case in(forbidden):
		return addressForbidden
	case a.IsLoopback():
		return addressLoopback
	case in(private):
		return addressPrivate
	}
	for _, e := range embedding {
		if e.prefix.Contains(a) {
			b := a.As16()
			return classify(netip.AddrFrom4([4]byte(b[e.offset : e.offset+4])))
		}
	}
	return addressPublic
}

// refusedAddress is an address that the rules forbid to dial.
type refusedAddress struct {
	name    string
	address netip.Addr
	class   addressClass
}

func (e *refusedAddress) Error() string {
	return fmt.Sprintf("%s resolves to %s, which must not be contacted", e.name, e.address)
}

// dialTimeout bounds connecting; a dead host fails well within 30 seconds.
const dialTimeout = 8 * time.Second

// dialer connects to the target, or to a configured proxy, and to nothing that
// the rules forbid. Addresses are checked when they are dialled, after name
// resolution, so that no DNS answer gets around it.
type dialer struct {
	target       target
	allowPrivate bool

	mu      sync.Mutex
	proxies map[string]bool
}

// proxy chooses as the environment says, and remembers the proxy's address:
// whoever configured one has decided that it is reached.
func (d *dialer) proxy(choose func(*http.Request) (*url.URL, error)) func(*http.Request) (*url.URL, error) {
	return func(r *http.Request) (*url.URL, error) {
		u, err := choose(r)
		if err != nil || u == nil {
			return u, err
		}
		port := u.Port()
		if port == "" {
			port = map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}[u.Scheme]
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		d.proxies[net.JoinHostPort(u.Hostname(), port)] = true
		return u, nil
	}
}

func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	d.mu.Lock()
	viaProxy := d.proxies[address]
	d.mu.Unlock()
	name, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	n := &net.Dialer{
		Timeout: dialTimeout,
		// A peer that vanished is noticed within a minute.
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 10 * time.Second, Count: 4},
		Control: func(_, address string, _ syscall.RawConn) error {
			resolved, err := netip.ParseAddrPort(address)
			if err != nil {
				return fmt.Errorf("dialling %s: %w", address, err)
			}
			class := classify(resolved.Addr())
			if !d.allowed(class, viaProxy) {
				return &refusedAddress{name: name, address: resolved.Addr().Unmap(), class: class}
			}
			return nil
		},
	}
	return n.DialContext(ctx, network, address)
}

func (d *dialer) allowed(class addressClass, viaProxy bool) bool {
	switch class {
	case addressForbidden:
		return false
	case addressLoopback:
		return viaProxy || d.allowPrivate || d.target.loopback
	case addressPrivate:
		return viaProxy || d.allowPrivate || d.target.databricks
	default:
		return true
	}
}

// Guard gives the functions of an http.Transport for other hosts than
// warehouses, with the same rules for addresses: loopback and private ones only
// where they are allowed, metadata services never, and a proxy wherever it is.
func Guard(allowPrivate bool, choose func(*http.Request) (*url.URL, error)) (
	proxy func(*http.Request) (*url.URL, error), dial func(ctx context.Context, network, address string) (net.Conn, error),
) {
	d := &dialer{allowPrivate: allowPrivate, proxies: map[string]bool{}}
	through := d.proxy(choose)
	return func(r *http.Request) (*url.URL, error) {
		if a, err := netip.ParseAddr(r.URL.Hostname()); err == nil && !d.allowed(classify(a), false) {
			return nil, nil // no proxy gets around the rules: dialled, it is refused
		}
		return through(r)
	}, d.dial
}

// newTransport makes the HTTP transport below the guard.
func newTransport(t target, allowPrivate bool, caFile string, proxy func(*http.Request) (*url.URL, error)) (*http.Transport, error) {
	roots, err := rootCAs(caFile)
	if err != nil {
		return nil, err
	}
	d := &dialer{target: t, allowPrivate: allowPrivate, proxies: map[string]bool{}}
	return &http.Transport{
		Proxy:               d.proxy(proxy),
		DialContext:         d.dial,
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
		TLSHandshakeTimeout: dialTimeout,
		ForceAttemptHTTP2:   true,
		// An HTTP/2 connection to a peer that vanished is given up.
		HTTP2:               &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 15 * time.Second},
		MaxIdleConnsPerHost: 4,
		IdleConnTimeout:     90 * time.Second,
	}, nil
}

// rootCAs adds a file of PEM certificates to the system's.
func rootCAs(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	invalid := func(detail string) error {
		return jobs.Invalid("ca_file", fmt.Sprintf("The CA file %q cannot be used", file), detail,
			"Give a readable file of certificates in PEM form.")
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, invalid(err.Error())
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if !roots.AppendCertsFromPEM(pem) {
		return nil, invalid("It holds no certificate in PEM form.")
	}
	return roots, nil
}
