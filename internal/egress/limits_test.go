package egress_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/egress"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/hostiletest"
)

// get reads the answer of a server under limits.
func get(ctx context.Context, base *http.Transport, l egress.Limits, address string) ([]byte, error) {
	defer base.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	response, err := l.Do(request, (&http.Client{Transport: base}).Do)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(response.Body)
	return content, errors.Join(err, response.Body.Close())
}

func loopback() *http.Transport {
	return egress.NewTransport(egress.Options{Rules: egress.Configured})
}

// checklist 74: whatever a server answers, reading ends with an error and in little memory.
func TestHostileAnswersEnd(t *testing.T) {
	t.Parallel()
	hostiletest.InProcess(t, func(t *testing.T) {
		t.Helper()
		for _, answer := range hostiletest.Answers(`{"list":[`, `{},`) {
			server := httptest.NewServer(answer)
			content, err := get(t.Context(), loopback(), egress.Limits{Bytes: 8 << 20, Values: 100_000}, server.URL)
			server.Close()
			if err == nil {
				t.Errorf("%s: got %d bytes and no error", answer.Name, len(content))
			}
		}
	})
}

// checklist 74: the error names the host, the call and the limit.
func TestLimitsOfAnAnswer(t *testing.T) {
	t.Parallel()
	limits := egress.Limits{Bytes: 2000, Values: 100}
	for name, c := range map[string]struct {
		body   string
		zipped bool
		says   string
	}{
		"at the limit":             {body: strings.Repeat("x", 2000)},
		"over the limit":           {body: strings.Repeat("x", 2001), says: "is larger than 1 KiB"},
		"inflated at the limit":    {body: strings.Repeat("x", 2000), zipped: true},
		"inflated over the limit":  {body: strings.Repeat("x", 2001), zipped: true, says: "is larger than 1 KiB"},
		"values at the limit":      {body: "[" + strings.Repeat("1,", 99) + "1]"},
		"values over the limit":    {body: "[" + strings.Repeat("1,", 100) + "1]", says: "has more than 100 values"},
		"values inside of strings": {body: `["` + strings.Repeat(`\",{[`, 300) + `"]`},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Accept-Encoding") != "gzip" {
				t.Errorf("%s: the request accepts %q", name, r.Header.Get("Accept-Encoding"))
			}
			text := []byte(c.body)
			if c.zipped {
				var out bytes.Buffer
				z := gzip.NewWriter(&out)
				_, _ = z.Write(text)
				_ = z.Close()
				text = out.Bytes()
				w.Header().Set("Content-Encoding", "gzip")
			}
			w.(http.Flusher).Flush() // without a Content-Length
			_, _ = w.Write(text)
		}))
		content, err := get(t.Context(), loopback(), limits, server.URL)
		server.Close()
		if c.says == "" {
			if err != nil || string(content) != c.body {
				t.Errorf("%s: got %d bytes, %v, want %d", name, len(content), err, len(c.body))
			}
			continue
		}
		exceeded, ok := errors.AsType[*egress.AnswerError](err)
		want := fmt.Sprintf("the answer of %s to GET %s", strings.TrimPrefix(server.URL, "http://"), c.says)
		if !ok || exceeded.Error() != want || exceeded.Timeout() {
			t.Errorf("%s: got %v, want %q", name, err, want)
		}
	}
}

// checklist 74: nesting that would exhaust the stack of a parser is an error.
func TestNestingOfAnAnswer(t *testing.T) {
	t.Parallel()
	var depth int
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("[", depth)+strings.Repeat("]", depth))
	}))
	defer server.Close()
	limits := egress.Limits{Values: 10_000}
	depth = 1000
	if _, err := get(t.Context(), loopback(), limits, server.URL); err != nil {
		t.Errorf("1000 levels: %v", err)
	}
	depth = 1001
	if _, err := get(t.Context(), loopback(), limits, server.URL); err == nil || !strings.Contains(err.Error(), "nested more than 1000 deep") {
		t.Errorf("1001 levels: got %v", err)
	}
}

// checklist 74: a byte a second without end ends, in the header and in the body.
func TestDrippingAnswersEnd(t *testing.T) {
	t.Parallel()
	for name, dial := range map[string]hostiletest.Dial{
		"body": hostiletest.Drip('x'), "header": hostiletest.DripHeader(),
	} {
		synctest.Test(t, func(t *testing.T) {
			base := &http.Transport{DialContext: dial}
			began := time.Now()
			_, err := get(t.Context(), base, egress.Limits{Bytes: 1 << 20, Silence: 10 * time.Second, Total: 3 * time.Minute}, "http://host.example/")
			exceeded, ok := errors.AsType[*egress.AnswerError](err)
			// The silence limit covers the time until the body begins.
			want := map[string]time.Duration{"body": 3 * time.Minute, "header": 10 * time.Second}[name]
			if !ok || !exceeded.Timeout() || time.Since(began) != want {
				t.Errorf("%s: got %v after %s, want a timeout after %s", name, err, time.Since(began), want)
			}
			synctest.Wait()
		})
	}
}

// A reader that is slow does not make the server late.
func TestASlowReaderIsNotSilence(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		base := &http.Transport{DialContext: hostiletest.Drip('x')}
		defer base.CloseIdleConnections()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://host.example/", nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := egress.Limits{Silence: 5 * time.Second}.Do(request, base.RoundTrip)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			time.Sleep(time.Minute)
			if _, err := response.Body.Read(make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
		}
		if err := response.Body.Close(); err != nil {
			t.Error(err)
		}
		synctest.Wait()
	})
}

// checklist 74: a list whose pages do not end is an error.
func TestPagesThatDoNotEnd(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		pages   egress.Pages
		token   func(n int) string
		entries int
		bytes   int64
		most    int
		says    string
	}{
		"the same token":         {token: func(int) string { return "a" }, entries: 1, most: 2, says: "names a page again"},
		"a cycle of ten tokens":  {token: func(n int) string { return fmt.Sprint(n % 10) }, entries: 1, most: 40, says: "names a page again"},
		"a cycle after a while":  {token: func(n int) string { return fmt.Sprint(min(n, 100) + n%7) }, entries: 1, most: 300, says: "names a page again"},
		"new tokens without end": {pages: egress.Pages{Most: 500}, token: func(n int) string { return fmt.Sprint(n) }, entries: 1, most: 500, says: "more than 500 pages"},
		"empty pages":            {token: func(n int) string { return fmt.Sprint(n) }, most: 1000, says: "last 1000 pages have no entry"},
		"large entries": {pages: egress.Pages{Bytes: 10 << 20}, token: func(n int) string { return fmt.Sprint(n) },
			entries: 1, bytes: 3 << 20, most: 4, says: "more than 10 MiB of memory after 4 pages"},
	} {
		var err error
		n := 0
		for ; err == nil && n <= c.most; n++ {
			err = c.pages.Next(c.token(n), c.entries, c.bytes)
		}
		if _, ok := errors.AsType[*egress.PagesError](err); !ok || n > c.most || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v after %d pages", name, err, n)
		}
	}
	p := egress.Pages{Most: 1, Bytes: 1}
	if err := p.Next("", 5, 1); err != nil {
		t.Errorf("the last page: %v", err)
	}
}
