package login

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/egress"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/redact"
)

// answerLimits are the limits of an answer of an endpoint for tokens, which has a few
// kilobytes.
var answerLimits = egress.Limits{Bytes: 256 << 10, Values: 1000, Silence: 20 * time.Second, Total: 40 * time.Second}

// transport is that of one attempt. It decides which hosts are contacted, bounds
// their answers, follows no redirect, ends with the attempt, and tells package redact
// every token that it sees.
type transport struct {
	ctx  context.Context //nolint:containedctx // that of the attempt, which libraries do not pass on
	at   Workspace
	list func(host string) bool
	// public, configured and machine are the transports to hosts of anybody, to hosts
	// that the operator of this process named, and to the machine's own identity.
	public, configured, machine *http.Transport

	mu sync.Mutex
	// named are the hosts that the environment of the process names, and local those of
	// the machine's identity.
	named, local map[string]bool
	seen         []*redact.Secret
	status       int
	failure      error
}

func newTransport(ctx context.Context, s *Source, at Workspace, roots *x509.CertPool) *transport {
	o := s.options
	return &transport{
		ctx: ctx, at: at,
		list:       func(host string) bool { return o.AllowPrivateHosts || o.PrivateHosts.Contain(host) },
		public:     egress.NewTransport(egress.Options{Proxy: s.proxy, RootCAs: roots}),
		configured: egress.NewTransport(egress.Options{Rules: egress.Configured, Proxy: s.proxy, RootCAs: roots}),
		// Without a proxy: Azure and Google say that it must not be asked through one.
		machine: egress.NewTransport(egress.Options{
			Rules: egress.Rules{Private: true, Loopback: true, LinkLocal: true}, DialTimeout: 3 * time.Second,
		}),
		named: map[string]bool{}, local: map[string]bool{},
	}
}

func (g *transport) close() {
	for _, t := range []*http.Transport{g.public, g.configured, g.machine} {
		t.CloseIdleConnections()
	}
}

// trust lets requests to the host of a URL that the environment of this process names
// reach every address but a reserved one.
func (g *transport) trust(address string) { g.add(g.named, address) }

// trustLocal is trust for the endpoint of the machine's identity, which is link-local.
func (g *transport) trustLocal(address string) { g.add(g.local, address) }

func (g *transport) add(to map[string]bool, address string) {
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		g.mu.Lock()
		defer g.mu.Unlock()
		to[u.Host] = true
	}
}

// refusedRequestError means that a request is not sent, or that an answer is a redirect.
type refusedRequestError struct{ text string }

func (e *refusedRequestError) Error() string { return e.text }

// route chooses the transport of a request.
func (g *transport) route(u *url.URL) (http.RoundTripper, error) {
	g.mu.Lock()
	named, local := g.named[u.Host], g.local[u.Host]
	g.mu.Unlock()
	name := strings.ToLower(u.Hostname())
	switch {
	case u.Scheme == g.at.URL.Scheme && sameHost(u, g.at.URL):
		return g.at.Transport, nil
	case local:
		return g.machine, nil
	case egress.ForbiddenHost(name):
		return nil, &refusedRequestError{fmt.Sprintf("%s is a metadata, link-local or otherwise reserved address, which is not contacted",
			u.Host)}
	case g.list(name), named && (u.Scheme == "https" || egress.IsLoopbackHost(name)):
		return g.configured, nil
	case u.Scheme != "https":
		return nil, &refusedRequestError{fmt.Sprintf("a token would be sent to %s without TLS", u.Host)}
	case named:
		return g.configured, nil
	}
	return g.public, nil
}

// RoundTrip implements http.RoundTripper.
func (g *transport) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := g.send(request)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.failure = err
	if err == nil {
		g.status = response.StatusCode
	}
	return response, err
}

// send sends a request and reads the whole answer, because libraries keep only the text
// of an error that they meet in a body.
func (g *transport) send(request *http.Request) (*http.Response, error) {
	transport, err := g.route(request.URL)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(request.Context())
	defer cancel(nil)
	defer context.AfterFunc(g.ctx, func() { cancel(context.Cause(g.ctx)) })()
	bounded := request.Clone(ctx)
	if request.Body != nil {
		body, err := io.ReadAll(request.Body)
		if err := errors.Join(err, request.Body.Close()); err != nil {
			return nil, err
		}
		g.learnForm(string(body))
		bounded.Body = io.NopCloser(bytes.NewReader(body))
	}
	if _, token, ok := strings.Cut(request.Header.Get("Authorization"), " "); ok {
		g.learn(token)
	}
	response, err := answerLimits.Do(bounded, transport.RoundTrip)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(response.Body)
	if err = errors.Join(err, response.Body.Close()); err != nil {
		return nil, err
	}
	if response.StatusCode/100 == 3 {
		return nil, &refusedRequestError{fmt.Sprintf("%s answered with a redirect, which is not followed", request.URL.Host)}
	}
	g.learnAnswer(content)
	response.Body = io.NopCloser(bytes.NewReader(content))
	response.ContentLength = int64(len(content))
	return response, nil
}

// lastStatus is the status of the last answer, for a library whose error has it only in
// its text.
func (g *transport) lastStatus() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.status
}

// lastFailure is why the last request has no answer; nil if it has one.
func (g *transport) lastFailure() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.failure
}

// learn makes a token known to package redact, at least until the attempt ends.
func (g *transport) learn(token string) {
	if len(token) < 8 {
		return
	}
	s := redact.Remember(token)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.seen = append(g.seen, s)
}

// learnForm learns the secrets of a form.
func (g *transport) learnForm(body string) {
	values, err := url.ParseQuery(body)
	if err != nil {
		return
	}
	for _, name := range []string{"subject_token", "client_secret", "client_assertion", "assertion", "refresh_token"} {
		g.learn(values.Get(name))
	}
}

// learnAnswer learns the tokens of a JSON object.
func (g *transport) learnAnswer(body []byte) {
	var fields map[string]any
	if json.Unmarshal(body, &fields) != nil {
		return
	}
	for _, name := range []string{"access_token", "id_token", "refresh_token", "token", "value"} {
		if text, ok := fields[name].(string); ok {
			g.learn(text)
		}
	}
}
