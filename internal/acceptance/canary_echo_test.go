package acceptance

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// echo stands before a far side. It learns the credentials of requests and answers,
// and repeats them in errors when it is told to: those that the far side was given
// since then, or that it gave.
type echo struct {
	URL string

	mu    sync.Mutex
	given map[string]bool
	// hit selects the requests that get an error; nil passes all of them on.
	hit  func(r *http.Request, body []byte) bool
	hits int
}

// echoed begins what an error repeats, to show that the error arrived.
const echoed = "echo-4d1f"

// newEcho starts an echo of a far side. refuse writes an error as that side does, and
// always are the canaries that it has without being given them.
func newEcho(t *testing.T, target string, canaries *echoCanaries, refuse refusal, always ...string) *echo {
	t.Helper()
	to, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	e := &echo{given: map[string]bool{}}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Host = r.In.Host // S3's signature is over the name
		},
		ModifyResponse: func(r *http.Response) error {
			kind := r.Header.Get("Content-Type")
			if !strings.Contains(kind, "xml") && !strings.Contains(r.Request.URL.Path, "/oidc/") {
				return nil
			}
			body, err := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			canaries.learnAnswer(body)
			e.note(canaries, body)
			return err
		},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		canaries.learnRequest(r)
		var head bytes.Buffer
		_ = r.Header.Write(&head)
		_, password, _ := r.BasicAuth()
		e.note(canaries, slices.Concat(head.Bytes(), []byte(password), body))
		e.mu.Lock()
		hit := e.hit != nil && e.hit(r, body)
		if hit {
			e.hits++
		}
		e.mu.Unlock()
		if hit {
			refuse(w, r, canaries.text(e.names(always)...))
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	e.URL = server.URL
	return e
}

// when makes the echo answer errors to the selected requests.
func (e *echo) when(hit func(r *http.Request, body []byte) bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.hit, e.hits, e.given = hit, 0, map[string]bool{}
}

// note notes the canaries in what the far side was given, or gave.
func (e *echo) note(canaries *echoCanaries, text []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for name, secret := range canaries.copied() {
		if bytes.Contains(text, []byte(secret)) {
			e.given[name] = true
		}
	}
}

func (e *echo) names(always []string) []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append(slices.Collect(maps.Keys(e.given)), always...)
}

// wantHit ends the errors, and fails the test if there was none.
func (e *echo) wantHit(t *testing.T, what string) {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.hits == 0 {
		t.Errorf("%s: no request was answered with an error", what)
	}
	e.hit = nil
}

// echoCanaries are the secrets of a test, by what they are.
type echoCanaries struct {
	mu  sync.Mutex
	all map[string]string
}

func (c *echoCanaries) set(name, secret string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, known := range c.all {
		if known == secret {
			return
		}
	}
	for n := 2; c.all[name] != ""; n++ {
		name = fmt.Sprintf("%s %d", strings.TrimRight(name, " 0123456789"), n)
	}
	c.all[name] = secret
}

func (c *echoCanaries) copied() map[string]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.all)
}

// learnRequest learns the token that the far side is given.
func (c *echoCanaries) learnRequest(r *http.Request) {
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		c.set("access token", token)
	}
}

var (
	keysInXML   = regexp.MustCompile(`<(SecretAccessKey|SessionToken)>([^<]+)<`)
	tokenInJSON = regexp.MustCompile(`"access_token"\s*:\s*"([^"]+)"`)
)

// learnAnswer learns the keys and tokens that the far side hands out.
func (c *echoCanaries) learnAnswer(body []byte) {
	for _, m := range keysInXML.FindAllSubmatch(body, -1) {
		c.set("temporary "+string(m[1]), string(m[2]))
	}
	if m := tokenInJSON.FindSubmatch(body); m != nil {
		c.set("access token", string(m[1]))
	}
}

// text repeats canaries in the forms in which they are sent.
func (c *echoCanaries) text(names ...string) string {
	var out strings.Builder
	out.WriteString(echoed)
	all := c.copied()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if !slices.Contains(names, name) {
			continue
		}
		s := all[name]
		quoted, _ := json.Marshal(s)
		fmt.Fprintf(&out, " raw %s json %s url %s base64 %s basic %s", s, quoted, url.QueryEscape(s),
			base64.StdEncoding.EncodeToString([]byte(s)), base64.StdEncoding.EncodeToString([]byte("user:"+s)))
	}
	return out.String()
}

// refusal writes an error as a far side does.
type refusal func(w http.ResponseWriter, r *http.Request, text string)

func refuseAsWarehouse(w http.ResponseWriter, r *http.Request, text string) {
	if strings.Contains(r.URL.Path, "/oidc/") {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		_ = json.NewEncoder(w).Encode(map[string]string{"error": "invalid_client", "error_description": text})
		return
	}
	w.Header().Set("X-Databricks-Reason-Phrase", text)
	w.WriteHeader(http.StatusBadRequest)
}

func refuseAsS3(w http.ResponseWriter, r *http.Request, text string) {
	var escaped bytes.Buffer
	_ = xml.EscapeText(&escaped, []byte(text))
	answer := fmt.Sprintf("<Error><Code>AccessDenied</Code><Message>%s</Message></Error>", &escaped)
	if isSTS(r) {
		answer = "<ErrorResponse>" + answer + "</ErrorResponse>"
	}
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(http.StatusForbidden)
	_, _ = io.WriteString(w, answer)
}

// isSTS reports whether a request is for the token service, which the sandbox has at
// the address of S3.
func isSTS(r *http.Request) bool { return r.Method == http.MethodPost && r.URL.Path == "/" }

func refuseAsLytics(w http.ResponseWriter, _ *http.Request, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusBadRequest)
	_ = json.NewEncoder(w).Encode(map[string]any{"status": http.StatusBadRequest, "message": text, "request_id": "req-1",
		"errors": []map[string]string{{"code": "BAD-REQUEST-001", "message": text}}})
}
