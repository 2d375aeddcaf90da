package egress_test

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/egress"
)

// checklist 50.
func TestRulesForAddresses(t *testing.T) {
	t.Parallel()
	public, private := egress.Rules{}, egress.Rules{Private: true}
	loopback, both := egress.Rules{Loopback: true}, egress.Configured
	cases := []struct {
		address                         string
		public, private, loopback, both bool
	}{
		{"8.8.8.8", true, true, true, true},
		{"10.1.2.3", false, true, false, true},
		{"100.64.0.1", false, true, false, true},
		{"fd12::1", false, true, false, true},
		{"127.0.0.1", false, false, true, true},
		{"::1", false, false, true, true},
		{"::ffff:127.0.0.1", false, false, true, true},
		{"64:ff9b::7f00:1", false, false, true, true},
		{"64:ff9b::a01:203", false, true, false, true},
		{"169.254.169.254", false, false, false, false},
		{"::ffff:169.254.169.254", false, false, false, false},
		{"2002:a9fe:a9fe::1", false, false, false, false},
		{"2001:4860:4860::8888", true, true, true, true},
		{"::ffff:8.8.8.8", true, true, true, true},
		{"::ffff:10.1.2.3", false, true, false, true},
		{"::ffff:100.64.0.1", false, true, false, true},
		{"::1%lo", false, false, true, true},
		{"fec0::1", false, true, false, true},
		{"fd12::1%eth0", false, true, false, true},
		{"febf::1", false, false, false, false},
		{"ff02::1%eth0", false, false, false, false},
		{"::169.254.169.254", false, false, false, false},
		{"168.63.129.16", false, false, false, false},
		{"100.100.100.200", false, false, false, false},
		{"fe80::1%eth0", false, false, false, false},
		{"fd00:ec2::254", false, false, false, false},
		{"0.0.0.0", false, false, false, false},
		{"::", false, false, false, false},
		{"224.0.0.1", false, false, false, false},
	}
	for _, c := range cases {
		a := netip.MustParseAddr(c.address)
		for _, one := range []struct {
			rules egress.Rules
			want  bool
		}{{public, c.public}, {private, c.private}, {loopback, c.loopback}, {both, c.both}} {
			if got := one.rules.Allow(a); got != one.want {
				t.Errorf("%+v for %s: got allowed %t, want %t", one.rules, c.address, got, one.want)
			}
		}
	}
}

// checklist 50: a rule for the machine's identity opens link-local addresses, and no other
// reserved ones.
func TestTheRuleForTheMachinesIdentity(t *testing.T) {
	t.Parallel()
	identity := egress.Rules{LinkLocal: true}
	for address, want := range map[string]bool{
		"169.254.169.254": true, "::ffff:169.254.169.254": true, "169.254.130.2": true, "8.8.8.8": true,
		"168.63.129.16": false, "100.100.100.200": false, "fe80::1": false, "2002:a9fe:a9fe::1": false, "0.0.0.0": false, "127.0.0.1": false, "10.1.2.3": false,
	} {
		if got := identity.Allow(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: got allowed %t, want %t", address, got, want)
		}
	}
}

func TestHostNames(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name                string
		forbidden, loopback bool
	}{
		{"api.lytics.io", false, false},
		{"metadata", true, false},
		{"metadata.google.internal", true, false},
		{"169.254.169.254", true, false},
		{"0xa9fea9fe", true, false},
		{"2852039166", true, false},
		{"0251.0376.0251.0376", true, false},
		{"::ffff:169.254.169.254", true, false},
		{"localhost", false, true},
		{"127.0.0.1", false, true},
		{"127.8.9.10", false, true},
		{"::1", false, true},
		{"::ffff:127.0.0.1", false, true},
		// A resolver may treat it as a name and ask a name server.
		{"2130706433", false, false},
		{"localhost.example.com", false, false},
		{"10.0.0.1", false, false},
	}
	for _, c := range cases {
		if got := egress.ForbiddenHost(c.name); got != c.forbidden {
			t.Errorf("ForbiddenHost(%q): got %t, want %t", c.name, got, c.forbidden)
		}
		if got := egress.IsLoopbackHost(c.name); got != c.loopback {
			t.Errorf("IsLoopbackHost(%q): got %t, want %t", c.name, got, c.loopback)
		}
	}
}

// checklist 50: the address is checked when it is dialled, for every host name.
func TestAddressIsCheckedWhenDialled(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	dial := func(rules egress.Rules) error {
		conn, err := egress.NewTransport(egress.Options{Rules: rules}).DialContext(t.Context(), "tcp", net.JoinHostPort("localhost", port))
		if err == nil {
			_ = conn.Close()
		}
		return err
	}
	for _, rules := range []egress.Rules{{}, {Private: true}} {
		refused, ok := errors.AsType[*egress.RefusedAddressError](dial(rules))
		if !ok || refused.Host != "localhost" || !refused.Address.IsLoopback() {
			t.Errorf("%+v: got %v, want the refusal of localhost's address", rules, refused)
		}
	}
	if err := dial(egress.Rules{Loopback: true}); err != nil {
		t.Errorf("loopback allowed: got %v, want a connection", err)
	}
}

// checklist 50: a configured proxy may have any address, and is not used for addresses
// that the rules forbid.
func TestProxy(t *testing.T) {
	t.Parallel()
	var asked []string // written by one request at a time
	proxy := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked = append(asked, r.URL.Host) }))
	defer proxy.Close()
	address, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	get := func(target string) error {
		client := http.Client{Transport: egress.NewTransport(egress.Options{Proxy: http.ProxyURL(address)})}
		defer client.CloseIdleConnections()
		response, err := client.Get(target)
		if err == nil {
			err = response.Body.Close()
		}
		return err
	}
	if err := get("http://warehouse.example/"); err != nil {
		t.Errorf("a public host by a proxy on loopback: got %v, want an answer", err)
	}
	for _, forbidden := range []string{
		"http://169.254.169.254/latest/meta-data/", "http://127.0.0.1:1/", "http://[fd00:ec2::254]/", "http://[::1]:1/", "http://[::ffff:127.0.0.1]:1/",
		"http://[::ffff:a9fe:a9fe]/", "http://[fe80::1%25eth0]/", "http://[fd12::1]/", "http://2130706433:1/", "http://0x7f000001:1/",
	} {
		if _, ok := errors.AsType[*egress.RefusedAddressError](get(forbidden)); !ok {
			t.Errorf("%s was not refused", forbidden)
		}
	}
	if len(asked) != 1 || asked[0] != "warehouse.example" {
		t.Errorf("the proxy got requests for %q, want one for warehouse.example", asked)
	}
}

// checklist 51.
func TestReadCAs(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	file := filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	roots, err := egress.ReadCAs(file)
	if err != nil {
		t.Fatal(err)
	}
	client := http.Client{Transport: egress.NewTransport(egress.Options{Rules: egress.Configured, RootCAs: roots})}
	defer client.CloseIdleConnections()
	response, err := client.Get(server.URL)
	if err != nil {
		t.Fatalf("a server of that authority: got %v, want an answer", err)
	}
	_ = response.Body.Close()
	if roots, err := egress.ReadCAs(""); roots != nil || err != nil {
		t.Errorf("no file: got %v, %v, want the system's authorities", roots, err)
	}
}

// checklist 51: certificates of a file are trusted beside those that are given, which stay as
// they are.
func TestAddCAs(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	before := x509.NewCertPool()
	both, err := egress.AddCAs(before, file)
	if err != nil {
		t.Fatal(err)
	}
	alone := x509.NewCertPool()
	alone.AddCert(server.Certificate())
	if !both.Equal(alone) || !before.Equal(x509.NewCertPool()) {
		t.Error("the authorities are not those of before and of the file, or those of before have changed")
	}
	if same, err := egress.AddCAs(before, ""); same != before || err != nil {
		t.Errorf("no file: got %v, %v, want the authorities of before", same, err)
	}
}

// A file that cannot be used is an error with the reason and without the file's content.
func TestUnusableCAFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const secret = "a secret that somebody gave instead"
	large := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: make([]byte, egress.MaxCAFile)})
	for file, want := range map[string]string{
		filepath.Join(dir, "missing.pem"): "no such file",
		dir:                               "no regular file",
		os.DevNull:                        "no regular file",
		write("secret", []byte(secret)):   "no certificate in PEM form",
		write("empty", nil):               "no certificate in PEM form",
		write("key.pem", []byte("-----BEGIN PRIVATE KEY-----\n"+secret)): "no certificate in PEM form",
		write("large.pem", large): "larger than 1 MiB",
		write("full.pem", []byte(strings.Repeat("x", egress.MaxCAFile))):    "no certificate in PEM form",
		write("over.pem", []byte(strings.Repeat("\n", egress.MaxCAFile+1))): "larger than 1 MiB",
	} {
		if _, err := egress.ReadCAs(file); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: got %v, want %q", file, err, want)
		}
	}
}
