package databricks

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/egress"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// thriftCall returns the beginning of a request to a method; it also is an empty response.
func thriftCall(kind byte, method string) []byte {
	var b bytes.Buffer
	b.Write([]byte{0x80, 0x01, 0, kind, 0, 0, 0, byte(len(method))})
	b.WriteString(method)
	b.Write([]byte{0, 0, 0, 1, 0})
	return b.Bytes()
}

// unsentWarehouse returns a warehouse for a server. Only its transport is used.
func unsentWarehouse(t *testing.T, cfg Config) *Warehouse {
	t.Helper()
	cfg.HTTPPath, cfg.Token = "/sql/1.0/warehouses/x", func(context.Context) (jobs.Secret, error) { return jobs.NewSecret("canary"), nil }
	if cfg.StartTimeout == 0 {
		cfg.StartTimeout = time.Second
	}
	w, err := newWarehouseVia(cfg, func(*http.Request) (*url.URL, error) { return nil, nil })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.transport.base.CloseIdleConnections)
	return w
}

func serverConfig(t *testing.T, server *httptest.Server) Config {
	t.Helper()
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		t.Fatal(err)
	}
	return Config{Host: u.Scheme + "://" + u.Hostname(), Port: port, LoopbackHosts: true}
}

func post(t *testing.T, w *Warehouse, target, method string) ([]byte, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, target, bytes.NewReader(thriftCall(1, method)))
	if err != nil {
		t.Fatal(err)
	}
	response, err := w.transport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	return io.ReadAll(response.Body)
}

// checklist 50: the token is not sent to a redirect's target or to another host.
func TestTokenIsSentToItsHostOnly(t *testing.T) {
	t.Parallel()
	var elsewhere atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		server := httptest.NewServer(http.RedirectHandler(other.URL, status))
		w := unsentWarehouse(t, serverConfig(t, server))
		_, err := post(t, w, w.transport.endpoint.String(), "OpenSession")
		if f, ok := errors.AsType[*failure](err); !ok || f.cause != causeRefused {
			t.Errorf("a redirect with %d: %v, want a refusal", status, err)
		}
		server.Close()
	}
	w := unsentWarehouse(t, Config{Host: "http://127.0.0.1", Port: 1, LoopbackHosts: true})
	if _, err := post(t, w, other.URL, "FetchResults"); err == nil {
		t.Error("a request to another host was sent")
	}
	if n := elsewhere.Load(); n != 0 {
		t.Errorf("%d requests reached another host", n)
	}
}

func TestTelemetryIsSwitchedOff(t *testing.T) {
	t.Parallel()
	w := unsentWarehouse(t, Config{Host: "http://127.0.0.1", Port: 1, LoopbackHosts: true})
	body, err := post(t, w, "https://127.0.0.1/api/2.0/connector-service/feature-flags/GOLANG/1.14.0", "")
	if err != nil || string(body) != `{"flags":[]}` {
		t.Errorf("feature flags: %q, %v", body, err)
	}
}

// checklist 51.
func TestTLSNeedsATrustedAuthority(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer canary" {
			t.Error("the token did not arrive")
		}
		answerEmpty(t, w, r)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	cfg := serverConfig(t, server)
	unknown := unsentWarehouse(t, cfg)
	_, err := post(t, unknown, unknown.transport.endpoint.String(), "GetOperationStatus")
	if f, ok := errors.AsType[*failure](err); !ok || f.cause != causeTLS {
		t.Fatalf("an unknown authority: %v, want a TLS failure", err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	cfg.RootCAs = func() (*x509.CertPool, error) { return roots, nil }
	known := unsentWarehouse(t, cfg)
	if _, err := post(t, known, known.transport.endpoint.String(), "GetOperationStatus"); err != nil {
		t.Errorf("a known authority: %v", err)
	}
	unreadable := jobs.Invalid("ca_file", "It cannot be used", "", "")
	cfg.RootCAs, cfg.HTTPPath = func() (*x509.CertPool, error) { return nil, unreadable }, "/sql"
	if _, err = newWarehouse(cfg); !errors.Is(err, unreadable) {
		t.Errorf("authorities that cannot be read: %v", err)
	}
}

// checklist 50: a configured proxy is used, even if its address is private.
func TestProxyIsHonoured(t *testing.T) {
	t.Parallel()
	var asked atomic.Value
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Store(r.URL.Host)
		answerEmpty(t, w, r)
	}))
	defer proxy.Close()
	through, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	w, err := newWarehouseVia(Config{Host: "http://warehouse.example", Port: 80, HTTPPath: "/sql", AllowPrivateHosts: true,
		Token: func(context.Context) (jobs.Secret, error) { return jobs.NewSecret("t"), nil }},
		func(*http.Request) (*url.URL, error) { return through, nil })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := post(t, w, w.transport.endpoint.String(), "OpenSession"); err != nil {
		t.Fatal(err)
	}
	if asked.Load() != "warehouse.example:80" {
		t.Errorf("the proxy was asked for %v", asked.Load())
	}
}

// checklist 50: the address is checked when it is dialled, for every host name.
func TestForbiddenAddressIsRefused(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answerEmpty(t, w, r)
	}))
	defer server.Close()
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		host workspaceHost
		want bool
	}{
		"a Databricks name that resolves to loopback": {host: workspaceHost{databricks: true}},
		"a host that is written as this machine":      {host: workspaceHost{loopback: true}, want: true},
		"a host that the operator lists":              {host: workspaceHost{listed: true}, want: true},
	} {
		d := egress.NewTransport(egress.Options{Rules: addressRules(c.host)})
		conn, err := d.DialContext(t.Context(), "tcp", net.JoinHostPort("localhost", port))
		if err == nil {
			_ = conn.Close()
		}
		if got := err == nil; got != c.want {
			t.Errorf("%s: got connected %t (%v), want %t", name, got, err, c.want)
		}
		if err == nil {
			continue
		}
		if f := sendFailure(t.Context(), "OpenSession", false, err); f.cause != causeRefused {
			t.Errorf("%s: got cause %d (%v), want that of a refusal", name, f.cause, f)
		}
	}
}

// checklist 26.
func TestUnansweredRequestTimesOut(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	defer server.Close()
	defer close(release)
	w := unsentWarehouse(t, serverConfig(t, server))
	body := thriftCall(1, "OpenSession")
	request := httptest.NewRequest(http.MethodPost, w.transport.endpoint.String(), nil)
	request.RequestURI = ""
	_, f := w.transport.send(t.Context(), request, "OpenSession", body, 100*time.Millisecond)
	if f == nil || f.cause != causeSilent {
		t.Errorf("failure = %v, want silence", f)
	}
}

func TestHTTPStatuses(t *testing.T) {
	t.Parallel()
	cases := []struct {
		status  int
		header  map[string]string
		body    string
		code    jobs.Code
		at      string
		session bool
	}{
		{status: 401, code: jobs.CodeUnauthorized, at: "token_wo"},
		{status: 403, body: `{"error_code":403,"message":"Invalid access token."}`, code: jobs.CodeUnauthorized, at: "token_wo"},
		{status: 403, body: `{"message":"User does not have CAN_USE on warehouse"}`, code: jobs.CodeForbidden, at: "http_path"},
		{status: 404, code: jobs.CodeInvalid, at: "http_path"},
		{status: 400, body: "<html>no</html>", code: jobs.CodeUnreachable, at: "http_path"},
		{status: 500, code: jobs.CodeUnreachable},
		{status: 503, code: jobs.CodeUnreachable},
		{status: 429, header: map[string]string{"Retry-After": "3600"}, code: jobs.CodeUnreachable},
		{status: 400, header: map[string]string{"X-Thriftserver-Error-Message": "Invalid SessionHandle: x"}, code: jobs.CodeUnreachable, session: true},
	}
	for _, c := range cases {
		t.Run(strconv.Itoa(c.status)+c.body, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				for k, v := range c.header {
					w.Header().Set(k, v)
				}
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			}))
			defer server.Close()
			w := unsentWarehouse(t, serverConfig(t, server))
			_, err := post(t, w, w.transport.endpoint.String(), "GetOperationStatus")
			e, ok := errors.AsType[*jobs.Error](w.translate(newCall(t.Context(), true), err))
			if !ok || e.Code != c.code || e.Attribute != c.at || e.Next == "" || IsSessionLost(e) != c.session {
				t.Errorf("error = %#v, want %s at %q", e, c.code, c.at)
			}
		})
	}
}

// A transient failure is retried if the warehouse cannot have executed the request, or may
// execute it twice. Each kind of request has its own number of attempts.
func TestTransientFailureIsRetried(t *testing.T) {
	t.Parallel()
	unavailable := func(w http.ResponseWriter) { w.WriteHeader(http.StatusServiceUnavailable) }
	broken := func(http.ResponseWriter) { panic(http.ErrAbortHandler) }
	for name, c := range map[string]struct {
		fail func(http.ResponseWriter)
		do   func(t *testing.T, w *Warehouse) error
		want int32
	}{
		"a fetch of a warehouse that is not ready": {unavailable, rpc("FetchResults"), 3},
		"a fetch whose connection broke":           {broken, rpc("FetchResults"), 3},
		"a statement that is not idempotent":       {broken, rpc("ExecuteStatement"), 1},
		"the end of a session":                     {broken, rpc("CloseSession"), 1},
		"a file of a volume": {unavailable, func(t *testing.T, w *Warehouse) error {
			t.Helper()
			_, err := (&Files{w: w}).Read(t.Context(), "/Volumes/c/s/v/f")
			return err
		}, 3},
		"a file of a result": {unavailable, func(t *testing.T, w *Warehouse) error {
			t.Helper()
			u := *w.transport.endpoint
			u.Path = "/file"
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, u.String(), nil)
			if err != nil {
				t.Fatal(err)
			}
			w.transport.links.add([]part{{link: u.String(), rows: 1}}, newCall(t.Context(), true))
			response, err := w.transport.RoundTrip(request)
			if err != nil {
				return err
			}
			return response.Body.Close()
		}, 3},
		"an OAuth token": {unavailable, func(t *testing.T, w *Warehouse) error {
			t.Helper()
			_, err := w.clientToken(t.Context(), ClientCredentials{
				ID: "id", Secret: func(context.Context) (jobs.Secret, error) { return jobs.NewSecret("canary"), nil },
			})
			return err
		}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var requests atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if requests.Add(1) < 3 {
					c.fail(w)
					return
				}
				if r.URL.Path == tokenPath {
					w.Header().Set("Content-Type", "application/json")
					_, _ = io.WriteString(w, `{"access_token":"t","token_type":"Bearer","expires_in":3600}`)
					return
				}
				if r.URL.Path == "/file" {
					_, _ = w.Write(arrowStream(t, 1))
					return
				}
				answerEmpty(t, w, r)
			}))
			server.Config.ErrorLog = log.New(io.Discard, "", 0)
			t.Cleanup(server.Close)
			cfg := serverConfig(t, server)
			cfg.StartTimeout = time.Minute
			err := c.do(t, unsentWarehouse(t, cfg))
			if got := requests.Load(); got != c.want || (err == nil) != (c.want == 3) {
				t.Errorf("got %d requests and %v, want %d", got, err, c.want)
			}
		})
	}
}

// rpc makes a request of a method.
func rpc(method string) func(t *testing.T, w *Warehouse) error {
	return func(t *testing.T, w *Warehouse) error {
		t.Helper()
		_, err := post(t, w, w.transport.endpoint.String(), method)
		return err
	}
}
