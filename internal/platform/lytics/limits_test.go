package lytics_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/hostiletest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/lytics"
)

// account answers the calls that come before the one of a test: the account, the audience
// and the fields.
func account(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := map[string]string{
			"/v2/account":                  `{"status":200,"data":[{"id":"4f7b525bdba058fc096757a64f7b525b","aid":1,"parentaid":1}]}`,
			"/v2/segment/all":              `{"status":200,"data":{"id":"s1","name":"All","slug_name":"all","kind":"segment","table":"user"}}`,
			"/v2/segment":                  `{"status":200,"data":[{"id":"s1","name":"All","slug_name":"all","kind":"segment","table":"user"}]}`,
			"/v2/schema/user/field":        `{"status":200,"data":[{"id":"id","type":"string","is_identifier":true},{"id":"n","type":"int"}]}`,
			"/v2/schema/user/field/hidden": `{"status":200,"data":[]}`,
		}[r.URL.Path]
		if answer == "" {
			next.ServeHTTP(w, r)
			return
		}
		_, _ = io.WriteString(w, answer)
	})
}

// openAccount opens a platform without a store whose API is at an address.
func openAccount(t *testing.T, address string, client *http.Client) *lytics.Platform {
	t.Helper()
	p, err := lytics.Open(lytics.Config{Token: fixed(canary), APIURL: address, BulkURL: address, HTTP: client})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// accountCalls read from an account. scan needs the answers of account.
var accountCalls = map[string]func(ctx context.Context, p *lytics.Platform) error{
	"fields":    func(ctx context.Context, p *lytics.Platform) error { _, err := p.Fields(ctx); return err },
	"audiences": func(ctx context.Context, p *lytics.Platform) error { _, err := p.Audiences(ctx); return err },
	"streams":   func(ctx context.Context, p *lytics.Platform) error { _, err := p.Streams(ctx); return err },
	"scan": func(ctx context.Context, p *lytics.Platform) error {
		_, rows, err := p.Scan(ctx, "all", nil)
		if err != nil {
			return err
		}
		for _, err := range rows {
			if err != nil {
				return err
			}
		}
		return nil
	},
}

// checklist 74: whatever Lytics answers, each call ends with an error that says what to do,
// and in little memory.
func TestHostileAnswersOfLytics(t *testing.T) {
	t.Parallel()
	hostiletest.InProcess(t, func(t *testing.T) {
		t.Helper()
		for name, call := range accountCalls {
			begin := `{"status":200,"total":1000000,"data":[`
			answers := append(hostiletest.Answers(begin, "{},"), hostiletest.Finite(begin, "{},", "1]}", 490_000))
			if name == "scan" {
				answers = append(answers, hostiletest.Finite(begin+"{", `"x":{"a":[1]},`, `"y":1}]}`, 300_000),
					hostiletest.Finite(begin+`{"id":[`, `1,`, `1]}]}`, 900_000))
			}
			for _, answer := range answers {
				handler := answer.Handler
				if name == "scan" {
					handler = account(handler)
				}
				server := httptest.NewServer(handler)
				p := openAccount(t, server.URL, nil)
				lytics.UseFakeClock(p)
				err := call(t.Context(), p)
				server.CloseClientConnections()
				server.Close()
				if name == "scan" && answer.Name == "many entries" && err == nil {
					continue // one profile with many values is a page
				}
				e, ok := errors.AsType[*jobs.Error](err)
				if !ok || e.Code == jobs.CodeNotFound || e.Next == "" || e.Summary == "" || len(err.Error()) > 2000 {
					t.Errorf("%s, %s: got %.2000v", name, answer.Name, err)
				}
			}
		}
	})
}

// checklist 74: a byte a second without end ends.
func TestDrippingAnswersOfLytics(t *testing.T) {
	t.Parallel()
	for name, dial := range map[string]hostiletest.Dial{"body": hostiletest.Drip('['), "header": hostiletest.DripHeader()} {
		synctest.Test(t, func(t *testing.T) {
			p := openAccount(t, "https://api.example.com", &http.Client{Transport: &http.Transport{DialTLSContext: dial}})
			began := time.Now()
			_, err := p.Fields(t.Context())
			refused(t, name, err, jobs.CodeTimeout, "platform.lytics.api_url", "no answer within 1m0s")
			if took := time.Since(began); took > 5*time.Minute {
				t.Errorf("%s: it took %s", name, took)
			}
		})
	}
}

// checklist 74: pages without end are an error, whether their tokens repeat or not.
func TestEndlessPagesOfLytics(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		page func(n int) string
		says string
	}{
		"the same token":    {func(int) string { return `{"status":200,"total":100000,"data":[{"id":"a"}],"_next":"t"}` }, "again and again"},
		"a cycle of tokens": {func(n int) string { return fmt.Sprintf(`{"status":200,"data":[{"id":"%d"}],"_next":"t%d"}`, n%9, n%9) }, "does not end"},
		"empty pages":       {func(n int) string { return fmt.Sprintf(`{"status":200,"data":[],"_next":"t%d"}`, n) }, "does not end"},
		"the same profile, no total": {func(n int) string {
			return fmt.Sprintf(`{"status":200,"data":[%s{"id":"a"}],"_next":"t%d"}`, strings.Repeat(`{"id":"a"},`, 90), n)
		}, "again and again"},
		"more profiles than asked for": {func(int) string {
			return `{"status":200,"data":[` + strings.Repeat(`{"id":"a"},`, 500) + `{"id":"a"}]}`
		}, "more than the 100 profiles"},
	} {
		var n atomic.Int64 // some pages are requested side by side
		server := httptest.NewServer(account(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, c.page(int(n.Add(1))))
		})))
		err := accountCalls["scan"](t.Context(), openAccount(t, server.URL, nil))
		server.Close()
		refused(t, name, err, jobs.CodeFailed, "", c.says)
		if n.Load() > 1100 {
			t.Errorf("%s: %d pages were read", name, n.Load())
		}
	}
}

// Profiles that are too large for one page are read in smaller ones.
func TestLargeProfilesAreReadInSmallerPages(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("LEFT OUT of make unit: make test reads profiles of 120 MB")
	}
	const profiles = 120
	large := `"` + strings.Repeat("x", 1<<20) + `"`
	server := httptest.NewServer(account(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from, _ := strconv.Atoi(r.URL.Query().Get("start"))
		limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
		to := min(profiles, from+limit)
		_, _ = fmt.Fprintf(w, `{"status":200,"total":%d,"data":[`, profiles)
		for i := from; i < to; i++ {
			if i > from {
				_, _ = io.WriteString(w, ",")
			}
			_, _ = fmt.Fprintf(w, `{"id":"u%d","large":%s}`, i, large)
		}
		next := ""
		if to < profiles {
			next = strconv.Itoa(to)
		}
		_, _ = fmt.Fprintf(w, `],"_next":%q}`, next)
	})))
	defer server.Close()
	_, rows, err := openAccount(t, server.URL, nil).Scan(t.Context(), "all", nil)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for row, err := range rows {
		if err != nil {
			t.Fatal(err)
		}
		seen[row[0].Text] = true
	}
	if len(seen) != profiles {
		t.Errorf("got %d profiles, want %d", len(seen), profiles)
	}
}
