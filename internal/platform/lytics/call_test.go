package lytics_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/lyticstest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/lytics"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store/storetest"
)

// checklist 25: the token changes during a run. It is read again, and the run continues.
func TestAChangedTokenIsReadAgain(t *testing.T) {
	t.Parallel()
	token, reads := canary, 0
	b := open(t, lyticstest.Options{}, func(c *lytics.Config) {
		c.Token = func(context.Context) (jobs.Secret, error) {
			reads++
			return jobs.NewSecret(" " + token + "\n"), nil
		}
	})
	if err := b.send("s", events(0, 1)); err != nil {
		t.Fatal(err)
	}
	token = canary + "-2"
	b.server.SetToken(token)
	if err := b.send("s", events(1, 1)); err != nil {
		t.Fatal(err)
	}
	b.must(b.Fields(t.Context()))
	if reads != 2 {
		t.Errorf("the token was read %d times", reads)
	}
	b.wantIDs("s", "e0", "e1")
	b.wantUnsure(0)
	// A token that stays invalid is an error after one renewal.
	b.server.SetToken("another")
	_, err := b.Fields(t.Context())
	refused(t, "bad token", err, jobs.CodeUnauthorized, "platform.lytics.token", "401", "LYTICS_API_TOKEN")
	if reads != 3 || b.clock.Total() != 0 {
		t.Errorf("the token was read %d times, and %s passed", reads, b.clock.Total())
	}
}

func TestTokensThatCannotWorkAreNotSent(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		token func(context.Context) (jobs.Secret, error)
		says  string
	}{
		"none":   {nil, "none is configured"},
		"empty":  {fixed(" \n"), "empty"},
		"bearer": {fixed("Bearer " + canary), "the token alone"},
		"lines":  {fixed(canary + "\r\nX-Other: 1"), "no HTTP header"},
		"error": {func(context.Context) (jobs.Secret, error) {
			return jobs.Secret{}, errors.New("the vault is sealed")
		}, "sealed"},
	} {
		b := open(t, lyticstest.Options{}, func(l *lytics.Config) { l.Token = c.token })
		_, err := b.Fields(t.Context())
		refused(t, name, err, jobs.CodeUnauthorized, "platform.lytics.token", c.says)
		if n := len(b.server.Requests()); n != 0 {
			t.Errorf("%s: %d requests", name, n)
		}
	}
}

func TestAddressesThatExposeTheTokenAreRefused(t *testing.T) {
	t.Parallel()
	db, err := storetest.Open(t.Context(), store.Location{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	for _, u := range []string{"http://api.lytics.io", "ftp://x", "api.lytics.io", "https://", "https://user:" + canary + "@x", "https://x?key=" + canary, "://" + canary} {
		_, err := lytics.Open(lytics.Config{DB: db, APIURL: u})
		refused(t, "api "+strings.ReplaceAll(u, canary, "..."), err, jobs.CodeInvalid, "platform.lytics.api_url")
		_, err = lytics.Open(lytics.Config{DB: db, BulkURL: u})
		refused(t, "bulk", err, jobs.CodeInvalid, "platform.lytics.bulk_url")
	}
	for _, u := range []string{"", "https://lytics.example.com/base/", "http://localhost:1", "http://[::1]:1", "http://127.0.0.1:1"} {
		if _, err := lytics.Open(lytics.Config{DB: db, APIURL: u, BulkURL: u}); err != nil {
			t.Errorf("%q: %v", u, err)
		}
	}
}

func TestRefusalsHaveDifferentErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault     lyticstest.Fault
		code      jobs.Code
		attribute string
		says      string
	}{
		"403":             {lyticstest.Fault{Status: 403}, jobs.CodeForbidden, "platform.lytics.token", "lacks the right"},
		"404 of a proxy":  {lyticstest.Fault{Status: 404, Foreign: true}, jobs.CodeUnreachable, "platform.lytics.api_url", "404"},
		"301":             {lyticstest.Fault{Status: 301, Foreign: true}, jobs.CodeUnreachable, "platform.lytics.api_url", "301"},
		"a page":          {lyticstest.Fault{Garble: true, Times: -1}, jobs.CodeUnreachable, "platform.lytics.api_url", "not the API's"},
		"429":             {lyticstest.Fault{Status: 429, Times: -1}, jobs.CodeFailed, "", "limits"},
		"503":             {lyticstest.Fault{Status: 503, Times: -1}, jobs.CodeUnreachable, "", "503"},
		"cut":             {lyticstest.Fault{Cut: true, Times: -1}, jobs.CodeUnreachable, "platform.lytics.api_url", "cannot be reached"},
		"400":             {lyticstest.Fault{Status: 400}, jobs.CodeInvalid, "", "as asked for"},
		"413":             {lyticstest.Fault{Status: 413}, jobs.CodeFailed, "", "413"},
		"503 of a moment": {lyticstest.Fault{Status: 503, Times: 3}, "", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := open(t, lyticstest.Options{})
			c.fault.Path = "/v2/schema/user/field"
			b.server.Inject(c.fault)
			_, err := b.Fields(t.Context())
			if c.code == "" {
				b.must(nil, err)
				return
			}
			refused(t, name, err, c.code, c.attribute, c.says)
			if d := b.clock.Total(); d > time.Minute {
				t.Errorf("a plan waited %s", d)
			}
		})
	}
}

// A 404 that refers to the account or the schema must not remove the object from
// Terraform's state.
func TestOnlyTheObjectsOwn404IsNotFound(t *testing.T) {
	t.Parallel()
	b := open(t, lyticstest.Options{AccountID: "one"}, func(c *lytics.Config) { c.AccountID = "two" })
	_, err := b.Field(t.Context(), "x")
	refused(t, "no account", err, jobs.CodeFailed, "platform.lytics.account_id", "account")
	_, err = b.Audience(t.Context(), "x")
	refused(t, "no account", err, jobs.CodeFailed, "platform.lytics.account_id", "account")
	for _, code := range []string{"TABLE-NOTFOUND-009", "SCHEMA-NOTFOUND-010", "SCHEMAVERSION-NOTFOUND-011"} {
		b := open(t, lyticstest.Options{}, answering(404, `{"status":404,"request_id":"r","errors":[{"code":"`+code+`","message":"nothing"}]}`))
		_, err := b.Field(t.Context(), "x")
		refused(t, code, err, jobs.CodeFailed, "platform.lytics.account_id", "nothing")
	}
	b = open(t, lyticstest.Options{}, answering(404, `{"status":404,"request_id":"r","errors":[{"code":"NOTFOUND-003","message":"nothing"}]}`))
	_, err = b.Field(t.Context(), "x")
	refused(t, "the field", err, jobs.CodeNotFound, "", `"x"`)
}

func answering(status int, text string) func(*lytics.Config) {
	return through(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: status, Header: http.Header{}, Body: readCloser(text), Request: r}, nil
	})
}

// The token must not be sent to another host.
func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	followed := false
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed = true }))
	defer other.Close()
	first := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
	defer first.Close()
	b := open(t, lyticstest.Options{}, func(c *lytics.Config) { c.APIURL = first.URL })
	_, err := b.Fields(t.Context())
	refused(t, "redirect", err, jobs.CodeUnreachable, "platform.lytics.api_url", "307")
	if followed {
		t.Error("the redirect was followed")
	}
}

// checklist 26: a host that accepts the connection but does not answer.
func TestASilentHostTimesOut(t *testing.T) {
	t.Parallel()
	db, err := storetest.Open(t.Context(), store.Location{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	p, err := lytics.Open(lytics.Config{Token: fixed(canary), DB: db, HTTP: &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	})}})
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		_, err := p.Fields(t.Context())
		refused(t, "silence", err, jobs.CodeTimeout, "platform.lytics.api_url", "api.lytics.io", "no answer within 1m0s")
		if d := time.Since(began); d > 4*time.Minute {
			t.Errorf("it took %s", d)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		_, err = p.Fields(ctx)
		refused(t, "the caller's time", err, jobs.CodeTimeout, "")
		ctx, cancel = context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		_, err = p.Fields(ctx)
		refused(t, "cancelled", err, jobs.CodeCancelled, "")
	})
}

func TestHostsThatAreNotThere(t *testing.T) {
	t.Parallel()
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	defer secure.Close()
	secure.Config.ErrorLog = nil
	// No process uses port 1. A port that was free before may be in use.
	const gone = "http://127.0.0.1:1"
	for name, c := range map[string]struct {
		url, says string
		err       error
	}{
		"refused":             {url: gone, says: "refused"},
		"another certificate": {url: secure.URL, says: "certificate"},
		"no name":             {url: "https://nowhere.invalid", says: "no host nowhere.invalid", err: &net.DNSError{IsNotFound: true, Name: "nowhere.invalid"}},
	} {
		b := open(t, lyticstest.Options{}, func(l *lytics.Config) {
			l.APIURL = c.url
			if c.err != nil {
				l.HTTP = &http.Client{Transport: transport(func(*http.Request) (*http.Response, error) { return nil, c.err })}
			}
		})
		_, err := b.Fields(t.Context())
		refused(t, name, err, jobs.CodeUnreachable, "platform.lytics.api_url", c.says)
	}
}

func TestAnswersThatEndEarlyAreReadAgain(t *testing.T) {
	t.Parallel()
	b := open(t, lyticstest.Options{})
	b.server.Inject(lyticstest.Fault{Cut: true, Partly: true})
	b.must(b.Fields(t.Context()))
	b = open(t, lyticstest.Options{}, answering(200, `{"status":200,"data":{"not":"a list"}}`))
	_, err := b.Fields(t.Context())
	refused(t, "another shape", err, jobs.CodeUnreachable, "platform.lytics.api_url", "not what the API describes")
}
