package page_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/page"
)

// withCode is a page at which the code signs in with a token.
func withCode(code, with string) http.Handler {
	o := options(newExampleProduct(time.Now()), nil)
	s := newSessions()
	s.codes[jobs.HashToken(code)] = jobs.HashToken(with)
	o.Sessions = s
	return page.New(o)
}

// byHand are the headers of a browser for an address that was typed, or opened from
// another program.
var byHand = map[string]string{"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}

const noLongerValid = "does not sign in any more"

// A link that somebody opens from a terminal signs in at once, with the token that made
// it, and never again.
func TestLinkSignsInOnce(t *testing.T) {
	t.Parallel()
	h := withCode("CODE1", "operator-token")
	c := newClient(t, h)
	res, _ := c.send(http.MethodGet, "/sign-in?code=CODE1", nil, byHand)
	c.is(res, http.StatusSeeOther)
	if to := res.Header.Get("Location"); to != "/" {
		t.Errorf("the link goes on to %q, want / without the code", to)
	}
	if _, body := c.get("/"); !strings.Contains(body, "operate · operate") {
		t.Errorf("after the link, the page does not say who is signed in: %s", body)
	}
	other := newClient(t, h)
	for _, again := range []func() (answer, string){
		func() (answer, string) { return other.send(http.MethodGet, "/sign-in?code=CODE1", nil, byHand) },
		func() (answer, string) { return other.get("/sign-in?code=CODE1") },
		func() (answer, string) {
			return other.send(http.MethodPost, "/sign-in", url.Values{"code": {"CODE1"}}, nil)
		},
	} {
		res, body := again()
		other.is(res, http.StatusForbidden)
		if !strings.Contains(body, noLongerValid) || !strings.Contains(body, `name="token"`) {
			t.Errorf("the second use does not say why, or has no field for a token: %s", body)
		}
	}
	res, _ = other.get("/")
	other.is(res, http.StatusSeeOther)
}

// Programs that look at links, and pages that send somebody to one, do not use it up: it
// shows a button, which does.
func TestLinkOnAnotherSiteShowsAButton(t *testing.T) {
	t.Parallel()
	c := newClient(t, withCode("CODE2", "reader-token"))
	for name, header := range map[string]map[string]string{
		"a program":        nil,
		"another site":     {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
		"a prefetch":       {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate", "Sec-Purpose": "prefetch;prerender"},
		"part of a page":   {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "no-cors"},
		"the page's twin":  {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate"},
		"the page by name": {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate"},
	} {
		res, body := c.send(http.MethodGet, "/sign-in?code=CODE2", nil, header)
		c.is(res, http.StatusOK)
		if !strings.Contains(body, "Sign in as read") || res.Header.Get("Set-Cookie") != "" {
			t.Errorf("%s: want a button with the token's name and no session, got %s", name, body)
		}
	}
	res, _ := c.send(http.MethodHead, "/sign-in?code=CODE2", nil, byHand)
	c.is(res, http.StatusOK)
	res, _ = c.send(http.MethodPost, "/sign-in", url.Values{"code": {"CODE2"}}, nil)
	c.is(res, http.StatusSeeOther)
	if _, body := c.get("/"); !strings.Contains(body, "read · read") {
		t.Errorf("after the button, the page does not say who is signed in: %s", body)
	}
}

// A link ends with its token.
func TestLinkOfATokenThatEndedDoesNotSignIn(t *testing.T) {
	t.Parallel()
	for _, header := range []map[string]string{nil, byHand} {
		c := newClient(t, withCode("CODE3", "a-token-that-was-revoked"))
		res, body := c.send(http.MethodGet, "/sign-in?code=CODE3", nil, header)
		c.is(res, http.StatusForbidden)
		if !strings.Contains(body, noLongerValid) || res.Header.Get("Set-Cookie") != "" {
			t.Errorf("want no session and the reason, got %s", body)
		}
	}
}
