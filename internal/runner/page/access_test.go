package page_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/page"
)

// names are the roles of the tokens in the tests, by the token.
var names = map[string]jobs.Role{token: jobs.RoleAdmin, "reader-token": jobs.RoleRead, "operator-token": jobs.RoleOperate}

// options are those of a page with the tokens of names, which are named after their
// roles.
func options(api page.API, now func() time.Time) page.Options {
	byHash := map[jobs.TokenHash]jobs.Actor{}
	for text, role := range names {
		byHash[jobs.HashToken(text)] = jobs.Actor{Name: string(role), Role: role}
	}
	tokenOf := func(_ context.Context, hash jobs.TokenHash) (jobs.Actor, error) {
		if who, ok := byHash[hash]; ok {
			return who, nil
		}
		return jobs.Actor{}, &jobs.Error{Code: jobs.CodeNotFound}
	}
	return page.Options{
		API: api, Version: "1.2.3", Now: now, Sessions: newSessions(), TokenOf: tokenOf,
		SignIn: func(r *http.Request, token string) (jobs.Actor, time.Duration, error) {
			if token == "slow down" {
				return jobs.Actor{}, 1500 * time.Millisecond, &jobs.Error{Code: jobs.CodeLimited}
			}
			who, err := tokenOf(r.Context(), jobs.HashToken(token))
			if err != nil {
				err = &jobs.Error{Code: jobs.CodeUnauthorized}
			}
			return who, 0, err
		},
	}
}

// sessions keeps sessions and sign-in codes in memory.
type sessions struct {
	mu    sync.Mutex
	byKey map[jobs.TokenHash]jobs.Session
	codes map[jobs.TokenHash]jobs.TokenHash
}

func newSessions() *sessions {
	return &sessions{byKey: map[jobs.TokenHash]jobs.Session{}, codes: map[jobs.TokenHash]jobs.TokenHash{}}
}

func (s *sessions) SignInCode(_ context.Context, code jobs.TokenHash) (jobs.TokenHash, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	token, ok := s.codes[code]
	if !ok {
		return token, &jobs.Error{Code: jobs.CodeNotFound}
	}
	return token, nil
}

func (s *sessions) UseSignInCode(ctx context.Context, code jobs.TokenHash) (jobs.TokenHash, error) {
	token, err := s.SignInCode(ctx, code)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.codes, code)
	return token, err
}

func (s *sessions) BeginSession(_ context.Context, key jobs.TokenHash, v jobs.Session, _ time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byKey[key] = v
	return nil
}

func (s *sessions) Session(_ context.Context, key jobs.TokenHash) (jobs.Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.byKey[key]
	if !ok {
		return v, &jobs.Error{Code: jobs.CodeNotFound}
	}
	return v, nil
}

func (s *sessions) UpdateSession(ctx context.Context, key jobs.TokenHash, v jobs.Session) error {
	if _, err := s.Session(ctx, key); err != nil {
		return nil //nolint:nilerr // an update of what is gone changes nothing
	}
	return s.BeginSession(ctx, key, v, time.Time{})
}

func (s *sessions) EndSession(_ context.Context, key jobs.TokenHash) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byKey, key)
	return nil
}

// as signs in with another token than the admin's.
func (c *client) as(text string) {
	c.Helper()
	res, _ := c.send(http.MethodPost, "/sign-in", url.Values{"token": {text}}, nil)
	c.is(res, http.StatusSeeOther)
}

// A token with the role read sees no button and cannot act; one with the role
// operate can.
func TestRoleDecidesWhoMayAct(t *testing.T) {
	t.Parallel()
	api := newExampleProduct(time.Now())
	h := handler(api)
	reader, operator := newClient(t, h), newClient(t, h)
	reader.as("reader-token")
	operator.as("operator-token")
	for _, path := range []string{"/", "/jobs/" + api.ok, "/runs/" + api.runningRun, "/runs/" + api.failedRun} {
		for who, c := range map[string]*client{"read": reader, "operate": operator} {
			res, body := c.get(path)
			c.is(res, http.StatusOK)
			if got, want := strings.Contains(body, `class="act`), who == "operate"; got != want {
				t.Errorf("%s as %s: buttons shown %t, want %t", path, who, got, want)
			}
			if !strings.Contains(body, who+" · "+who) {
				t.Errorf("%s as %s does not say who is signed in", path, who)
			}
		}
	}
	for _, path := range []string{
		"/jobs/" + api.ok + "/run", "/jobs/" + api.ok + "/pause", "/jobs/" + api.ok + "/resume", "/runs/" + api.runningRun + "/cancel",
	} {
		res, body := reader.send(http.MethodPost, path, url.Values{}, nil)
		reader.is(res, http.StatusForbidden)
		if !strings.Contains(body, "role operate") || !strings.Contains(body, "&#34;read&#34;") {
			t.Errorf("%s does not name the role that is needed, and the token: %s", path, body)
		}
	}
	if api.activeRun(api.ok) != "" || api.activeRun(api.running) == "" {
		t.Error("a token with the role read started or cancelled a run")
	}
	res, _ := operator.send(http.MethodPost, "/jobs/"+api.ok+"/run", url.Values{}, nil)
	operator.is(res, http.StatusSeeOther)
	if api.activeRun(api.ok) == "" {
		t.Error("a token with the role operate could not start a run")
	}
}

// A session ends with the token that opened it.
func TestSessionEndsWithItsToken(t *testing.T) {
	t.Parallel()
	valid := true
	o := options(newExampleProduct(time.Now()), nil)
	tokenOf := o.TokenOf
	o.TokenOf = func(ctx context.Context, hash jobs.TokenHash) (jobs.Actor, error) {
		if !valid {
			return jobs.Actor{}, &jobs.Error{Code: jobs.CodeNotFound}
		}
		return tokenOf(ctx, hash)
	}
	c := newClient(t, page.New(o))
	c.signIn()
	res, _ := c.get("/")
	c.is(res, http.StatusOK)
	valid = false
	res, _ = c.get("/")
	c.is(res, http.StatusSeeOther)
	if _, body := c.get("/sign-in"); !strings.Contains(body, "is not valid at this runner") {
		t.Errorf("the sign-in page does not say that the token has ended: %s", body)
	}
	// Whoever signs out has no session any more, and is not told again.
	res, _ = c.send(http.MethodPost, "/sign-out", url.Values{}, nil)
	c.is(res, http.StatusSeeOther)
	if _, body := c.get("/sign-in"); strings.Contains(body, "is not valid at this runner") {
		t.Errorf("after the sign-out, the sign-in page speaks of the earlier token: %s", body)
	}
}

// After too many wrong tokens, the page says how long to wait.
func TestSlowedSignInSaysHowLongToWait(t *testing.T) {
	t.Parallel()
	c := newClient(t, handler(newProduct()))
	res, body := c.send(http.MethodPost, "/sign-in", url.Values{"token": {"slow down"}}, nil)
	c.is(res, http.StatusTooManyRequests)
	if res.Header.Get("Retry-After") != "2" || !strings.Contains(body, "Wait 2 seconds") {
		t.Errorf("got Retry-After %q and %s; want 2 seconds", res.Header.Get("Retry-After"), body)
	}
}

func TestAuditLogIsShown(t *testing.T) {
	t.Parallel()
	api := newExampleProduct(time.Now())
	c := newClient(t, handler(api))
	c.as("reader-token")
	res, body := c.get("/audit")
	c.is(res, http.StatusOK)
	for _, want := range []string{"ci &lt;b&gt;", "operate", "192.0.2.7", "pause-job", "orders", "schedule", "start-run", "/runs/" + api.failedRun, "/audit?object=" + api.ok} {
		if !strings.Contains(body, want) {
			t.Errorf("the audit log does not show %s: %s", want, body)
		}
	}
}
