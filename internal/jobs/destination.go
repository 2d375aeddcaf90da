package jobs

import (
	"fmt"
	"net/netip"
	"strings"
)

// Destination is where the secret of an authorization is sent, as whose, and by which
// certificate authorities the receiver is trusted. A stored secret is bound to it: if any
// part changes, the secret has to be given again.
type Destination struct {
	// Scheme is https or http, and Host a name in lower case or an address, without
	// brackets.
	Scheme, Host string
	Port         int
	// ClientID is the service principal's, or the kind and identity of a Login with a
	// stored secret; empty for a token.
	ClientID string
	// CAFile is that of the authorization: who may choose it could have a server of his own
	// trusted.
	CAFile string
}

// Destination returns the destination of the authorization's secret. Hosts that are
// written in different ways and mean the same are equal.
func (s AuthorizationSpec) Destination() Destination {
	d := Destination{Scheme: "https", Host: strings.ToLower(s.Host), Port: s.Port, ClientID: s.ClientID, CAFile: s.CAFile}
	if s.Login != nil {
		d.ClientID = s.Login.client()
	}
	if scheme, rest, ok := strings.Cut(d.Host, "://"); ok {
		d.Scheme, d.Host = scheme, rest
	}
	d.Host = strings.TrimSuffix(strings.TrimSuffix(d.Host, "/"), ".")
	if a, err := netip.ParseAddr(strings.Trim(d.Host, "[]")); err == nil {
		d.Host = a.String()
	}
	return d
}

// String is the destination in messages.
func (d Destination) String() string {
	host := d.Host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	text := fmt.Sprintf("%s://%s:%d", d.Scheme, host, d.Port)
	if d.ClientID != "" {
		text += " and client " + d.ClientID
	}
	if d.CAFile != "" {
		text += fmt.Sprintf(" with ca_file %q", d.CAFile)
	}
	return text
}
