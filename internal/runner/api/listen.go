package api

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// DefaultListen is where a runner listens that is told nothing.
const DefaultListen = "127.0.0.1:8088"

// The limits of a connection.
const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
	maxHeader     = 64 << 10
)

// Listen opens a network address: on loopback, or with a certificate anywhere.
// names are the hosts that the certificate and the address stand for.
func Listen(ctx context.Context, address, certFile, keyFile string) (_ net.Listener, names []string, _ error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, nil, jobs.Invalid(
			"listen",
			"The runner cannot listen there",
			err.Error()+".",
			"Write listen as HOST:PORT, such as "+DefaultListen,
		)
	}
	if (certFile == "") != (keyFile == "") {
		return nil, nil, jobs.Invalid("tls_cert", "Half of the runner's certificate is missing",
			"A certificate and its key are two files.", "Give both tls_cert and tls_key")
	}
	if certFile == "" && !onLoopback(ctx, host) {
		return nil, nil, jobs.Invalid("listen", "The runner does not listen beyond this machine without TLS",
			fmt.Sprintf("%s can be reached from elsewhere, and the token would cross the network in clear text.", address),
			"Give tls_cert and tls_key, or listen on 127.0.0.1")
	}
	if host != "" && !net.ParseIP(host).IsUnspecified() {
		names = append(names, host)
	}
	var config *tls.Config
	if certFile != "" {
		keeper := &certificates{cert: certFile, key: keyFile}
		leaf, err := keeper.load()
		if err != nil {
			return nil, nil, jobs.Invalid(
				"tls_cert",
				"The runner's certificate cannot be used",
				err.Error()+".",
				"Give a PEM certificate and the key that belongs to it",
			)
		}
		names = append(names, leaf.DNSNames...)
		for _, ip := range leaf.IPAddresses {
			names = append(names, ip.String())
		}
		config = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: keeper.get, NextProtos: []string{"h2", "http/1.1"}}
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, nil, jobs.Invalid(
			"listen",
			"The runner cannot listen there",
			err.Error()+".",
			"Choose another port, or stop what listens on this one",
		)
	}
	if config != nil {
		l = tls.NewListener(l, config)
	}
	return l, names, nil
}

// onLoopback reports whether a host is this machine and no other address.
func onLoopback(ctx context.Context, host string) bool {
	if host == "" {
		return false
	}
	if ip := net.ParseIP(host); ip != nil {
		return ip.IsLoopback()
	}
	ips, err := net.DefaultResolver.LookupIPAddr(ctx, host)
	return err == nil && len(ips) > 0 && !slices.ContainsFunc(ips, func(a net.IPAddr) bool { return !a.IP.IsLoopback() })
}

// certificates reads a certificate again when its file has changed, so that
// renewing it needs no restart.
type certificates struct {
	cert, key string

	mu     sync.Mutex
	read   time.Time
	loaded *tls.Certificate
}

func (c *certificates) load() (*x509.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(c.cert)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.loaded, c.read = &pair, info.ModTime()
	return pair.Leaf, nil
}

func (c *certificates) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	read := c.read
	c.mu.Unlock()
	if info, err := os.Stat(c.cert); err == nil && !info.ModTime().Equal(read) {
		// A pair that is half written is read with the next connection.
		_, _ = c.load()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.loaded, nil
}

// Serve answers on a listener until the context ends; then requests in
// progress have the grace to finish.
func Serve(ctx context.Context, l net.Listener, h http.Handler, log *slog.Logger, grace time.Duration) error {
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	err := server.Shutdown(bounded)
	if err != nil {
		// Who is still connected has had its grace.
		err = server.Close()
	}
	if ended := <-done; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return err
}
