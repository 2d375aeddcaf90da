package databricks

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/egress"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// domains are the DNS domains under which Databricks runs workspaces.
var domains = []string{
	"databricks.com", "azuredatabricks.net",
	"databricks.us", "databricks.mil", "databricks.azure.us", "databricks.azure.cn",
}

// ValidateHost checks the host. It allows a Databricks host name, what PrivateHosts has,
// and with AllowPrivateHosts every host except metadata services. Its errors have the
// attribute host.
func (c Config) ValidateHost() error {
	_, err := c.parseHost()
	return err
}

// notInHostName reports a character that host names do not have. Names with other letters
// are written in ASCII (RFC 5891).
func notInHostName(r rune) bool {
	return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '_' && r != '.'
}

// workspaceHost is a validated host.
type workspaceHost struct {
	scheme string
	// name is lower case, without port or brackets.
	name string
	// databricks is set for names under domains.
	databricks bool
	// loopback is set for "localhost" and loopback addresses.
	loopback bool
	// listed is set for hosts of Config.PrivateHosts.
	listed bool
}

func (c Config) parseHost() (workspaceHost, error) {
	host := c.Host
	invalid := func(detail, next string) (workspaceHost, error) {
		return workspaceHost{}, jobs.Invalid("host", fmt.Sprintf("The host %q cannot be used", host), detail, next)
	}
	if strings.Contains(host, "@") {
		// The text before it may be a password.
		return workspaceHost{}, jobs.Invalid("host", "The host has a user or a password in it", "It has an @, which is not repeated here.",
			"Give the host name alone, and the credential in token_wo, token_env or client_secret_wo.")
	}
	h := workspaceHost{scheme: "https"}
	rest := host
	if scheme, after, ok := strings.Cut(host, "://"); ok {
		if h.scheme = strings.ToLower(scheme); h.scheme != "https" && h.scheme != "http" {
			return invalid("Its scheme is not https.", "Give the host name alone, as the warehouse's connection details show it.")
		}
		rest = strings.TrimSuffix(after, "/")
	}
	u, err := url.Parse(h.scheme + "://" + rest)
	if err != nil || u.Host == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
		return invalid("It is not a plain host name.",
			"Give the host name alone, as the warehouse's connection details show it, for example \"dbc-a1b2345c-d6e7.cloud.databricks.com\".")
	}
	if u.Port() != "" || strings.HasSuffix(u.Host, ":") {
		return invalid("It holds a port.", "Give the port in the attribute port.")
	}
	h.name = strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	address, isAddress := egress.LiteralAddress(h.name)
	if h.name == "" || !isAddress && strings.ContainsFunc(h.name, notInHostName) {
		return invalid("It is not a host name.", "Give the host name as the warehouse's connection details show it.")
	}
	h.loopback = h.name == "localhost" || isAddress && address.IsLoopback()
	h.databricks = !isAddress && slices.ContainsFunc(domains, func(d string) bool { return strings.HasSuffix(h.name, "."+d) })
	if egress.ForbiddenHost(h.name) {
		return invalid("It is a metadata, link-local or otherwise reserved address, which is never contacted.",
			"Give the host name of a Databricks workspace.")
	}
	h.listed = c.AllowPrivateHosts || c.PrivateHosts.Contain(h.name)
	switch {
	case h.listed:
	case h.scheme == "http" && !h.loopback:
		return invalid("Plain http would send the token unprotected over the network.", "Leave \"http://\" out. "+ownHost(h.name))
	case h.databricks:
	case h.loopback && strings.Contains(host, "://") && c.LoopbackHosts:
	case h.loopback:
		return invalid("It names the machine that executes the run, which only the operator of that machine opens.", ownHost(h.name))
	default:
		return invalid("It is not the name of a Databricks workspace.",
			"Give a name such as \"dbc-a1b2345c-d6e7.cloud.databricks.com\" or \"adb-123.4.azuredatabricks.net\". "+ownHost(h.name))
	}
	return h, nil
}

// ownHost says how an operator opens a host of its own.
func ownHost(name string) string {
	return fmt.Sprintf("A host of your own has to be listed where the run executes: private_hosts = [%q] in the provider block "+
		"or LYTICS_PRIVATE_HOSTS=%s, or private_hosts: [%q] in the configuration of the runner.", name, name, name)
}

// endpoint is the URL to which requests are sent.
func (h workspaceHost) endpoint(port int, httpPath string) (*url.URL, error) {
	if port < 1 || port > 65535 {
		return nil, jobs.Invalid("port", fmt.Sprintf("The port %d cannot be used", port),
			"Ports are from 1 to 65535.", "Use 443, which Databricks listens on.")
	}
	name := h.name
	if strings.Contains(name, ":") {
		name = "[" + name + "]"
	}
	path := "/" + strings.TrimPrefix(httpPath, "/")
	u, err := url.Parse(fmt.Sprintf("%s://%s:%d%s", h.scheme, name, port, path))
	if httpPath == "" || err != nil || u.Fragment != "" || strings.ContainsAny(httpPath, " \t\r\n\\") || strings.Contains(httpPath, "://") {
		return nil, jobs.Invalid("http_path", fmt.Sprintf("The HTTP path %q cannot be used", httpPath),
			"It is not the path of a SQL warehouse or cluster.",
			"Copy it from the warehouse's connection details; it looks like \"/sql/1.0/warehouses/1234567890abcdef\".")
	}
	return u, nil
}

// addressRules returns the rules for the host's address. A host under a Databricks domain
// may have a private address (PrivateLink), a host that names this machine a loopback
// address, and a listed host either.
func addressRules(h workspaceHost) egress.Rules {
	return egress.Rules{Private: h.listed || h.databricks, Loopback: h.listed || h.loopback}
}
