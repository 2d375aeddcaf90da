package api

import (
	"net/netip"
	"sync"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// The limits of wrong tokens. After the free ones, each doubles the time in which no
// further token is looked at, up to the longest.
const (
	firstDelay = time.Second
	// forgetAfter is how long after the last wrong token the count begins again.
	forgetAfter = 15 * time.Minute
	// freeOfAddress and longestOfAddress are for one remote address, freeOfAll and
	// longestOfAll for all together. The latter are milder: many addresses must not
	// keep everybody out.
	freeOfAddress    = 20
	longestOfAddress = time.Minute
	freeOfAll        = 200
	longestOfAll     = 5 * time.Second
	// mostAddresses and mostKnown bound the memory.
	mostAddresses = 10_000
	mostKnown     = 10_000
)

// throttle slows those who try tokens. A token that was right before is looked at
// always, so that an address, such as that of a proxy, from which somebody tries
// tokens goes on to work for everybody else.
type throttle struct {
	now func() time.Time

	mu        sync.Mutex
	addresses map[netip.Prefix]*failures
	all       failures
	known     map[jobs.TokenHash]bool
	// wrong are wrong tokens that were counted. The same one again, as of a client whose
	// token was revoked, is no further guess.
	wrong map[jobs.TokenHash]bool
}

// failures are wrong tokens: how many, when the last one came, and until when no
// further one is looked at.
type failures struct {
	n           int
	last, until time.Time
}

func newThrottle(now func() time.Time) *throttle {
	return &throttle{now: now, addresses: map[netip.Prefix]*failures{}, known: map[jobs.TokenHash]bool{}, wrong: map[jobs.TokenHash]bool{}}
}

// wait returns how long a token is not looked at; 0 means that it is.
func (t *throttle) wait(address string, hash jobs.TokenHash) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.known[hash] {
		return 0
	}
	until := t.all.until
	if f := t.addresses[networkOf(address)]; f != nil && f.until.After(until) {
		until = f.until
	}
	return max(until.Sub(t.now()), 0)
}

// succeeded remembers a right token.
func (t *throttle) succeeded(hash jobs.TokenHash) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.known) >= mostKnown {
		clear(t.known)
	}
	t.known[hash] = true
}

// failed counts a wrong token.
func (t *throttle) failed(address string, hash jobs.TokenHash) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now, network := t.now(), networkOf(address)
	delete(t.known, hash) // it was revoked
	if t.wrong[hash] {
		return
	}
	if len(t.wrong) >= mostKnown {
		clear(t.wrong)
	}
	t.wrong[hash] = true
	f := t.addresses[network]
	if f == nil {
		t.makeRoom(now)
		f = &failures{}
		t.addresses[network] = f
	}
	f.add(now, freeOfAddress, longestOfAddress)
	t.all.add(now, freeOfAll, longestOfAll)
}

func (f *failures) add(now time.Time, free int, longest time.Duration) {
	if now.Sub(f.last) > forgetAfter {
		f.n = 0
	}
	f.n++
	f.last = now
	if over := f.n - free; over > 0 {
		f.until = now.Add(min(firstDelay<<min(over-1, 20), longest))
	}
}

// makeRoom removes the addresses that are forgotten, or else the one that failed
// the longest time ago.
func (t *throttle) makeRoom(now time.Time) {
	if len(t.addresses) < mostAddresses {
		return
	}
	var oldest netip.Prefix
	var at time.Time
	for network, f := range t.addresses {
		if now.Sub(f.last) > forgetAfter {
			delete(t.addresses, network)
		} else if at.IsZero() || f.last.Before(at) {
			oldest, at = network, f.last
		}
	}
	if len(t.addresses) >= mostAddresses {
		delete(t.addresses, oldest)
	}
}

// networkOf is an IPv4 address, or the /64 network of an IPv6 address, all of which
// usually belongs to one machine.
func networkOf(address string) netip.Prefix {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return netip.Prefix{}
	}
	ip = ip.Unmap().WithZone("")
	bits := 32
	if ip.Is6() {
		bits = 64
	}
	return netip.PrefixFrom(ip, bits).Masked()
}
