//nolint:thelper // the functions given to onEachDatabase are the bodies of subtests
package runner_test

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/api"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/page"
)

// web serves the API and the page of a runner.
func web(t *testing.T, r *runner.Runner) http.Handler {
	t.Helper()
	return webWith(t, r, "the-own-token-of-a-runner")
}

// webWith is web with an own token of the runner.
func webWith(t *testing.T, r *runner.Runner, own string) http.Handler {
	t.Helper()
	var s *api.Server
	s = api.New(api.Config{
		API: r.API(), Tokens: r.API(), Token: jobs.NewSecret(own),
		Page: page.New(page.Options{
			API: r.API(), Sessions: r.API(),
			SignIn: func(r *http.Request, token string) (jobs.Actor, time.Duration, error) { return s.SignIn(r, token) },
			TokenOf: func(ctx context.Context, hash jobs.TokenHash) (jobs.Actor, error) {
				return s.TokenOf(ctx, hash)
			},
		}),
	})
	return s.Handler()
}

// Two runners behind one address share tokens and sessions: a browser that signed
// in at one is signed in at the other, and revoking a token ends both at once.
func TestRunnersOfAStoreShareTokensAndSessions(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, b *fixture) {
		var runners []http.Handler
		var first *runner.Runner
		for range 2 {
			r, _ := b.runner(runner.Config{})
			eventually(t, "the runner is ready", func() bool { return r.Ready(httptest.NewRequestWithContext(t.Context(), "", "/", nil)) == nil })
			if first == nil {
				first = r
			}
			runners = append(runners, web(t, r))
		}
		token, err := first.API().CreateToken(t.Context(), jobs.TokenSpec{Name: "ops", Role: jobs.RoleOperate})
		if err != nil {
			t.Fatal(err)
		}
		turn := 0
		balanced := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			turn++
			runners[turn%2].ServeHTTP(w, r)
		}))
		defer balanced.Close()
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		browser := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		send := func(method, path string, form url.Values, bearer string) (int, string) {
			t.Helper()
			req, err := http.NewRequestWithContext(t.Context(), method, balanced.URL+path, strings.NewReader(form.Encode()))
			if err != nil {
				t.Fatal(err)
			}
			if form != nil {
				req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			}
			if bearer != "" {
				req.Header.Set("Authorization", "Bearer "+bearer)
			}
			res, err := browser.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = res.Body.Close() }()
			body, err := io.ReadAll(res.Body)
			if err != nil {
				t.Fatal(err)
			}
			return res.StatusCode, string(body)
		}
		if status, body := send(http.MethodPost, "/sign-in", url.Values{"token": {token.Secret.Reveal()}}, ""); status != http.StatusSeeOther {
			t.Fatalf("sign-in: %d %s", status, body)
		}
		for range 4 {
			if status, _ := send(http.MethodGet, "/", nil, ""); status != http.StatusOK {
				t.Errorf("the page after the sign-in: got %d, want 200 from both runners", status)
			}
			if status, _ := send(http.MethodGet, "/api/v1/jobs", nil, token.Secret.Reveal()); status != http.StatusOK {
				t.Errorf("the API: got %d, want 200 from both runners", status)
			}
		}
		// What one runner did is said by the other one.
		turn = 0
		if status, _ := send(http.MethodPost, "/jobs/none/run", url.Values{"back": {"/"}}, ""); status != http.StatusSeeOther {
			t.Errorf("run: got %d, want 303", status)
		}
		if _, body := send(http.MethodGet, "/", nil, ""); !strings.Contains(body, "No job") {
			t.Errorf("the other runner does not show the notice: %s", body)
		}
		if n, err := first.API().RevokeToken(t.Context(), "ops"); err != nil || n != 1 {
			t.Fatalf("revoke: got %d, %v", n, err)
		}
		for range 2 {
			if status, _ := send(http.MethodGet, "/", nil, ""); status != http.StatusSeeOther {
				t.Errorf("the page after the token was revoked: got %d, want 303", status)
			}
			if status, _ := send(http.MethodGet, "/api/v1/jobs", nil, token.Secret.Reveal()); status != http.StatusUnauthorized {
				t.Errorf("the API after the token was revoked: got %d, want 401", status)
			}
		}
	})
}

// During a rotation both tokens of a name are valid; the earlier one then expires.
func TestRotatedTokenOverlapsWithTheEarlierOne(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, b *fixture) {
		e := b.apply()
		earlier, err := e.CreateToken(t.Context(), jobs.TokenSpec{Name: "ci", Role: jobs.RoleRead})
		if err != nil {
			t.Fatal(err)
		}
		later, err := e.RotateToken(t.Context(), "ci", 3600)
		if err != nil {
			t.Fatal(err)
		}
		valid := func(token jobs.NewToken) bool {
			_, err := e.TokenByHash(t.Context(), jobs.HashToken(token.Secret.Reveal()))
			if err != nil && !jobs.IsCode(err, jobs.CodeNotFound) {
				t.Fatal(err)
			}
			return err == nil
		}
		if !valid(earlier) || !valid(later) {
			t.Error("during the rotation, one of the tokens is not valid")
		}
		b.sql(`UPDATE tokens SET expires_at = expires_at - 3600000000 WHERE expires_at IS NOT NULL`)
		if valid(earlier) || !valid(later) {
			t.Error("after the rotation, the earlier token is valid, or the later one is not")
		}
		if all, err := e.Tokens(t.Context()); err != nil || len(all) != 1 || all[0].ID != later.ID {
			t.Errorf("got %+v, %v; want the later token alone", all, err)
		}
		err = filepath.WalkDir(b.dir, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.Type().IsRegular() {
				return err
			}
			content, err := os.ReadFile(path)
			if bytes.Contains(content, []byte(jobs.TokenPrefix)) {
				t.Errorf("%s has the text of a token", path)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
}

// Runs that nobody asked for are in the audit log, by the schedule.
func TestScheduledRunsAreInTheAuditLog(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, b *fixture) {
		e := b.apply()
		job := b.job(e, b.authorize(e).ID, "orders", startImmediately)
		r, _ := b.runner(runner.Config{})
		run := b.onlyRun(r.API(), job.ID, jobs.StatusSucceeded)
		page, err := r.API().AuditLog(t.Context(), jobs.AuditFilter{Actor: jobs.ActorSchedule})
		if err != nil || len(page.Entries) != 1 || page.Entries[0].RunID != run.ID || page.Entries[0].Object != job.ID || page.Entries[0].Action != "start-run" {
			t.Errorf("got %+v, %v; want the start of %s", page, err, run.ID)
		}
	})
}

// A rotated token has the lifetime of the earlier one, so that a rotation makes no token
// that is valid for ever.
func TestRotatedTokenHasTheLifetimeOfTheEarlierOne(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, b *fixture) {
		e := b.apply()
		if _, err := e.CreateToken(t.Context(), jobs.TokenSpec{Name: "ci", Role: jobs.RoleRead, ExpiresInSeconds: 3600}); err != nil {
			t.Fatal(err)
		}
		later, err := e.RotateToken(t.Context(), "ci", 60)
		if err != nil {
			t.Fatal(err)
		}
		if later.ExpiresAt == nil || later.ExpiresAt.Sub(later.CreatedAt) != time.Hour {
			t.Errorf("got %v to %v, want an hour", later.CreatedAt, later.ExpiresAt)
		}
	})
}
