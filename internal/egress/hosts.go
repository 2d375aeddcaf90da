package egress

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// Hosts are the hosts of its own that an operator lets definitions name. The zero value
// has none.
type Hosts struct {
	names    []string
	networks []netip.Prefix
}

var hostName = regexp.MustCompile(`^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$`)

// ParseHosts reads a list of host names, addresses ("127.0.0.1", "::1", "[::1]") and
// networks ("10.20.0.0/16").
func ParseHosts(entries []string) (Hosts, error) {
	var h Hosts
	for _, entry := range entries {
		text := strings.TrimSuffix(strings.ToLower(strings.TrimSpace(entry)), ".")
		if network, err := netip.ParsePrefix(text); err == nil {
			h.networks = append(h.networks, network.Masked())
			continue
		}
		if a, ok := LiteralAddress(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]")); ok {
			h.networks = append(h.networks, netip.PrefixFrom(a.WithZone(""), a.BitLen()))
			continue
		}
		if !hostName.MatchString(text) {
			return Hosts{}, fmt.Errorf("%q is not a host name, an address or a network: write it without scheme, port and path", entry)
		}
		h.names = append(h.names, text)
	}
	return h, nil
}

// Contain reports whether a host is in the list. The name is in lower case, without
// port and brackets.
func (h Hosts) Contain(name string) bool {
	if a, ok := LiteralAddress(name); ok {
		a = a.WithZone("")
		return slices.ContainsFunc(h.networks, func(p netip.Prefix) bool { return p.Contains(a) })
	}
	return slices.Contains(h.names, name)
}
