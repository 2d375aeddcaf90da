//nolint:thelper // the functions passed to onEachDatabase are test bodies
package runner_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/page"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store/storetest"
)

// loadBalancer is one address for several runners: each request goes to the next one
// that is up.
type loadBalancer struct {
	mu   sync.Mutex
	up   []*url.URL
	next int
	// served counts the requests of each runner, by its host.
	served map[string]int
}

func (l *loadBalancer) set(up ...*url.URL) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.up = up
}

func (l *loadBalancer) rewrite(p *httputil.ProxyRequest) {
	l.mu.Lock()
	defer l.mu.Unlock()
	to := l.up[l.next%len(l.up)]
	l.next++
	l.served[to.Host]++
	p.SetURL(to)
	p.Out.Host = p.In.Host
}

// webBrowser keeps cookies, and shows redirects to the test.
type webBrowser struct {
	*testing.T
	http *http.Client
	at   string
}

func newBrowser(t *testing.T, at string) *webBrowser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &webBrowser{t, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, at}
}

// send returns the status, the place of a redirect, and the body.
func (b *webBrowser) send(method, path string, form url.Values, header ...string) (status int, to, body string) {
	b.Helper()
	req, err := http.NewRequestWithContext(b.Context(), method, b.at+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := b.http.Do(req)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		b.Fatal(err)
	}
	return res.StatusCode, res.Header.Get("Location"), string(text)
}

// servedRunner is a runner with its HTTP server.
type servedRunner struct {
	*runner.Runner
	at   *url.URL
	stop func()
}

// servedRunner starts a runner, and serves its API and its page.
func (b *fixture) servedRunner(t *testing.T) servedRunner {
	t.Helper()
	r, stop := b.runner(runner.Config{})
	s := httptest.NewServer(web(t, r))
	t.Cleanup(s.Close)
	at, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	return servedRunner{r, at, func() {
		s.Close()
		stop()
	}}
}

// Two runners on PostgreSQL behind one address, which sends each click to the next
// runner: in 200 clicks, nobody is signed out. Then one runner after the other is
// restarted, so that no process is left that has seen the sign-in: still signed in.
func TestRunnersBehindOneAddressKeepTheSignIn(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	b.url = jobs.NewSecret(storetest.URL(t))
	apply := b.apply()
	job := b.job(apply, b.authorize(apply).ID, "orders", func(s *jobs.JobSpec) { s.Schedule = &jobs.Schedule{Frequency: jobs.Daily} })
	token, err := apply.CreateToken(t.Context(), jobs.TokenSpec{Name: "ops", Role: jobs.RoleOperate})
	if err != nil {
		t.Fatal(err)
	}
	first, second := b.servedRunner(t), b.servedRunner(t)
	balancer := &loadBalancer{served: map[string]int{}}
	balancer.set(first.at, second.at)
	front := httptest.NewServer(&httputil.ReverseProxy{Rewrite: balancer.rewrite})
	t.Cleanup(front.Close)
	browser := newBrowser(t, front.URL)
	if status, to, body := browser.send(http.MethodPost, "/sign-in", url.Values{"token": {token.Secret.Reveal()}}); status != http.StatusSeeOther || to != "/" {
		t.Fatalf("sign-in: got %d to %q, want 303 to /: %s", status, to, body)
	}
	// Of two neighbouring clicks on one page, each runner gets one.
	pages := []string{"/", page.JobPath(job.ID), "/runs", "/audit"}
	click := func(n int) {
		t.Helper()
		if n%20 >= 18 {
			action := []string{"/pause", "/resume"}[n%2]
			status, to, body := browser.send(http.MethodPost, page.JobPath(job.ID)+action, url.Values{"back": {"/runs"}})
			if status != http.StatusSeeOther || to != "/runs" {
				t.Errorf("click %d, %s: got %d to %q, want 303 to /runs: %s", n, action, status, to, body)
			}
			return
		}
		path := pages[n/2%len(pages)]
		if status, to, body := browser.send(http.MethodGet, path, nil); status != http.StatusOK || !strings.Contains(body, "ops · operate") {
			t.Errorf("click %d, %s: got %d to %q, want 200 and who is signed in", n, path, status, to)
		}
	}
	clear(balancer.served)
	for n := range 200 {
		click(n)
	}
	for name, r := range map[string]servedRunner{"first": first, "second": second} {
		if n := balancer.served[r.at.Host]; n != 100 {
			t.Errorf("the %s runner served %d of 200 clicks, want 100", name, n)
		}
	}

	balancer.set(second.at)
	first.stop()
	for n := range 4 {
		click(n) // while one runner is away
	}
	first = b.servedRunner(t)
	balancer.set(first.at, second.at)
	for n := range 8 {
		click(n)
	}
	balancer.set(first.at)
	second.stop()
	second = b.servedRunner(t)
	balancer.set(first.at, second.at)
	for n := range 8 {
		click(n)
	}
	if n := balancer.served[second.at.Host]; n != 4 {
		t.Errorf("the restarted second runner served %d clicks, want 4", n)
	}
	// The token's end is the session's end, at both.
	if _, err := apply.RevokeToken(t.Context(), "ops"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if status, to, _ := browser.send(http.MethodGet, "/", nil); status != http.StatusSeeOther || to != "/sign-in" {
			t.Errorf("after the token was revoked: got %d to %q, want 303 to /sign-in", status, to)
		}
	}
	if n := b.count(`SELECT count(*) FROM sessions`); n != 0 {
		t.Errorf("the store has %d sessions of a revoked token", n)
	}
}

// A runner whose own token is another one does not know a session that was opened with
// the first runner's own token, and says what the runners need.
func TestRunnersWithDifferentOwnTokensSayWhyTheSignInIsNotKnown(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	r, _ := b.runner(runner.Config{})
	handlers := map[string]http.Handler{"a": webWith(t, r, "the-own-token-of-runner-a"), "b": webWith(t, r, "the-own-token-of-runner-b")}
	turn := "a"
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handlers[turn].ServeHTTP(w, r) }))
	t.Cleanup(front.Close)
	browser := newBrowser(t, front.URL)
	if status, _, body := browser.send(http.MethodPost, "/sign-in", url.Values{"token": {"the-own-token-of-runner-a"}}); status != http.StatusSeeOther {
		t.Fatalf("sign-in: got %d, want 303: %s", status, body)
	}
	turn = "b"
	if status, to, _ := browser.send(http.MethodGet, "/", nil); status != http.StatusSeeOther || to != "/sign-in" {
		t.Errorf("at the other runner: got %d to %q, want 303 to /sign-in", status, to)
	}
	want := "Runners behind one address need the same"
	if _, _, body := browser.send(http.MethodGet, "/sign-in", nil); !strings.Contains(body, want) {
		t.Errorf("the sign-in page does not say %q: %s", want, body)
	}
	turn = "a"
	if status, _, _ := browser.send(http.MethodGet, "/", nil); status != http.StatusOK {
		t.Errorf("back at the first runner: got %d, want 200", status)
	}
}

// A link that was made through one runner signs in at any of them, once: of two browsers
// that open it at the same time, one is signed in. The store never has the code.
func TestLinkSignsInAtAnyRunnerOnce(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, b *fixture) {
		apply := b.apply()
		token, err := apply.CreateToken(t.Context(), jobs.TokenSpec{Name: "ops", Role: jobs.RoleRead})
		if err != nil {
			t.Fatal(err)
		}
		runners := []servedRunner{b.servedRunner(t), b.servedRunner(t)}
		// link makes a link over the API, and returns its path.
		link := func() string {
			t.Helper()
			status, _, body := newBrowser(t, runners[0].at.String()).send(http.MethodPost, "/api/v1/sign-in-codes", nil,
				"Authorization", "Bearer "+token.Secret.Reveal())
			var made struct {
				Code      string    `json:"code"`
				ExpiresAt time.Time `json:"expires_at"`
			}
			if err := json.Unmarshal([]byte(body), &made); err != nil || status != http.StatusOK || made.Code == "" || made.ExpiresAt.IsZero() {
				t.Fatalf("making a link: got %d %s, %v", status, body, err)
			}
			if n := b.count(`SELECT count(*) FROM sign_in_codes WHERE length(code) <> 32`); n != 0 || len(made.Code) == 32 {
				t.Error("the store has something else than the SHA-256 hash of a code")
			}
			return jobs.SignInPath(jobs.NewSecret(made.Code))
		}
		// open opens a link in a new browser at a runner.
		open := func(at servedRunner, path string) (*webBrowser, int) {
			browser := newBrowser(t, at.at.String())
			status, _, _ := browser.send(http.MethodGet, path, nil, "Sec-Fetch-Site", "none", "Sec-Fetch-Mode", "navigate")
			return browser, status
		}
		for range 5 {
			path, answers := link(), make([]int, 8)
			var opening sync.WaitGroup
			for i := range answers {
				opening.Go(func() { _, answers[i] = open(runners[i%2], path) })
			}
			opening.Wait()
			slices.Sort(answers)
			want := append([]int{http.StatusSeeOther}, slices.Repeat([]int{http.StatusForbidden}, len(answers)-1)...)
			if d := cmp.Diff(want, answers); d != "" {
				t.Errorf("several browsers opened one link (-want +got):\n%s", d)
			}
		}
		browser, status := open(runners[1], link())
		if _, _, body := browser.send(http.MethodGet, "/", nil); status != http.StatusSeeOther || !strings.Contains(body, "ops · read") {
			t.Errorf("at the other runner: got %d, want a session of the token ops: %s", status, body)
		}
		late := link()
		b.sql(`UPDATE sign_in_codes SET expires_at = expires_at - ?`, jobs.SignInCodeLifetime.Microseconds())
		if _, status := open(runners[0], late); status != http.StatusForbidden {
			t.Errorf("an expired link: got %d, want 403", status)
		}
		revoked := link()
		if _, err := apply.RevokeToken(t.Context(), "ops"); err != nil {
			t.Fatal(err)
		}
		if n := b.count(`SELECT count(*) FROM sign_in_codes`); n != 0 {
			t.Errorf("the store has %d codes of a revoked token", n)
		}
		if _, status := open(runners[0], revoked); status != http.StatusForbidden {
			t.Errorf("the link of a revoked token: got %d, want 403", status)
		}
	})
}
