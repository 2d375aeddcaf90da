package databricks

import (
	"context"
	"crypto/x509"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	dbsql "github.com/databricks/databricks-sql-go"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/egress"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/login"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/panics"
)

// Config is the configuration of a warehouse.
type Config struct {
	// Host is a host name, or for local use a URL ("http://127.0.0.1").
	Host     string
	Port     int
	HTTPPath string
	// Token returns the access token; one of Token, Client and Login must be set. It is called
	// again when the warehouse refuses the token, because the credential may have been
	// replaced.
	Token func(context.Context) (jobs.Secret, error)
	// Client, if set, is used instead of Token: access tokens are issued for it. A new
	// one is issued when the warehouse refuses the last one, because an access token can
	// expire during a run.
	Client *ClientCredentials
	// Login, if set, is used instead of both. A token is obtained again before it expires,
	// and when the warehouse refuses it.
	Login *login.Source
	// AllowPrivateHosts allows all hosts outside Databricks' domains, and private and
	// loopback addresses. PrivateHosts allows those of a list.
	AllowPrivateHosts bool
	PrivateHosts      egress.Hosts
	// LoopbackHosts allows hosts that name this machine, if they have a scheme
	// ("http://127.0.0.1").
	LoopbackHosts bool
	// RootCAs, if set, returns the certificate authorities; nil means the system's. It is
	// called for each Warehouse, UnityCatalog and Files.
	RootCAs func() (*x509.CertPool, error)
	// QueryTimeout is the timeout of each statement at the warehouse; 0 means
	// jobs.DefaultQueryTimeout.
	QueryTimeout time.Duration
	// StartTimeout is the time that a warehouse may take to start; 0 means
	// DefaultStartTimeout. A host that does not answer at all fails within 30 seconds,
	// independent of StartTimeout.
	StartTimeout time.Duration
	// CatalogRetry is how long Unity Catalog's API is asked again after a failure that may
	// pass; 0 means 5 minutes.
	CatalogRetry time.Duration
	// CloudFetch allows large results as files from the workspace's storage. The links
	// to them expire after about 15 minutes. Reading then fails with CodeUnreachable,
	// and the caller must execute the statement again.
	CloudFetch bool
	// UserAgent names the product to Databricks, in the form of its partners:
	// "vendor_product/version"
	// (https://databrickslabs.github.io/partner-architecture/isv-partners/telemetry-attribution).
	UserAgent string
	// QueryTags are added to every statement in the warehouse's query history.
	QueryTags map[string]string
	// Sent, if set, is called with the id of each statement that the warehouse
	// accepted. It must not block.
	Sent func(statementID string)
	// Waiting, if set, is called about once a second while Open waits for a
	// warehouse that is starting. It must not block.
	Waiting func(elapsed time.Duration)

	// dial, if set, connects instead of package egress; for tests of time limits.
	dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// DefaultStartTimeout is the time for which Open waits for a warehouse to start.
const DefaultStartTimeout = 10 * time.Minute

const (
	// pageRows limits the rows, and so the memory, of one fetch.
	pageRows = 10_000
	// longestStatement is the largest STATEMENT_TIMEOUT that Databricks accepts.
	longestStatement = 172_800 * time.Second
	// cancelGrace is the time for which the caller of a cancelled call waits for the call
	// to end.
	cancelGrace = 1200 * time.Millisecond
	// executeGrace is the time in which a statement that was cancelled during its
	// submission must get an id. The warehouse cannot cancel a statement without an id.
	executeGrace = 20 * time.Second
)

// Warehouse is one session at a warehouse. Only one goroutine may use it at a time.
type Warehouse struct {
	// name is the host in error messages.
	name      string
	transport *transport
	token     *tokenSource
	// login is Config.Login.
	login *login.Source

	db   *sql.DB
	conn *sql.Conn
	// userAgent is Config.UserAgent.
	userAgent string
	// sent is Config.Sent.
	sent func(statementID string)
	// queryTimeout is Config.QueryTimeout, or its default.
	queryTimeout time.Duration

	// cluster is set for compute that is no SQL warehouse.
	cluster bool

	sessionLost atomic.Bool
	// panicked is set after a panic of the driver.
	panicked atomic.Bool
	// columnar is set after a result came in Thrift's columns instead of Arrow, because
	// the later results of the session do, too.
	columnar atomic.Bool
	// abandoned are the calls whose callers no longer wait for them.
	abandoned      sync.WaitGroup
	abandonedCalls atomic.Int32
}

// newWarehouse validates the configuration. It sends no request.
func newWarehouse(cfg Config) (*Warehouse, error) {
	return newWarehouseVia(cfg, http.ProxyFromEnvironment)
}

func newWarehouseVia(cfg Config, proxy egress.ProxyFunc) (*Warehouse, error) {
	h, err := cfg.parseHost()
	if err != nil {
		return nil, err
	}
	endpoint, err := h.endpoint(cfg.Port, cfg.HTTPPath)
	if err != nil {
		return nil, err
	}
	var roots *x509.CertPool
	if cfg.RootCAs != nil {
		if roots, err = cfg.RootCAs(); err != nil {
			return nil, err
		}
	}
	base := egress.NewTransport(egress.Options{Rules: addressRules(h), Proxy: proxy, RootCAs: roots})
	if cfg.dial != nil {
		base.DialContext = cfg.dial
	}
	patience := cfg.StartTimeout
	if patience <= 0 {
		patience = DefaultStartTimeout
	}
	timeout := cfg.QueryTimeout
	if timeout <= 0 {
		timeout = jobs.DefaultQueryTimeout
	}
	token := newTokenSource("token_wo", func(ctx context.Context) (jobs.Secret, time.Time, error) {
		secret, err := cfg.Token(ctx)
		return secret, time.Time{}, err
	})
	w := &Warehouse{
		queryTimeout: min(timeout, longestStatement),
		name:         strings.TrimSuffix(endpoint.Host, ":443"), token: token, sent: cfg.Sent, userAgent: cfg.UserAgent,
		transport: &transport{base: base, endpoint: endpoint, token: token, throttle: throttleOf(endpoint.Host), patience: patience,
			pageBytes: pageBytes, inflateLimit: maxAnswer},
	}
	switch {
	case cfg.Client != nil:
		token.read = func(ctx context.Context) (jobs.Secret, time.Time, error) {
			secret, err := w.clientToken(ctx, *cfg.Client)
			return secret, time.Time{}, err
		}
	case cfg.Login != nil:
		w.login, token.attribute = cfg.Login, cfg.Login.Attribute()
		at := login.Workspace{URL: &url.URL{Scheme: endpoint.Scheme, Host: endpoint.Host}, Transport: base}
		token.read = func(ctx context.Context) (jobs.Secret, time.Time, error) {
			t, err := cfg.Login.Token(ctx, at)
			return t.Secret, t.Expires, err
		}
	}
	return w, nil
}

// sendNamed sends a request of an HTTP API with the user agent, which the driver adds to its
// own requests.
func (w *Warehouse) sendNamed(request *http.Request) (*http.Response, error) {
	if w.userAgent != "" {
		request = request.Clone(request.Context())
		request.Header.Set("User-Agent", w.userAgent)
	}
	return w.transport.base.RoundTrip(request)
}

// connector configures the driver. It switches off the features that can lose data or wait
// without a limit; the transport corrects the others.
func (w *Warehouse) connector(cfg Config) (driver.Connector, error) {
	zone, ansi, timeout := w.settings()
	host := w.transport.endpoint.Hostname()
	if strings.Contains(host, ":") {
		host = "[" + host + "]" // the driver joins it with the port as it is
	}
	if w.transport.endpoint.Scheme == "http" {
		host = "http://" + host
	} else {
		host = "https://" + host
	}
	path := w.transport.endpoint.Path
	if q := w.transport.endpoint.RawQuery; q != "" {
		path += "?" + q
	}
	port, err := strconv.Atoi(w.transport.endpoint.Port())
	if err != nil {
		return nil, fmt.Errorf("reading the port of %s: %w", w.transport.endpoint, err)
	}
	return dbsql.NewConnector(
		dbsql.WithServerHostname(host), dbsql.WithPort(port), dbsql.WithHTTPPath(path),
		dbsql.WithTransport(w.transport),
		dbsql.WithRetries(-1, time.Second, time.Second),
		dbsql.WithMaxRows(pageRows),
		// Large results come as files from the workspace's storage, if the caller
		// can resume after a link has expired. Two downloads at a time are as fast
		// as ten, and take a third of the memory.
		dbsql.WithCloudFetch(cfg.CloudFetch),
		dbsql.WithMaxDownloadThreads(2),
		dbsql.WithUserAgentEntry(cfg.UserAgent),
		dbsql.WithSessionParams(map[string]string{
			zone.parameter: zone.value, ansi.parameter: ansi.value, timeout.parameter: timeout.value,
		}),
		dbsql.WithQueryTags(cfg.QueryTags), // adds to the session's parameters
	)
}

// Close ends the session at the warehouse, within a limited time. If a statement must still
// be cancelled at the warehouse, Close returns at once and does the rest in the background.
// Its error is always nil, because a session that could not be closed ends by itself, and
// its statements stay in effect.
func (w *Warehouse) Close() error {
	if w.abandonedCalls.Load() > 0 {
		go func() {
			w.abandoned.Wait()
			w.close()
		}()
		return nil
	}
	w.close()
	return nil
}

func (w *Warehouse) close() {
	// After a panic, closing the connection would wait for a lock that is never released.
	// The warehouse ends the session by itself.
	if w.conn != nil && !w.panicked.Load() {
		_ = w.conn.Close()
	}
	if w.db != nil {
		_ = w.db.Close()
	}
	w.transport.base.CloseIdleConnections()
}

// ready returns an error once the session is lost.
func (w *Warehouse) ready() error {
	if w.sessionLost.Load() {
		return w.lost("it was lost before")
	}
	return nil
}

// do runs a call of the driver, and returns within cancelGrace after the caller cancelled
// it. It cancels the driver's context when the statement has an id, so that the driver also
// cancels the statement at the warehouse. A call that does not end in time continues in the
// background, within the timeouts of its requests, and its session is not used again.
func (w *Warehouse) do(c *call, run func(ctx context.Context) (cleanup func(), err error)) (release func(), err error) {
	c.sent = w.sent
	ctx, cancel := c.context()
	type outcome struct {
		cleanup func()
		err     error
	}
	done := make(chan outcome, 1)
	go func() {
		var cleanup func()
		err := w.recovered(c, func() (err error) { cleanup, err = run(ctx); return err })
		// The call may have ended without sending its statement.
		c.markExecuted()
		done <- outcome{cleanup, err}
	}()
	discard := func(o outcome) {
		if o.cleanup != nil {
			_ = w.recovered(c, func() error { o.cleanup(); return nil })
		}
		cancel()
		c.deadline.release()
	}
	select {
	case o := <-done:
		c.deadline.stop()
		if o.err == nil && c.err() == nil {
			return func() { discard(o) }, nil
		}
		discard(o)
		if o.err == nil { // the caller gave up when the call had just succeeded
			return nil, c.err()
		}
		return nil, o.err
	case <-c.ctx.Done():
	}
	go func() {
		<-c.executed
		cancel()
	}()
	grace := time.NewTimer(cancelGrace)
	defer grace.Stop()
	select {
	case o := <-done:
		discard(o)
	case <-grace.C:
		w.sessionLost.Store(true)
		w.abandonedCalls.Add(1)
		w.abandoned.Go(func() {
			discard(<-done)
			w.abandonedCalls.Add(-1)
		})
	}
	return nil, c.err()
}

// recovered calls a function of the driver. A panic there is a failure of the call: answers
// are checked before the driver reads them, and this is for what the checks do not know. The
// session is lost then, because database/sql may hold its locks.
func (w *Warehouse) recovered(c *call, f func() error) error {
	err := panics.Catch(f)
	p, ok := errors.AsType[*panics.Error](err)
	if !ok {
		return err
	}
	w.sessionLost.Store(true)
	w.panicked.Store(true)
	failed := &failure{cause: causeMalformed, message: "the driver cannot read it: " + p.Message, err: p}
	c.recordFailure(failed)
	return failed
}
