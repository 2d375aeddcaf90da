package egress

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// addressClass is the class of an address by which the rules decide.
type addressClass int

const (
	classPublic addressClass = iota
	// classPrivate is dialled where Rules.Private is set.
	classPrivate
	// classLoopback is dialled where Rules.Loopback is set.
	classLoopback
	// classForbidden is never dialled.
	classForbidden
)

// forbidden are the addresses of cloud metadata services, and ranges that cannot contain
// a server.
var forbidden = prefixes(
	"0.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "224.0.0.0/4", "240.0.0.0/4",
	"100.100.100.200/32", // Alibaba Cloud's metadata service
	"168.63.129.16/32",   // Azure's platform address
	"::/128", "fe80::/10", "ff00::/8",
	"fd00:ec2::/32",          // AWS's metadata service and the rest of its range
	"fd20:ce::254/128",       // Google Cloud's metadata service
	"fd00:c1::a9fe:a9fe/128", // Oracle Cloud's metadata service
)

var private = prefixes("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "198.18.0.0/15", "fc00::/7", "fec0::/10")

// embedding are IPv6 ranges that contain an IPv4 address at a byte offset.
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
		return slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Contains(a) })
	}
	switch {
	case in(forbidden):
		return classForbidden
	case a.IsLoopback():
		return classLoopback
	case in(private):
		return classPrivate
	}
	for _, e := range embedding {
		if e.prefix.Contains(a) {
			b := a.As16()
			return classify(netip.AddrFrom4([4]byte(b[e.offset : e.offset+4])))
		}
	}
	return classPublic
}

// Rules say which addresses may be dialled. The zero value allows public addresses
// only. No rule but LinkLocal allows metadata services, link-local and other reserved
// addresses.
type Rules struct {
	// Private allows addresses of private networks (RFC 1918 and similar ranges).
	Private bool
	// Loopback allows addresses of this machine.
	Loopback bool
	// LinkLocal allows 169.254.0.0/16, where a cloud gives a machine its identity. It is
	// for the endpoint of the identity alone, which no definition names.
	LinkLocal bool
}

var linkLocal = netip.MustParsePrefix("169.254.0.0/16")

// Configured are the rules for a host that the operator of this machine has configured.
// It may have any address except a reserved one.
var Configured = Rules{Private: true, Loopback: true}

// Allow reports whether the address may be dialled.
func (r Rules) Allow(a netip.Addr) bool {
	switch classify(a) {
	case classForbidden:
		return r.LinkLocal && linkLocal.Contains(a.Unmap())
	case classLoopback:
		return r.Loopback
	case classPrivate:
		return r.Private
	default:
		return true
	}
}

// RefusedAddressError means that the rules forbid the address of a host.
type RefusedAddressError struct {
	// Host is the name that was dialled.
	Host string
	// Address is the address to which it resolved.
	Address netip.Addr
}

func (e *RefusedAddressError) Error() string {
	return fmt.Sprintf("%s resolves to %s, which must not be contacted", e.Host, e.Address)
}

// metadataNames are host names of cloud metadata services.
var metadataNames = []string{"metadata", "metadata.google.internal", "instance-data", "instance-data.ec2.internal"}

// ForbiddenHost reports whether a host must not be contacted, because it is the name of
// a metadata service or a reserved address. The name is in lower case, without port and
// brackets.
func ForbiddenHost(name string) bool {
	if slices.Contains(metadataNames, name) {
		return true
	}
	a, ok := LiteralAddress(name)
	return ok && classify(a) == classForbidden
}

// IsLoopbackHost reports whether a host names this machine for every resolver:
// "localhost", or a loopback address in its usual form. Secrets may be sent
// there without TLS.
func IsLoopbackHost(name string) bool {
	a, err := netip.ParseAddr(name)
	return name == "localhost" || err == nil && a.Unmap().WithZone("").IsLoopback()
}

// LiteralAddress parses an address in every form that a resolver accepts (inet_aton), so
// that 0x7f000001 and 2130706433 do not bypass a rule.
func LiteralAddress(name string) (netip.Addr, bool) {
	if a, err := netip.ParseAddr(name); err == nil {
		return a.Unmap(), true
	}
	parts := strings.Split(name, ".")
	if len(parts) > 4 {
		return netip.Addr{}, false
	}
	var value uint64
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 0, 32)
		bits := 8
		if i == len(parts)-1 {
			bits = 8 * (5 - len(parts))
		}
		if err != nil || n >= 1<<bits {
			return netip.Addr{}, false
		}
		value = value<<bits | n
	}
	return netip.AddrFrom4([4]byte{byte(value >> 24), byte(value >> 16), byte(value >> 8), byte(value)}), true
}
