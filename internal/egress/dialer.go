package egress

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"syscall"
	"time"
)

// DialTimeout is the default limit of the time to connect. A host that is down fails
// well within 30 seconds, which is the time that people wait for an answer.
const DialTimeout = 8 * time.Second

// ProxyFunc chooses the proxy of a request, like the field Proxy of http.Transport. A
// nil function means no proxy.
type ProxyFunc = func(*http.Request) (*url.URL, error)

// dialer connects to the addresses that the rules allow, and to the chosen proxies. It is
// safe for concurrent use.
type dialer struct {
	rules   Rules
	timeout time.Duration

	mu sync.Mutex
	// proxies are the addresses (host:port) of the proxies chosen so far.
	proxies map[string]bool
}

func newDialer(rules Rules, timeout time.Duration) *dialer {
	if timeout <= 0 {
		timeout = DialTimeout
	}
	return &dialer{rules: rules, timeout: timeout, proxies: map[string]bool{}}
}

// proxy returns a ProxyFunc that calls choose and remembers the address of the proxy. A
// configured proxy may have any address. A request to an address that the rules forbid
// gets no proxy, because the proxy would connect to it; it is dialled directly and
// refused.
func (d *dialer) proxy(choose ProxyFunc) ProxyFunc {
	return func(r *http.Request) (*url.URL, error) {
		if a, ok := LiteralAddress(r.URL.Hostname()); ok && !d.rules.Allow(a) {
			return nil, nil
		}
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

// dial connects, and fails with a *RefusedAddressError where a rule forbids it.
func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	rules := d.rules
	d.mu.Lock()
	if d.proxies[address] {
		rules = Configured
	}
	d.mu.Unlock()
	name, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	// Some resolvers accept other forms than Control sees.
	if a, ok := LiteralAddress(name); ok && !rules.Allow(a) {
		return nil, &RefusedAddressError{Host: name, Address: a}
	}
	n := &net.Dialer{
		Timeout: d.timeout,
		// A dead peer is detected within a minute.
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 10 * time.Second, Count: 4},
		// Control is called with the address after name resolution.
		Control: func(_, address string, _ syscall.RawConn) error {
			resolved, err := netip.ParseAddrPort(address)
			if err != nil {
				return fmt.Errorf("dialling %s: %w", address, err)
			}
			if !rules.Allow(resolved.Addr()) {
				return &RefusedAddressError{Host: name, Address: resolved.Addr().Unmap()}
			}
			return nil
		},
	}
	return n.DialContext(ctx, network, address)
}
