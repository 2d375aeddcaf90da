package page_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/page"
)

// The engine has the methods that the page needs.
var _ page.API = engine.Audited{}

// client is an HTTP client with cookies.
type client struct {
	*testing.T
	http *http.Client
	url  string
}

func newClient(t *testing.T, h http.Handler) *client {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &client{t, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, server.URL}
}

// answer is a response with its body.
type answer struct {
	StatusCode int
	Header     http.Header
	to         string
}

func (c *client) send(method, path string, form url.Values, header map[string]string) (answer, string) {
	c.Helper()
	req, err := http.NewRequestWithContext(c.Context(), method, c.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		c.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	res, err := c.http.Do(req)
	if err != nil {
		c.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		c.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, method + " " + path}, string(body)
}

func (c *client) get(path string) (answer, string) {
	c.Helper()
	return c.send(http.MethodGet, path, nil, nil)
}

func (c *client) signIn() answer {
	c.Helper()
	res, _ := c.send(http.MethodPost, "/sign-in", url.Values{"token": {token}}, nil)
	if res.StatusCode != http.StatusSeeOther {
		c.Fatalf("sign-in: %d", res.StatusCode)
	}
	return res
}

func (c *client) is(res answer, want int) {
	c.Helper()
	if res.StatusCode != want {
		c.Errorf("%s: %d, want %d", res.to, res.StatusCode, want)
	}
}

func TestPagesNeedASession(t *testing.T) {
	t.Parallel()
	api := newExampleProduct(time.Now())
	c := newClient(t, handler(api))
	for _, path := range []string{"/", "/runs", "/jobs/" + api.ok, "/runs/" + api.failedRun, "/nothing"} {
		res, body := c.get(path)
		c.is(res, http.StatusSeeOther)
		if !strings.HasPrefix(res.Header.Get("Location"), "/sign-in") || strings.Contains(body, "refunds") {
			t.Errorf("%s: %s %s", path, res.Header.Get("Location"), body)
		}
	}
	res, _ := c.send(http.MethodPost, "/jobs/"+api.ok+"/run", url.Values{}, nil)
	c.is(res, http.StatusSeeOther)
	if api.activeRun(api.ok) != "" {
		t.Error("a request without a session started a run")
	}
	// An unknown session, and the token in place of a session.
	for _, value := range []string{"made-up", token} {
		res, _ := c.send(http.MethodGet, "/", nil, map[string]string{"Cookie": "lytics_runner=" + value})
		c.is(res, http.StatusSeeOther)
	}
}

func TestSignOutEndsTheSession(t *testing.T) {
	t.Parallel()
	c := newClient(t, handler(newExampleProduct(time.Now())))
	res := c.signIn()
	cookie := res.Header.Get("Set-Cookie")
	if strings.Contains(cookie, token) || !strings.Contains(cookie, "HttpOnly") || !strings.Contains(cookie, "SameSite=Strict") {
		t.Errorf("cookie: %s", cookie)
	}
	session, _, _ := strings.Cut(cookie, ";")
	res, _ = c.get("/")
	c.is(res, http.StatusOK)
	res, _ = c.send(http.MethodPost, "/sign-out", url.Values{}, nil)
	c.is(res, http.StatusSeeOther)
	// The cookie of an ended session is not accepted.
	res, _ = c.send(http.MethodGet, "/", nil, map[string]string{"Cookie": session})
	c.is(res, http.StatusSeeOther)
}

func TestSessionExpires(t *testing.T) {
	t.Parallel()
	now := time.Now()
	c := newClient(t, page.New(options(newProduct(), func() time.Time { return now })))
	c.signIn()
	now = now.Add(11 * time.Hour)
	res, _ := c.get("/")
	c.is(res, http.StatusOK)
	now = now.Add(13 * time.Hour)
	res, _ = c.get("/")
	c.is(res, http.StatusSeeOther)
	c.signIn()
	for range 17 { // although it is used, it ends after a week
		res, _ = c.get("/")
		now = now.Add(10 * time.Hour)
	}
	c.is(res, http.StatusOK)
	res, _ = c.get("/")
	c.is(res, http.StatusSeeOther)
}

// checklist 54
func TestOtherSitesCannotActOrRead(t *testing.T) {
	t.Parallel()
	api := newExampleProduct(time.Now())
	c := newClient(t, handler(api))
	c.signIn()
	for _, header := range []map[string]string{{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"}} {
		for _, path := range []string{"/jobs/" + api.ok + "/run", "/jobs/" + api.ok + "/pause", "/runs/" + api.runningRun + "/cancel", "/sign-in", "/sign-out"} {
			res, _ := c.send(http.MethodPost, path, url.Values{"token": {token}}, header)
			c.is(res, http.StatusForbidden)
		}
	}
	if api.activeRun(api.ok) != "" || api.activeRun(api.running) == "" {
		t.Error("another site ran or cancelled something")
	}
	// A GET request changes nothing.
	res, _ := c.get("/jobs/" + api.ok + "/run")
	c.is(res, http.StatusNotFound)
	if api.activeRun(api.ok) != "" {
		t.Error("a link started a run")
	}
}

// checklist 54
func TestSecurityHeadersOnEveryAnswer(t *testing.T) {
	t.Parallel()
	c := newClient(t, handler(newExampleProduct(time.Now())))
	for _, path := range []string{"/sign-in", "/", "/nothing", "/assets/nothing"} {
		res, _ := c.get(path)
		policy := res.Header.Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none'; script-src 'self'; style-src 'self';") || strings.Contains(policy, "unsafe") || !strings.Contains(policy, "frame-ancestors 'none'") {
			t.Errorf("%s: policy %q", path, policy)
		}
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin", "Cache-Control": "no-store", "Cross-Origin-Opener-Policy": "same-origin"} {
			if got := res.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
	}
	_, body := c.get("/sign-in")
	for _, inline := range []string{"<style", " style=", "<script>", " onclick", "http://", "https://"} {
		if strings.Contains(body, inline) {
			t.Errorf("the page contains %q", inline)
		}
	}
}

func TestRedirectsStayOnThePage(t *testing.T) {
	t.Parallel()
	api := newExampleProduct(time.Now())
	c := newClient(t, handler(api))
	for _, next := range []string{"https://evil.example/", "//evil.example", `/\evil.example`, "javascript:alert(1)", "evil", ""} {
		res, _ := c.send(http.MethodPost, "/sign-in", url.Values{"token": {token}, "next": {next}}, nil)
		if to := res.Header.Get("Location"); to != "/" {
			t.Errorf("%q leads to %q", next, to)
		}
		res, _ = c.send(http.MethodPost, "/jobs/"+api.ok+"/pause", url.Values{"back": {next}}, nil)
		if to := res.Header.Get("Location"); to != "/" {
			t.Errorf("%q leads back to %q", next, to)
		}
	}
	res, _ := c.send(http.MethodPost, "/sign-in", url.Values{"token": {token}, "next": {"/jobs/x?runs=100"}}, nil)
	if to := res.Header.Get("Location"); to != "/jobs/x?runs=100" {
		t.Errorf("led to %q", to)
	}
}

func TestTextIsEscaped(t *testing.T) {
	t.Parallel()
	api := newProduct()
	evil := `<img src=x onerror=alert(1)>`
	j := tableImport(evil, evil, nil)
	j.Description = evil
	id := api.add(j)
	run := api.addRun(id, time.Now(), time.Second, 1, func(r *jobs.Run) {
		r.Status, r.Failure = jobs.StatusFailed, jobs.Failure{Summary: evil, Detail: evil, Next: evil}
	})
	api.log(run, time.Now(), "info", "%s", evil)
	c := newClient(t, handler(api))
	c.signIn()
	for _, path := range []string{"/", "/?q=" + url.QueryEscape(evil), "/jobs/" + id, "/runs/" + run, "/runs"} {
		res, body := c.get(path)
		c.is(res, http.StatusOK)
		if strings.Contains(body, "<img") {
			t.Errorf("%s has the markup of a name", path)
		}
	}
}

func TestMissingObjects(t *testing.T) {
	t.Parallel()
	api := newExampleProduct(time.Now())
	c := newClient(t, handler(api))
	c.signIn()
	for path, want := range map[string]string{"/jobs/job_none": "No job job_none", "/runs/run_none": "No run run_none", "/nothing": "There is no such page"} {
		res, body := c.get(path)
		c.is(res, http.StatusNotFound)
		if !strings.Contains(body, want) {
			t.Errorf("%s does not say %q", path, want)
		}
	}
	// The page shows the run of a deleted job.
	run := api.addRun("job_removed", time.Now(), time.Second, 5, nil)
	res, body := c.get("/runs/" + run)
	c.is(res, http.StatusOK)
	if !strings.Contains(body, "Run of job_removed") {
		t.Error("the run of a deleted job is not shown")
	}
}

func TestStoreErrorsAreShown(t *testing.T) {
	t.Parallel()
	api := newProduct()
	api.fail("Jobs", &jobs.Error{Code: jobs.CodeStore, Summary: "The store cannot be read", Detail: "The disk is gone.", Next: "Mount it again"})
	c := newClient(t, handler(api))
	c.signIn()
	res, body := c.get("/")
	c.is(res, http.StatusServiceUnavailable)
	for _, want := range []string{"The store cannot be read", "The disk is gone.", "Mount it again"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	api.fail("Jobs", errors.New("boom"))
	res, body = c.get("/")
	c.is(res, http.StatusInternalServerError)
	if !strings.Contains(body, "boom") {
		t.Error("the page does not say what happened")
	}
}

func TestUnchangedPageIsNotSentAgain(t *testing.T) {
	t.Parallel()
	api := newExampleProduct(time.Now())
	c := newClient(t, handler(api))
	c.signIn()
	res, _ := c.get("/jobs/" + api.ok)
	tag := map[string]string{"If-None-Match": res.Header.Get("ETag")}
	res, body := c.send(http.MethodGet, "/jobs/"+api.ok, nil, tag)
	c.is(res, http.StatusNotModified)
	if body != "" {
		t.Errorf("%d bytes were sent again", len(body))
	}
	api.changeRun(api.lastRun(api.ok).ID, func(r *jobs.Run) { r.RowsWritten++ })
	res, _ = c.send(http.MethodGet, "/jobs/"+api.ok, nil, tag)
	c.is(res, http.StatusOK)
}

// Open pages share one reading of the list of all jobs per second.
func TestOpenPagesShareOneReadingOfTheJobs(t *testing.T) {
	t.Parallel()
	api, now := newExampleProduct(time.Now()), time.Now()
	c := newClient(t, page.New(options(api, func() time.Time { return now })))
	c.signIn()
	for range 20 {
		c.get("/")
	}
	if n := api.called("Jobs"); n != 1 {
		t.Errorf("got %d calls of Jobs, want 1", n)
	}
	now = now.Add(2 * time.Second)
	c.get("/")
	if n := api.called("Jobs"); n != 2 {
		t.Errorf("two seconds later: got %d calls of Jobs, want 2", n)
	}
	// The result of an action is visible at once.
	c.send(http.MethodPost, "/jobs/"+api.ok+"/pause", url.Values{"back": {"/?state=paused"}}, nil)
	if _, body := c.get("/?state=paused"); !strings.Contains(body, ">customers</a>") {
		t.Error("the paused job is not listed as paused")
	}
}

func TestListOrderAndFilters(t *testing.T) {
	t.Parallel()
	now := time.Now()
	api := newExampleProduct(now)
	c := newClient(t, handler(api))
	c.signIn()
	_, body := c.get("/")
	at := -1
	for _, label := range []string{"refunds", "win-back to marketing", "orders", "churn risk to marketing", "gift cards, first load", "legacy tickets"} {
		i := strings.Index(body, `">`+label+`</a>`)
		if i < at {
			t.Errorf("%s is not at its place in the list", label)
		}
		at = i
	}
	for query, want := range map[string]string{"state=failed": "refunds", "state=late": "win-back", "state=running": "orders", "state=paused": "legacy", "q=FIRST+load": "gift cards", "q=loyal_customers": "loyal customers", "q=main.sales.returns": "returns"} {
		_, body := c.get("/?" + query)
		if n := strings.Count(body, `<tr role="row" id="row-`); n != 1 || !strings.Contains(body, want) {
			t.Errorf("%s: %d rows, want one of %s", query, n, want)
		}
	}
	if _, body := c.get("/jobs/" + api.late); !strings.Contains(body, "The planned run has not started.") || !strings.Contains(body, "Check that a runner is connected") {
		t.Error("the page of a late job does not say why it is late and what to do")
	}
	// A page number beyond the last page shows the last page.
	if _, body := c.get("/?page=99&sort=label"); strings.Count(body, `id="row-`) != 13 {
		t.Error("page 99 of one page is not that page")
	}
}

func BenchmarkListOfTenThousandJobs(b *testing.B) {
	api := newProduct()
	for i := range 10_000 {
		at := time.Now().Add(time.Hour)
		j := tableImport(fmt.Sprintf("table %05d", i), fmt.Sprintf("t%05d", i), &jobs.Schedule{Frequency: jobs.Hourly})
		j.NextRunAt = &at
		api.add(j)
	}
	h := handler(api)
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(b.Context(), http.MethodPost, "/sign-in", strings.NewReader("token="+token))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	h.ServeHTTP(w, r)
	for b.Loop() {
		r := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/?q=table+7", nil)
		r.Header.Set("Cookie", w.Header().Get("Set-Cookie"))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			b.Fatal(w.Code)
		}
	}
}
