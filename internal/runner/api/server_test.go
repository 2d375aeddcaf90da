package api_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs/jobstest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/api"
)

const secret = "a-token-for-the-tests"

// product returns a fake of jobs.API with one job, job_1, and one run, run_1.
// The functions of intercept are called before the method of their name.
func product(t *testing.T, intercept map[string]func(c *jobstest.Call) (handled bool, err error)) *jobstest.Fake {
	t.Helper()
	f := jobstest.New()
	env := f.Environment()
	env.Change(func() {
		s := env.Only()
		s.Jobs["job_1"] = jobs.Job{ID: "job_1", JobSpec: jobs.JobSpec{After: []string{"job_2"}}}
		s.Runs = []jobs.Run{{ID: "run_1", JobID: "job_1", Status: jobs.StatusRunning}}
		s.Fields["email"] = jobs.Field{ID: "email", Type: "string", IsIdentifier: true}
		env.Intercept = func(c *jobstest.Call) (bool, error) {
			if f := intercept[c.Method]; f != nil {
				return f(c)
			}
			return false, nil
		}
	})
	return f
}

// ask sends a request to a handler.
func ask(t *testing.T, h http.Handler, method, path, body string, edit func(*http.Request)) answered {
	t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r := httptest.NewRequestWithContext(t.Context(), method, "http://localhost:8088"+path, reader)
	r.Header.Set("Authorization", "Bearer "+secret)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if edit != nil {
		edit(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return answered{w.Code, w.Header(), w.Body.String()}
}

// answered is an HTTP response with its body.
type answered struct {
	StatusCode int
	Header     http.Header
	Body       string
}

// signsIn reports whether a server accepts a token.
func signsIn(t *testing.T, s *api.Server, token string) bool {
	t.Helper()
	_, _, err := s.SignIn(httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil), token)
	return err == nil
}

func server(f jobs.API) *api.Server {
	return api.New(api.Config{
		API: f, Token: jobs.NewSecret(secret), LocalToken: jobs.NewSecret("the-token-of-the-socket"), Release: "1.2.3", FollowEvery: time.Millisecond,
		Hosts:   []string{"runner.example.com", "10.1.2.3:8443"},
		Page:    http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "the page") }),
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "the metrics") }),
	})
}

// checklist 54: every route that reads or changes something requires the token.
func TestEveryRouteRequiresTheToken(t *testing.T) {
	t.Parallel()
	s := server(product(t, nil))
	for _, h := range []http.Handler{s.Handler(), s.Local()} {
		for _, path := range []string{"/api/v1/jobs", "/api/v1/nothing", "/openapi.json", "/metrics"} {
			for name, header := range map[string]string{
				"none": "", "another": "Bearer a-token-for-the-tesst", "a part": "Bearer " + secret[:10], "more": "Bearer " + secret + "x",
				"empty": "Bearer ", "of another kind": "Basic " + secret,
			} {
				resp := ask(t, h, http.MethodGet, path, "", func(r *http.Request) { r.Header.Set("Authorization", header) })
				if body := resp.Body; resp.StatusCode != http.StatusUnauthorized || resp.Header.Get("WWW-Authenticate") != "Bearer" || !strings.Contains(body, "token") {
					t.Errorf("%s with token %q gave %d: %s", path, name, resp.StatusCode, body)
				}
			}
		}
	}
	if resp := ask(t, s.Handler(), http.MethodGet, "/api/v1/jobs", "", nil); !strings.Contains(resp.Body, `"id":"job_1"`) {
		t.Errorf("with the token: got %d %s, want job_1", resp.StatusCode, resp.Body)
	}
	// The socket has a different token.
	if resp := ask(t, s.Local(), http.MethodGet, "/api/v1/jobs", "", nil); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("the socket accepted the network's token: got %d", resp.StatusCode)
	}
	if !signsIn(t, s, secret) || signsIn(t, s, "") || signsIn(t, s, secret[1:]) {
		t.Error("SignIn refused the token, or accepted another one")
	}
	if signsIn(t, api.New(api.Config{API: product(t, nil)}), "") {
		t.Error("a server without a token accepts an empty token")
	}
}

// Health checks need no token and no host name. The page has its own sign-in.
func TestHealthAndThePageNeedNoToken(t *testing.T) {
	t.Parallel()
	ready := errors.New("the store is away")
	s := api.New(api.Config{API: product(t, nil), Token: jobs.NewSecret(secret), Page: http.NotFoundHandler(), Ready: func(*http.Request) error { return ready }})
	probe := func(r *http.Request) { r.Header.Del("Authorization"); r.Host = "10.244.0.7:8443" }
	if resp := ask(t, s.Handler(), http.MethodGet, "/healthz", "", probe); resp.StatusCode != http.StatusNoContent {
		t.Errorf("health: %d", resp.StatusCode)
	}
	if resp := ask(t, s.Handler(), http.MethodGet, "/readyz", "", probe); resp.StatusCode != http.StatusServiceUnavailable || resp.Body != "" {
		t.Errorf("not ready: %d", resp.StatusCode)
	}
	ready = nil
	if resp := ask(t, s.Handler(), http.MethodGet, "/readyz", "", probe); resp.StatusCode != http.StatusNoContent {
		t.Errorf("ready: %d", resp.StatusCode)
	}
	page := ask(t, server(product(t, nil)).Handler(), http.MethodGet, "/", "", func(r *http.Request) { r.Header.Del("Authorization") })
	if got := page.Body; got != "the page" {
		t.Errorf("the page: %d %q", page.StatusCode, got)
	}
}

// checklist 54: DNS rebinding.
func TestOtherHostNamesAreRefused(t *testing.T) {
	t.Parallel()
	h := server(product(t, nil)).Handler()
	for host, want := range map[string]int{
		"localhost:8088": 200, "LOCALHOST": 200, "127.0.0.1:8088": 200, "[::1]:8088": 200, "runner.example.com": 200, "runner.example.com.:443": 200,
		"10.1.2.3": 200, "evil.example.com": 421, "runner.example.com.evil.com": 421, "10.1.2.4:8088": 421, "": 421, "localhost.evil.com": 421,
	} {
		for _, path := range []string{"/api/v1/jobs", "/"} {
			resp := ask(t, h, http.MethodGet, path, "", func(r *http.Request) { r.Host = host })
			if resp.StatusCode != want {
				t.Errorf("%s of host %q gave %d, want %d", path, host, resp.StatusCode, want)
			}
		}
	}
}

// checklist 54: a page of another origin cannot write, even with the token.
func TestCrossOriginWritesAreRefused(t *testing.T) {
	t.Parallel()
	h := server(product(t, nil)).Handler()
	for name, c := range map[string]struct {
		origin, site string
		want         int
	}{
		"no browser":        {"", "", 200},
		"its own page":      {"http://localhost:8088", "same-origin", 200},
		"another page":      {"https://evil.example.com", "cross-site", 403},
		"another old page":  {"https://evil.example.com", "", 403},
		"a sibling":         {"", "same-site", 403},
		"another port":      {"http://localhost:9999", "", 403},
		"an address typed":  {"", "none", 200},
		"a sandboxed frame": {"null", "", 403},
	} {
		resp := ask(t, h, http.MethodPut, "/api/v1/jobs/job_1/paused", `{"paused":true}`, func(r *http.Request) {
			for k, v := range map[string]string{"Origin": c.origin, "Sec-Fetch-Site": c.site} {
				if v != "" {
					r.Header.Set(k, v)
				}
			}
		})
		if resp.StatusCode != c.want {
			t.Errorf("%s gave %d, want %d", name, resp.StatusCode, c.want)
		}
	}
}

// checklist 54
func TestBodiesAreBoundedAndStrict(t *testing.T) {
	t.Parallel()
	h := server(product(t, nil)).Handler()
	for name, c := range map[string]struct {
		body string
		want int
	}{
		"good":             {`{"paused":true}`, 200},
		"too large":        {`{"paused":true,"x":"` + strings.Repeat("a", 1<<20) + `"}`, 413},
		"an unknown field": {`{"paused":true,"x":1}`, 422},
		"of another type":  {`{"paused":"yes"}`, 422},
		"no JSON":          {`paused`, 400},
		"none":             {``, 400},
	} {
		resp := ask(t, h, http.MethodPut, "/api/v1/jobs/job_1/paused", c.body, nil)
		body := resp.Body
		if resp.StatusCode != c.want {
			t.Errorf("%s gave %d: %s", name, resp.StatusCode, body)
		}
		if c.want != 200 && (resp.Header.Get("Content-Type") != "application/problem+json" || !strings.Contains(body, `"code":"invalid"`)) {
			t.Errorf("%s gave %s: %s", name, resp.Header.Get("Content-Type"), body)
		}
	}
	if resp := ask(t, h, http.MethodGet, "/api/v1/runs?jobid=x", "", nil); resp.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("an unknown parameter gave %d", resp.StatusCode)
	}
}

// checklist 54: the server neither reads nor waits for the body of an
// unauthorized request.
func TestServerDoesNotWaitForAnUnauthorizedBody(t *testing.T) {
	t.Parallel()
	s := api.New(api.Config{API: product(t, nil), Token: jobs.NewSecret(secret), ReadTimeout: 24 * time.Hour})
	web := httptest.NewServer(s.Handler())
	defer web.Close()
	for want, head := range map[string]string{
		"401": "Host: localhost\r\n",
		"421": "Host: evil.example\r\nAuthorization: Bearer " + secret + "\r\n",
	} {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", web.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		if _, err := io.WriteString(conn, "PUT /api/v1/jobs/job_1/paused HTTP/1.1\r\n"+head+"Content-Length: 100000\r\n\r\n{"); err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(conn)
		if line, _, _ := strings.Cut(string(answer), "\r\n"); err != nil || !strings.Contains(line, want) {
			t.Errorf("the answer is %q, %v; want %s and the connection closed", line, err, want)
		}
	}
}

// checklist 54: a body that does not arrive within the read timeout is refused;
// work that takes longer than the read and write timeouts is answered.
func TestSlowBodiesAreDroppedAndSlowWorkIsNot(t *testing.T) {
	t.Parallel()
	const timeout = time.Second
	work := map[string]func(*jobstest.Call) (bool, error){"PauseJob": func(*jobstest.Call) (bool, error) {
		time.Sleep(timeout + 200*time.Millisecond) // a measured duration: the server's timeouts use the same clock
		return false, nil
	}}
	s := api.New(api.Config{API: product(t, work), Token: jobs.NewSecret(secret), ReadTimeout: timeout, WriteTimeout: timeout})
	web := httptest.NewServer(s.Handler())
	defer web.Close()
	send := func(body string, length string) string {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", web.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		_, err = io.WriteString(conn, "PUT /api/v1/jobs/job_1/paused HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "+secret+
			"\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: "+length+"\r\n\r\n"+body)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(conn)
		if err != nil {
			t.Fatal(err)
		}
		line, _, _ := strings.Cut(string(got), "\r\n")
		return line
	}
	if got, want := send(`{"paus`, "15"), "HTTP/1.1 408 Request Timeout"; got != want {
		t.Errorf("half a body: got %q, want %q", got, want)
	}
	if got, want := send(`{"paused":true}`, "15"), "HTTP/1.1 200 OK"; got != want {
		t.Errorf("slow work: got %q, want %q", got, want)
	}
}

// A client of another API version is refused before it changes anything. The
// error says which side to upgrade.
func TestClientOfAnotherVersionIsRefused(t *testing.T) {
	t.Parallel()
	h := server(product(t, nil)).Handler()
	for version, older := range map[string]string{"2": "Upgrade the runner", "0": "Upgrade the provider"} {
		resp := ask(t, h, http.MethodPut, "/api/v1/jobs/job_1/paused", `{"paused":true}`, func(r *http.Request) {
			r.Header.Set("Lytics-Api-Version", version)
			r.Header.Set("Lytics-Release", "9.8.7")
		})
		body := resp.Body
		if resp.StatusCode != http.StatusBadRequest || !strings.Contains(body, older) || !strings.Contains(body, "9.8.7") || !strings.Contains(body, "1.2.3") {
			t.Errorf("version %s gave %d: %s", version, resp.StatusCode, body)
		}
	}
}

// checklist 43 54: the log contains no token and no identity of a user.
func TestLogHasNoSecretsAndNoIdentities(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	broken := map[string]func(*jobstest.Call) (bool, error){"CreateAuthorization": func(c *jobstest.Call) (bool, error) {
		return true, fmt.Errorf("refused for %s", c.Args[0].(jobs.AuthorizationChange).Label)
	}}
	s := api.New(api.Config{API: product(t, broken), Token: jobs.NewSecret(secret), Log: slog.New(slog.NewJSONHandler(&log, nil))})
	ask(t, s.Handler(), http.MethodPost, "/api/v1/authorizations", `{"spec":{"label":"l","host":"h","port":1,"http_path":"p"},"token":"dapi-canary"}`, nil)
	ask(t, s.Handler(), http.MethodPost, "/api/v1/profiles/find", `{"field":"email","value":"canary@example.com"}`, nil)
	ask(t, s.Handler(), http.MethodGet, "/api/v1/jobs?canary=1", "", nil)
	ask(t, s.Handler(), http.MethodGet, "/api/v1/jobs", "", func(r *http.Request) { r.Header.Set("Authorization", "Bearer canary") })
	for _, canary := range []string{"canary", secret} {
		if strings.Contains(log.String(), canary) {
			t.Errorf("%q is in the log:\n%s", canary, &log)
		}
	}
	for _, want := range []string{`"route":"/authorizations"`, `"status":500`, `"route":"/profiles/find"`, `"status":404`, `"status":401`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no %s in the log:\n%s", want, &log)
		}
	}
}

// checklist 77: a request that causes a panic is answered and logged, and the
// server goes on.
func TestPanicIsAnsweredAndLogged(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	broken := map[string]func(*jobstest.Call) (bool, error){"Job": func(*jobstest.Call) (bool, error) { panic("a canary of the request") }}
	s := api.New(api.Config{API: product(t, broken), Token: jobs.NewSecret(secret), Log: slog.New(slog.NewJSONHandler(&log, nil))})
	resp := ask(t, s.Handler(), http.MethodGet, "/api/v1/jobs/job_1", "", nil)
	if resp.StatusCode != http.StatusInternalServerError || !strings.Contains(resp.Body, "programming error") || strings.Contains(resp.Body, "canary") {
		t.Errorf("got %d %s, want 500 and a problem without the panic's text", resp.StatusCode, resp.Body)
	}
	for _, want := range []string{`"level":"ERROR"`, "a canary of the request", "server_test.go", `"status":500`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no %s in the log:\n%s", want, &log)
		}
	}
	if resp := ask(t, s.Handler(), http.MethodGet, "/api/v1/jobs", "", nil); resp.StatusCode != http.StatusOK {
		t.Errorf("the next request got %d, want 200", resp.StatusCode)
	}
}

func TestUnknownOperationIsNotAMissingObject(t *testing.T) {
	t.Parallel()
	resp := ask(t, server(product(t, nil)).Handler(), http.MethodGet, "/api/v1/no/such", "", nil)
	if body := resp.Body; resp.StatusCode != http.StatusNotFound || strings.Contains(body, `"not_found"`) {
		t.Errorf("%d: %s", resp.StatusCode, body)
	}
}

// A client that stops following cancels nothing, and a server that stops ends
// the streams at once.
func TestStopEndsStreamsOfFollowedRuns(t *testing.T) {
	t.Parallel()
	var s *api.Server
	looks := 0
	// The server reads the run a second time after it sent the first event.
	s = server(product(t, map[string]func(*jobstest.Call) (bool, error){"Run": func(*jobstest.Call) (bool, error) {
		if looks++; looks == 2 {
			s.Stop()
		}
		return false, nil
	}}))
	resp := ask(t, s.Handler(), http.MethodGet, "/api/v1/runs/run_1/follow", "", nil)
	body := resp.Body
	if resp.Header.Get("Content-Type") != "text/event-stream" || strings.Count(body, "event: run\n") != 1 || strings.Contains(body, "event: end") {
		t.Errorf("got %s", body)
	}
}
