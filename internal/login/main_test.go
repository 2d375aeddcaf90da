package login_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// internet stands in for the public hosts that the tests name: the tests' process reaches
// them through an HTTPS proxy, as behind a company's firewall, and trusts its authority.
var internet = &proxy{hosts: map[string]http.Handler{}}

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "login-test-")
		if err != nil {
			panic(err)
		}
		defer func() { _ = os.RemoveAll(dir) }()
		server := httptest.NewServer(internet)
		defer server.Close()
		authority := filepath.Join(dir, "ca.pem")
		if err := internet.makeAuthority(authority); err != nil {
			panic(err)
		}
		bin := filepath.Join(dir, "bin")
		if err := os.MkdirAll(bin, 0o700); err != nil {
			panic(err)
		}
		// They are read once by each process, before the first test.
		for name, value := range map[string]string{
			"HTTPS_PROXY": server.URL, "https_proxy": server.URL, "NO_PROXY": "", "no_proxy": "", "SSL_CERT_FILE": authority, "HOME": dir,
			"PATH": bin + string(os.PathListSeparator) + os.Getenv("PATH"), "LYTICS_CANARY": "a secret of the product",
		} {
			if err := os.Setenv(name, value); err != nil {
				panic(err)
			}
		}
		if err := os.WriteFile(filepath.Join(bin, "az"), []byte(fakeAzureCLI), 0o700); err != nil {
			panic(err)
		}
		return m.Run()
	}())
}

// fakeAzureCLI is Azure's command line as its documentation describes "az account
// get-access-token": JSON with accessToken and the expiry in both forms. The directory
// chooses what it does.
const fakeAzureCLI = `#!/bin/sh
[ "$1 $2" = "account get-access-token" ] || { echo "ERROR: unknown command $*" >&2; exit 2; }
[ -z "$LYTICS_CANARY" ] || { echo "ERROR: the environment has settings of the product" >&2; exit 3; }
shift 2
while [ $# -gt 0 ]; do
  case "$1" in
    --resource) resource=$2 ;;
    --output) output=$2 ;;
    --tenant) tenant=$2 ;;
    *) echo "ERROR: unrecognized arguments: $1" >&2; exit 2 ;;
  esac
  shift 2
done
[ "$resource $output" = "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d json" ] || { echo "ERROR: resource $resource" >&2; exit 2; }
case "$tenant" in
  expired) echo "ERROR: AADSTS700082: The refresh token has expired due to inactivity. Please run: az login" >&2; exit 1 ;;
  endless) while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done ;;
esac
cat <<END
{
  "accessToken": "$(cat "$HOME/az-token-$tenant")",
  "expiresOn": "2099-01-01 00:00:00.000000",
  "expires_on": 4070908800,
  "subscription": "00000000-0000-0000-0000-000000000001",
  "tenant": "$tenant",
  "tokenType": "Bearer"
}
END
`

// proxy is an HTTP proxy that answers CONNECT itself: it serves the hosts that a test has
// set, with certificates of its own authority.
type proxy struct {
	mu    sync.Mutex
	hosts map[string]http.Handler

	authority *x509.Certificate
	key       *ecdsa.PrivateKey
}

// serve lets a handler answer for a public host until the test ends.
func (p *proxy) serve(t *testing.T, host string, h http.Handler) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.hosts[host] != nil {
		t.Fatalf("two tests serve %s", host)
	}
	p.hosts[host] = h
	t.Cleanup(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.hosts, host)
	})
}

func (p *proxy) makeAuthority(file string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority of the tests"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return err
	}
	p.key = key
	if p.authority, err = x509.ParseCertificate(der); err != nil {
		return err
	}
	return os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600)
}

func (p *proxy) certificate(host string) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, p.authority, &key.PublicKey, p.key)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	host := strings.TrimSuffix(r.Host, ":443")
	p.mu.Lock()
	handler := p.hosts[host]
	p.mu.Unlock()
	hijacker, ok := w.(http.Hijacker)
	if r.Method != http.MethodConnect || handler == nil || !ok {
		http.Error(w, fmt.Sprintf("no test serves %s", r.Host), http.StatusBadGateway)
		return
	}
	certificate, err := p.certificate(host)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	conn, _, err := hijacker.Hijack()
	if err != nil {
		return
	}
	_, _ = conn.Write([]byte("HTTP/1.1 200 Connection established\r\n\r\n"))
	secure := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{*certificate}, MinVersion: tls.VersionTLS12})
	go func() {
		_ = (&http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}).Serve(&oneConnection{conn: secure})
	}()
}

// oneConnection is a listener with one connection.
type oneConnection struct {
	conn net.Conn
	once sync.Once
}

func (l *oneConnection) Accept() (net.Conn, error) {
	var conn net.Conn
	l.once.Do(func() { conn = l.conn })
	if conn == nil {
		return nil, net.ErrClosed
	}
	return conn, nil
}

func (l *oneConnection) Close() error   { return nil }
func (l *oneConnection) Addr() net.Addr { return l.conn.LocalAddr() }
