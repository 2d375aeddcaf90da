package client_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/client"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs/jobstest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/api"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/page"
)

// at returns a client of a handler, and the number of requests that the handler
// received.
func at(t *testing.T, h http.HandlerFunc) (*client.Client, *atomic.Int64) {
	t.Helper()
	var n atomic.Int64
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n.Add(1)
		h(w, r)
	}))
	t.Cleanup(web.Close)
	c, err := client.New(client.Config{URL: web.URL, Token: jobs.NewSecret(token), Release: "1.2.3"})
	if err != nil {
		t.Fatal(err)
	}
	return c, &n
}

// checklist 46: an answer that is not the runner's never means that an object
// is missing. Transient failures are retried; requests that change something
// are retried only if the runner cannot have received them.
func TestOnlyTheRunnerCanAnswerNotFound(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer      http.HandlerFunc
		gets, posts int64
	}{
		"a proxy's 404": {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "not found", http.StatusNotFound) }, 1, 1},
		"a proxy's JSON": {func(w http.ResponseWriter, _ *http.Request) {
			problem(w, http.StatusNotFound, `{"code":"not_found","title":"x"}`)
		}, 1, 1},
		"401":              {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "who are you", http.StatusUnauthorized) }, 1, 1},
		"429":              {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "slowly", http.StatusTooManyRequests) }, 5, 5},
		"500":              {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "oh", http.StatusInternalServerError) }, 5, 1},
		"503":              {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "later", http.StatusServiceUnavailable) }, 5, 1},
		"a page":           {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }, 1, 1},
		"a redirect":       {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) }, 1, 1},
		"a cut connection": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 5, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cl, n := at(t, c.answer)
			_, err := cl.Job(t.Context(), "job_1")
			if !jobs.IsCode(err, jobs.CodeUnreachable) || n.Load() != c.gets {
				t.Errorf("after %d requests: %v", n.Load(), err)
			}
			n.Store(0)
			if _, err := cl.StartRun(t.Context(), "job_1", jobs.ReasonManual); err == nil || jobs.IsCode(err, jobs.CodeNotFound) || n.Load() != c.posts {
				t.Errorf("a run after %d requests: %v", n.Load(), err)
			}
		})
	}
	t.Run("no answer in time", func(t *testing.T) {
		t.Parallel()
		c, _ := at(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if _, err := c.Job(ctx, "job_1"); !jobs.IsCode(err, jobs.CodeTimeout) {
			t.Errorf("got %v", err)
		}
	})
}

func problem(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text)
}

// A call succeeds if the runner answers within the attempts. A DELETE whose answer
// was lost succeeds, although the second one finds nothing.
func TestTransientFailuresAreRetried(t *testing.T) {
	t.Parallel()
	var lost atomic.Bool
	r := newRecorder(t, &filler{})
	r.fail = &jobs.Error{Code: jobs.CodeNotFound, Summary: "gone"}
	s := api.New(api.Config{API: r, Token: jobs.NewSecret(token)})
	c, n := at(t, func(w http.ResponseWriter, r *http.Request) {
		if lost.CompareAndSwap(false, true) {
			panic(http.ErrAbortHandler)
		}
		s.Handler().ServeHTTP(w, r)
	})
	if err := c.DeleteField(t.Context(), "email", "owner"); err != nil || n.Load() != 2 {
		t.Errorf("after %d requests: %v", n.Load(), err)
	}
	if err := c.DeleteField(t.Context(), "email", "owner"); !jobs.IsCode(err, jobs.CodeNotFound) {
		t.Errorf("got %v", err)
	}
}

// If the runner and the client have different versions, the error names the
// older one.
func TestVersionMismatchNamesTheOlderSide(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]string{"2": "Upgrade the provider", "0": "Upgrade the runner"} {
		c, n := at(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Lytics-Api-Version", version)
			w.Header().Set("Lytics-Release", "9.8.7")
			_, _ = io.WriteString(w, `{"id":"st_1"}`)
		})
		_, err := c.Store(t.Context(), false)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "9.8.7") || n.Load() != 1 {
			t.Errorf("version %s gave %v", version, err)
		}
	}
}

// checklist 54: the token never crosses the network unencrypted.
func TestUnencryptedAddressesAreRefused(t *testing.T) {
	t.Parallel()
	for url, ok := range map[string]bool{
		"https://runner.example.com:8443": true, "https://h/behind/a/path/": true, "http://127.0.0.1:8088": true, "http://localhost:1": true, "http://[::1]:1": true,
		"https://[2001:db8::7]:8443": true, "https://[2001:db8::7]": true, "https://[fe80::1%25eth0]:8443": true, "http://[::ffff:127.0.0.1]:1": true,
		"http://[2001:db8::7]": false, "http://[fe80::1%25eth0]:1": false, "http://[fd12::1]:1": false, "http://[::ffff:10.0.0.1]:1": false, "http://[::]:1": false,
		"http://::1:1":              false,
		"http://runner.example.com": false, "http://10.0.0.1": false, "ftp://h": false, "runner.example.com": false, "": false, "https://u:p@h": false, "https://h?token=x": false,
	} {
		_, err := client.New(client.Config{URL: url, Token: jobs.NewSecret(token)})
		if ok != (err == nil) || err != nil && !jobs.IsCode(err, jobs.CodeInvalid) {
			t.Errorf("%q gave %v", url, err)
		}
	}
	if _, err := client.New(client.Config{URL: "https://h"}); err == nil || !strings.Contains(err.Error(), "LYTICS_RUNNER_TOKEN") {
		t.Errorf("without a token: %v", err)
	}
	if _, err := client.New(client.Config{URL: "https://h", Token: jobs.NewSecret(token), CAFile: "/no/such"}); err == nil {
		t.Error("got no error without the file of certificate authorities")
	}
}

// After a lost connection, WaitRun reconnects and reports every change.
func TestWaitRunReconnects(t *testing.T) {
	t.Parallel()
	s := api.New(api.Config{API: &moving{Fake: jobstest.New()}, Token: jobs.NewSecret(token), FollowEvery: time.Millisecond})
	var times atomic.Int64
	c, _ := at(t, func(w http.ResponseWriter, req *http.Request) {
		if times.Add(1) == 1 {
			ctx, cut := context.WithTimeout(req.Context(), 20*time.Millisecond)
			defer cut()
			req = req.WithContext(ctx)
		}
		s.Handler().ServeHTTP(w, req)
	})
	var phases []string
	run, err := c.WaitRun(t.Context(), "run_1", func(r jobs.Run) { phases = append(phases, r.Phase) })
	if err != nil || run.Status != jobs.StatusSucceeded || times.Load() < 2 || len(phases) < 2 {
		t.Errorf("%+v, %v, after %d connections and %q", run, err, times.Load(), phases)
	}
}

// moving is an API with one run that progresses and ends.
type moving struct {
	*jobstest.Fake
	looks atomic.Int64
}

func (m *moving) Run(context.Context, string) (jobs.Run, error) {
	if n := m.looks.Add(1); n < 60 {
		return jobs.Run{ID: "run_1", Status: jobs.StatusRunning, Phase: []string{"reading", "writing"}[n/30]}, nil
	}
	return jobs.Run{ID: "run_1", Status: jobs.StatusSucceeded, Phase: "done"}, nil
}

// The URL of a run is the URL that the page serves.
func TestRunURLIsThePathOfThePage(t *testing.T) {
	t.Parallel()
	c, err := client.New(client.Config{URL: "https://runner.example.com:8443/", Token: jobs.NewSecret(token)})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := jobs.RunURL(c, "run_1"), "https://runner.example.com:8443"+page.RunPath("run_1"); got != want {
		t.Errorf("got %s, want the page's URL %s", got, want)
	}
	sixth, err := client.New(client.Config{URL: "https://[2001:db8::7]:8443", Token: jobs.NewSecret(token)})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := jobs.RunURL(sixth, "run_1"), "https://[2001:db8::7]:8443"+page.RunPath("run_1"); got != want {
		t.Errorf("got %s, want the page's URL %s", got, want)
	}
	local, err := client.New(client.Config{Socket: "/run/runner.sock", Token: jobs.NewSecret(token)})
	if err != nil {
		t.Fatal(err)
	}
	if got := jobs.RunURL(local, "run_1"); got != "" {
		t.Errorf("without a page: got %s, want none", got)
	}
	local, err = client.New(client.Config{Socket: "/run/runner.sock", Page: "http://127.0.0.1:8088", Token: jobs.NewSecret(token)})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := jobs.RunURL(local, "run_1"), "http://127.0.0.1:8088"+page.RunPath("run_1"); got != want {
		t.Errorf("through a socket: got %s, want the page's URL %s", got, want)
	}
}
