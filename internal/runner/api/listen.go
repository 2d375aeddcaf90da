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

// DefaultListen is the default listen address.
const DefaultListen = "127.0.0.1:8088"

// The limits of a connection.
const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
	maxHeader     = 64 << 10
)

// Listen opens a network address. Without a certificate the address must be a
// loopback address. names are the host names of the certificate and of the
// address.
func Listen(ctx context.Context, address, certFile, keyFile string) (_ net.Listener, names []string, _ error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, nil, jobs.Invalid(
			"listen",
			"The runner cannot listen on this address",
			err.Error()+".",
			"Write listen as HOST:PORT, such as "+DefaultListen,
		)
	}
	if (certFile == "") != (keyFile == "") {
		return nil, nil, jobs.Invalid("tls_cert", "Half of the runner's certificate is missing",
			"TLS needs a certificate file and a key file.", "Give both tls_cert and tls_key")
	}
	if certFile == "" && !onLoopback(ctx, host) {
		return nil, nil, jobs.Invalid("listen", "The runner needs TLS to listen on an address that other machines can reach",
			fmt.Sprintf("Other machines can reach %s, and the token would cross the network unencrypted.", address),
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
			"The runner cannot listen on this address",
			err.Error()+".",
			"Choose another port, or stop the process that listens on this one",
		)
	}
	if config != nil {
		l = tls.NewListener(l, config)
	}
	return l, names, nil
}

// onLoopback reports whether all addresses of a host are loopback addresses.
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

// certificates reloads a certificate when its file changes, so that a renewal
// needs no restart.
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
		// A pair that is only half written is loaded with the next connection.
		_, _ = c.load()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.loaded, nil
}

// Serve serves a listener until the context ends. Requests in progress then
// have the grace period to finish.
func Serve(ctx context.Context, l net.Listener, h http.Handler, log *slog.Logger, grace time.Duration) error {
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelError),
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
		// The grace period is over: close the remaining connections.
		err = server.Close()
	}
	if ended := <-done; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return err
}
