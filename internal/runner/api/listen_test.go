package api_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/client"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs/jobstest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/api"
)

// certificate creates a self-signed certificate and returns its files.
func certificate(t *testing.T, dir, name string) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name, "localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	for file, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: pkcs8}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}

// checklist 54: addresses other than loopback need TLS.
func TestAddressesOtherThanLoopbackNeedTLS(t *testing.T) {
	t.Parallel()
	cert, key := certificate(t, t.TempDir(), "runner.example.com")
	for _, c := range []struct {
		address, cert, key string
		refused            string
	}{
		{"127.0.0.1:0", "", "", ""},
		{"localhost:0", "", "", ""},
		{":0", "", "", "needs TLS"},
		{"0.0.0.0:0", "", "", "needs TLS"},
		{"[::]:0", "", "", "needs TLS"},
		{"192.0.2.1:0", "", "", "needs TLS"},
		{"[::1]:0", "", "", ""},
		{"[::ffff:127.0.0.1]:0", "", "", ""},
		{"[2001:db8::7]:0", "", "", "needs TLS"},
		{"[::ffff:192.0.2.1]:0", "", "", "needs TLS"},
		{"[fe80::1%lo]:0", "", "", "needs TLS"},
		{"[fd12::1]:0", "", "", "needs TLS"},
		{"::1:0", "", "", "cannot listen"},
		{"no.such.host.invalid:0", "", "", "needs TLS"},
		{"0.0.0.0:0", cert, "", "Half of"},
		{"0.0.0.0:0", cert, cert, "cannot be used"},
		{"0.0.0.0:0", cert, key, ""},
		{"nonsense", "", "", "cannot listen"},
	} {
		l, names, err := api.Listen(t.Context(), c.address, c.cert, c.key)
		if err == nil {
			_ = l.Close()
		}
		if c.refused == "" && err != nil || c.refused != "" && (!jobs.IsCode(err, jobs.CodeInvalid) || !strings.Contains(err.Error(), c.refused)) {
			t.Errorf("%s with %q gave %v", c.address, c.cert, err)
		}
		if c.cert != "" && err == nil && !slices.Contains(names, "runner.example.com") {
			t.Errorf("got names %v, want the certificate's among them", names)
		}
	}
}

// A client trusts the server only with the certificate's authority, and the
// server uses a renewed certificate without a restart.
func TestTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key := certificate(t, dir, "first.example.com")
	l, names, err := api.Listen(t.Context(), "127.0.0.1:0", cert, key)
	if err != nil {
		t.Fatal(err)
	}
	s := api.New(api.Config{API: product(t, nil), Token: jobs.NewSecret(secret), Hosts: names, Release: "1.2.3"})
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- api.Serve(ctx, l, s.Handler(), slog.New(slog.DiscardHandler), time.Second) }()
	url := "https://" + l.Addr().String()
	for _, ca := range []string{"", cert} {
		c, err := client.New(client.Config{URL: url, Token: jobs.NewSecret(secret), CAFile: ca, Release: "1.2.3"})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		if ca == "" { // the client retries a failed handshake for longer than this test
			ctx, cancel = context.WithTimeout(ctx, time.Second)
		}
		_, err = c.Jobs(ctx)
		cancel()
		if (ca == "") != (err != nil) || err != nil && jobs.IsCode(err, jobs.CodeNotFound) {
			t.Errorf("with the authorities %q: %v", ca, err)
		}
	}
	certificate(t, dir, "second.example.com")
	later := time.Now().Add(time.Minute)
	if err := os.Chtimes(cert, later, later); err != nil {
		t.Fatal(err)
	}
	conn, err := (&tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}).DialContext(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if got := conn.(*tls.Conn).ConnectionState().PeerCertificates[0].Subject.CommonName; got != "second.example.com" {
		t.Errorf("after the renewal, the certificate of %s", got)
	}
	_ = conn.Close()
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// checklist 54
func TestLoadToken(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), api.TokenFile)
	first, made, err := api.LoadToken("", file)
	if err != nil || !made || len(first.Reveal()) < 40 {
		t.Fatalf("made %v, %d characters, %v", made, len(first.Reveal()), err)
	}
	if info, err := os.Stat(file); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info.Mode(), err)
	}
	again, made, err := api.LoadToken("", file)
	if err != nil || made || again != first {
		t.Fatalf("made %v, %v", made, err)
	}
	if got, made, err := api.LoadToken(" a-token-of-the-environment\n", file); err != nil || made || got.Reveal() != "a-token-of-the-environment" {
		t.Fatalf("made %v, %v", made, err)
	}
	if _, _, err := api.LoadToken("short", file); !jobs.IsCode(err, jobs.CodeInvalid) || strings.Contains(err.Error(), "short ") {
		t.Fatalf("a short one: %v", err)
	}
	if runtime.GOOS == "windows" {
		return
	}
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, _, err := api.LoadToken("", file); !jobs.IsCode(err, jobs.CodeInvalid) || !strings.Contains(err.Error(), "chmod 600") {
		t.Fatalf("one that others can read: %v", err)
	}
}

// checklist 54: a provider on the same machine finds the runner through the
// data directory, which only its owner can read.
func TestLocalRunnerIsFoundThroughItsDataDirectory(t *testing.T) {
	t.Parallel()
	deep := filepath.Join(t.TempDir(), strings.Repeat("a long name ", 12))
	for _, dir := range []string{filepath.Join(t.TempDir(), "d"), deep} {
		if c, err := client.Local(t.Context(), dir, "1.2.3"); c != nil || err != nil {
			t.Fatalf("before there is one: %v, %v", c, err)
		}
		socket, err := api.ListenSocket(t.Context(), dir, "", slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		note := filepath.Join(dir, "runner.json")
		for file, want := range map[string]os.FileMode{dir: 0o700, note: 0o600, socket.Addr().String(): 0o600} {
			if info, err := os.Stat(file); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != want {
				t.Errorf("%s has mode %v, %v", file, info.Mode(), err)
			}
		}
		s := api.New(api.Config{API: product(t, nil), Token: jobs.NewSecret(secret), LocalToken: socket.Token, Release: "1.2.3"})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- api.Serve(ctx, socket, s.Local(), slog.New(slog.DiscardHandler), time.Second) }()
		c, err := client.Local(t.Context(), dir, "1.2.3")
		if err != nil || c == nil {
			t.Fatalf("%v, %v", c, err)
		}
		if _, err := c.Jobs(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		left, err := os.ReadFile(note)
		if err != nil {
			t.Fatal(err)
		}
		stop()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if err := socket.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(note); err == nil {
			t.Error("the note is still there")
		}
		// A killed runner leaves its note behind.
		if err := os.WriteFile(note, left, 0o600); err != nil {
			t.Fatal(err)
		}
		if c, err := client.Local(t.Context(), dir, "1.2.3"); c != nil || err != nil {
			t.Fatalf("after it is gone: %v, %v", c, err)
		}
	}
}

// A server answers the requests in progress before it stops.
func TestServeFinishesRequestsInProgress(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	l, _, err := api.Listen(t.Context(), "127.0.0.1:0", "", "")
	if err != nil {
		t.Fatal(err)
	}
	s := api.New(api.Config{Token: jobs.NewSecret(secret), API: product(t, map[string]func(*jobstest.Call) (bool, error){
		"PauseJob": func(*jobstest.Call) (bool, error) {
			stop()
			for { // until the server takes no new connections
				conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", l.Addr().String())
				if err != nil {
					return false, nil //nolint:nilerr // the refused connection ends the loop
				}
				_ = conn.Close()
			}
		},
	})})
	done := make(chan error, 1)
	go func() { done <- api.Serve(ctx, l, s.Handler(), slog.New(slog.DiscardHandler), time.Hour) }()
	url := "http://" + l.Addr().String() + "/api/v1/jobs/job_1/paused"
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, url, strings.NewReader(`{"paused":true}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+secret)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("got %d %s, %v; want 200", resp.StatusCode, body, err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}
