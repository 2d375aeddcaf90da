// Package client implements jobs.API by calling a runner: over HTTP with a
// token, or through the socket in the runner's data directory.
package client

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/egress"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// Config has the address and the token of the runner.
type Config struct {
	// URL is the runner's URL: https, or http on loopback.
	URL string
	// Socket is the path of the runner's Unix socket. It replaces URL.
	Socket string
	// Page is the URL of the runner's page, if Socket is set.
	Page  string
	Token jobs.Secret
	// CAFile is a PEM file with further certificate authorities.
	CAFile string
	// Release is the version of this program.
	Release string
}

// Client implements jobs.API.
type Client struct {
	config Config
	base   *url.URL
	http   *http.Client
	// instance is the id of this process, for jobs.Presence.
	instance string
	// place describes the runner, for messages.
	place string

	mu      sync.Mutex
	stop    context.CancelFunc
	beating sync.WaitGroup
	started map[string]bool
	closed  bool

	// creates are Terraform's creates in this process.
	creates jobs.Creates
}

var _ jobs.API = (*Client)(nil)

// The time limits of a call. An answer may have to wait until a warehouse has
// started.
const (
	dialTimeout   = 10 * time.Second
	answerTimeout = 15 * time.Minute
)

// New returns a Client. It does not connect yet.
func New(c Config) (*Client, error) {
	out := &Client{config: c, instance: "cl_" + uuid.NewString(), started: map[string]bool{}}
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSHandshakeTimeout: dialTimeout,
		IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 16,
		MaxResponseHeaderBytes: egress.MaxHeader,
	}
	dialer := &net.Dialer{Timeout: dialTimeout}
	transport.DialContext = dialer.DialContext
	out.http = &http.Client{
		Transport: transport,
		// A redirect would send the token to another server.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	if c.Socket != "" {
		out.base, out.place = &url.URL{Scheme: "http", Host: "localhost"}, "the runner at "+c.Socket
		transport.Proxy = nil
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialSocket(ctx, c.Socket)
		}
		return out, nil
	}
	base, err := parseURL(c.URL)
	if err != nil {
		return nil, err
	}
	out.base, out.place = base, "the runner at "+base.Redacted()
	roots, err := egress.ReadCAs(c.CAFile)
	if err != nil {
		return nil, jobs.Invalid(
			"runner.ca_file",
			fmt.Sprintf("The runner's certificate authorities cannot be read from %q", c.CAFile),
			err.Error(),
			"Give the path of a PEM file with the authority of the runner's certificate",
		)
	}
	transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	if c.Token.Empty() {
		return nil, jobs.Invalid(
			"runner.token",
			"There is no token for the runner",
			"Neither runner.token nor LYTICS_RUNNER_TOKEN is set.",
			"Use the token in the runner's token file, or the runner's LYTICS_RUNNER_TOKEN",
		)
	}
	return out, nil
}

// parseURL accepts https URLs, and http URLs of this machine.
func parseURL(text string) (*url.URL, error) {
	bad := func(why string) error {
		return jobs.Invalid("runner.url", "The runner's address cannot be used", why, "Write it as https://HOST:PORT")
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, bad("It is not a URL.")
	case u.User != nil:
		return nil, bad("It has a user or a password, which is not repeated here. Set the token in runner.token.")
	case u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, bad(fmt.Sprintf("%q is not an https URL.", u.Redacted()))
	case u.RawQuery != "" || u.Fragment != "":
		return nil, bad("It has more than a host, a port and a path. Set the token in runner.token.")
	case u.Scheme == "http" && !egress.IsLoopbackHost(u.Hostname()):
		return nil, bad(fmt.Sprintf("Over http, the token would cross the network to %s unencrypted.", u.Host))
	}
	u.Path = strings.TrimRight(u.Path, "/")
	return u, nil
}

// Place implements jobs.Remote.
func (c *Client) Place() string { return c.place }

// RunURL implements jobs.RunLinker.
func (c *Client) RunURL(runID string) string { return c.pageURL("/runs/" + url.PathEscape(runID)) }

// SignInURL implements jobs.SignInLinker.
func (c *Client) SignInURL(code jobs.Secret) string { return c.pageURL(jobs.SignInPath(code)) }

// pageURL returns the address of a path of the page, or "" if there is no page.
func (c *Client) pageURL(path string) string {
	if c.config.Socket == "" {
		return c.base.String() + path
	}
	// A page URL that cannot be parsed is not shown.
	page, err := url.Parse(c.config.Page)
	if err != nil || page.Host == "" {
		return ""
	}
	return strings.TrimRight(page.String(), "/") + path
}
