// Package client is the jobs API of a runner elsewhere: over HTTP with a
// token, or over the socket in a data directory.
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

// Config says where the runner is.
type Config struct {
	// URL is its address: https, or http on loopback.
	URL string
	// Socket is the path of its Unix socket, instead of a URL.
	Socket string
	// Page is the address of the page of a runner behind a socket.
	Page  string
	Token jobs.Secret
	// CAFile holds further certificate authorities (PEM).
	CAFile string
	// Release is the version of the product that asks.
	Release string
}

// Client implements jobs.API.
type Client struct {
	config Config
	base   *url.URL
	http   *http.Client
	// instance names this process to the runner.
	instance string
	// place is the runner, for people.
	place string

	mu      sync.Mutex
	stop    context.CancelFunc
	beating sync.WaitGroup
	started map[string]bool
	closed  bool
}

var _ jobs.API = (*Client)(nil)

// The bounds of a call. A warehouse that has to start makes an answer wait.
const (
	dialTimeout   = 10 * time.Second
	answerTimeout = 15 * time.Minute
)

// New makes a Client that has asked nothing yet.
func New(c Config) (*Client, error) {
	out := &Client{config: c, instance: "cl_" + uuid.NewString(), started: map[string]bool{}}
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSHandshakeTimeout: dialTimeout, ResponseHeaderTimeout: answerTimeout,
		IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 16,
	}
	dialer := &net.Dialer{Timeout: dialTimeout}
	transport.DialContext = dialer.DialContext
	out.http = &http.Client{
		Transport: transport,
		// A redirect would carry the token elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	if c.Socket != "" {
		out.base, out.place = &url.URL{Scheme: "http", Host: "localhost"}, "the runner at "+c.Socket
		transport.Proxy = nil
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", c.Socket)
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
			"runner.token is not given, and LYTICS_RUNNER_TOKEN is not set.",
			"Use the token in the runner's token file, or in its LYTICS_RUNNER_TOKEN",
		)
	}
	return out, nil
}

// parseURL takes https, and http where nobody listens in.
func parseURL(text string) (*url.URL, error) {
	bad := func(why string) error {
		return jobs.Invalid("runner.url", "The runner's address cannot be used", why, "Write it as https://HOST:PORT")
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, bad("It is no URL.")
	case u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, bad(fmt.Sprintf("%q is no https URL.", u.Redacted()))
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, bad("It has more than a host, a port and a path. The token is an attribute of its own.")
	case u.Scheme == "http" && !egress.IsLoopbackHost(u.Hostname()):
		return nil, bad(fmt.Sprintf("Over http, the token would cross the network to %s in clear text.", u.Host))
	}
	u.Path = strings.TrimRight(u.Path, "/")
	return u, nil
}

// Place implements jobs.Remote.
func (c *Client) Place() string { return c.place }

// RunURL implements jobs.RunLinker.
func (c *Client) RunURL(runID string) string {
	if c.config.Socket == "" {
		return c.base.JoinPath("runs", url.PathEscape(runID)).String()
	}
	// What cannot be read is no address for people either.
	page, err := url.Parse(c.config.Page)
	if err != nil || page.Host == "" {
		return ""
	}
	return page.JoinPath("runs", url.PathEscape(runID)).String()
}
