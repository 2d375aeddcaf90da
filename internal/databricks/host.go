package databricks

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// domains are those under which Databricks runs workspaces.
var domains = []string{
	"databricks.com", "azuredatabricks.net",
	"databricks.us", "databricks.mil", "databricks.azure.us", "databricks.azure.cn",
}

// metadataNames are host names of cloud metadata services.
var metadataNames = []string{"metadata", "metadata.google.internal", "instance-data", "instance-data.ec2.internal"}

// ValidateHost checks an authorization's host: a Databricks host name, or an
// address of the local machine written with its scheme ("http://127.0.0.1"),
// or, with allowPrivate, any other host but metadata services. Its errors name
// the attribute host.
func ValidateHost(host string, allowPrivate bool) error {
	_, err := parseHost(host, allowPrivate)
	return err
}

// target is a validated host.
type target struct {
	scheme string
	// name is lower case, without port or brackets.
	name string
	// databricks is true for names under Databricks' domains: their addresses
	// may be private (PrivateLink).
	databricks bool
	// loopback is true where the host itself says that it is this machine.
	loopback bool
}

func parseHost(host string, allowPrivate bool) (target, error) {
	invalid := func(detail, next string) (target, error) {
		return target{}, jobs.Invalid("host", fmt.Sprintf("The host %q cannot be used", host), detail, next)
	}
	t := target{scheme: "https"}
	rest := host
	if scheme, after, ok := strings.Cut(host, "://"); ok {
		if t.scheme = strings.ToLower(scheme); t.scheme != "https" && t.scheme != "http" {
			return invalid("Its scheme is not https.", "Give the host name alone, as the warehouse's connection details show it.")
		}
		rest = strings.TrimSuffix(after, "/")
	}
	u, err := url.Parse(t.scheme + "://" + rest)
	if err != nil || u.Host == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
		return invalid("It is not a plain host name.",
			"Give the host name alone, as the warehouse's connection details show it, for example \"dbc-a1b2345c-d6e7.cloud.databricks.com\".")
	}
	if u.Port() != "" || strings.HasSuffix(u.Host, ":") {
		return invalid("It holds a port.", "Give the port in the attribute port.")
	}
	t.name = strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if t.name == "" || strings.ContainsAny(t.name, " \t\r\n\x00%@\\") {
		return invalid("It is not a host name.", "Give the host name as the warehouse's connection details show it.")
	}

	address, isAddress := literalAddress(t.name)
	t.loopback = t.name == "localhost" || isAddress && address.IsLoopback()
	t.databricks = !isAddress && slices.ContainsFunc(domains, func(d string) bool { return strings.HasSuffix(t.name, "."+d) })
	if slices.Contains(metadataNames, t.name) || isAddress && classify(address) == addressForbidden {
		return invalid("It is a metadata, link-local or otherwise reserved address, which is never contacted.",
			"Give the host name of a Databricks workspace.")
	}
	switch {
	case t.scheme == "http" && !t.loopback && !allowPrivate:
		return invalid("Plain http would send the token unprotected over the network.",
			"Leave \"http://\" out. Only for a host of your own, set allow_private_hosts on the provider.")
	case t.databricks, allowPrivate:
	case t.loopback && strings.Contains(host, "://"):
	default:
		return invalid("It is not the name of a Databricks workspace.",
			"Give a name such as \"dbc-a1b2345c-d6e7.cloud.databricks.com\" or \"adb-123.4.azuredatabricks.net\". For a host of your own, set allow_private_hosts on the provider.")
	}
	return t, nil
}

// literalAddress reads an address in any of the forms a resolver would take,
// so that 0x7f000001 or 2130706433 is no way around a rule.
func literalAddress(name string) (netip.Addr, bool) {
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
		last := i == len(parts)-1
		bits := 8
		if last {
			bits = 8 * (5 - len(parts))
		}
		if err != nil || n >= 1<<bits {
			return netip.Addr{}, false
		}
		value = value<<bits | n
	}
	return netip.AddrFrom4([4]byte{byte(value >> 24), byte(value >> 16), byte(value >> 8), byte(value)}), true
}

// endpoint is the one URL that requests go to.
func (t target) endpoint(port int, httpPath string) (*url.URL, error) {
	if port < 1 || port > 65535 {
		return nil, jobs.Invalid("port", fmt.Sprintf("The port %d cannot be used", port),
			"Ports are from 1 to 65535.", "Use 443, which Databricks listens on.")
	}
	name := t.name
	if strings.Contains(name, ":") {
		name = "[" + name + "]"
	}
	path := "/" + strings.TrimPrefix(httpPath, "/")
	u, err := url.Parse(fmt.Sprintf("%s://%s:%d%s", t.scheme, name, port, path))
	if httpPath == "" || err != nil || u.Fragment != "" || strings.ContainsAny(httpPath, " \t\r\n\\") || strings.Contains(httpPath, "://") {
		return nil, jobs.Invalid("http_path", fmt.Sprintf("The HTTP path %q cannot be used", httpPath),
			"It is not the path of a SQL warehouse or cluster.",
			"Copy it from the warehouse's connection details; it looks like \"/sql/1.0/warehouses/1234567890abcdef\".")
	}
	return u, nil
}
