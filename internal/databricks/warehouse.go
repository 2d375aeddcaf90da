package databricks

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	dbsql "github.com/databricks/databricks-sql-go"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/egress"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// Config is the configuration of a warehouse.
type Config struct {
	// Host is a host name, or for local use a URL ("http://127.0.0.1").
	Host     string
	Port     int
	HTTPPath string
	// Token returns the access token; either Token or Client must be set. It is called
	// again when the warehouse refuses the token, because the credential may have been
	// replaced.
	Token func(context.Context) (jobs.Secret, error)
	// Client, if set, is used instead of Token: access tokens are issued for it. A new
	// one is issued when the warehouse refuses the last one, because an access token can
	// expire during a run.
	Client *ClientCredentials
	// AllowPrivateHosts allows hosts outside Databricks' domains, and private and
	// loopback addresses.
	AllowPrivateHosts bool
	// CAFile adds certificate authorities to the system's.
	CAFile string
	// QueryTimeout is the timeout of each statement at the warehouse; 0 means
	// jobs.DefaultQueryTimeout.
	QueryTimeout time.Duration
	// StartTimeout is the time that a warehouse may take to start; 0 means
	// DefaultStartTimeout. A host that does not answer at all fails within 30 seconds,
	// independent of StartTimeout.
	StartTimeout time.Duration
	// CloudFetch allows large results as files from the workspace's storage. The links
	// to them expire after about 15 minutes. Reading then fails with CodeUnreachable,
	// and the caller must execute the statement again.
	CloudFetch bool
	// UserAgent names the product to Databricks: "vendor+product".
	UserAgent string
	// QueryTags are added to every statement in the warehouse's query history.
	QueryTags map[string]string
	// Sent, if set, is called with the id of each statement that the warehouse
	// accepted. It must not block.
	Sent func(statementID string)
	// Waiting, if set, is called about once a second while Open waits for a
	// warehouse that is starting. It must not block.
	Waiting func(elapsed time.Duration)
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

	db   *sql.DB
	conn *sql.Conn
	// sent is Config.Sent.
	sent func(statementID string)

	sessionLost atomic.Bool
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
	h, err := parseHost(cfg.Host, cfg.AllowPrivateHosts)
	if err != nil {
		return nil, err
	}
	endpoint, err := h.endpoint(cfg.Port, cfg.HTTPPath)
	if err != nil {
		return nil, err
	}
	roots, err := egress.ReadCAs(cfg.CAFile)
	if err != nil {
		return nil, jobs.Invalid("ca_file", fmt.Sprintf("The CA file %q cannot be used", cfg.CAFile), err.Error(),
			"Give a readable file of certificates in PEM form.")
	}
	base := egress.NewTransport(egress.Options{Rules: addressRules(h, cfg.AllowPrivateHosts), Proxy: proxy, RootCAs: roots})
	patience := cfg.StartTimeout
	if patience <= 0 {
		patience = DefaultStartTimeout
	}
	token := &tokenSource{read: cfg.Token}
	w := &Warehouse{
		name: strings.TrimSuffix(endpoint.Host, ":443"), token: token, sent: cfg.Sent,
		transport: &transport{base: base, endpoint: endpoint, token: token, throttle: throttleOf(endpoint.Host), patience: patience},
	}
	if cfg.Client != nil {
		token.read = func(ctx context.Context) (jobs.Secret, error) { return w.clientToken(ctx, *cfg.Client) }
	}
	return w, nil
}

// connector configures the driver. It switches off the features that can lose data or wait
// without a limit; the transport corrects the others.
func (w *Warehouse) connector(cfg Config) (driver.Connector, error) {
	timeout := cfg.QueryTimeout
	if timeout <= 0 {
		timeout = jobs.DefaultQueryTimeout
	}
	seconds := int64(min(timeout, longestStatement).Round(time.Second) / time.Second)
	host := w.transport.endpoint.Hostname()
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
			"STATEMENT_TIMEOUT": strconv.FormatInt(max(seconds, 1), 10),
			"ANSI_MODE":         "true",
			"TIMEZONE":          "UTC",
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
	if w.conn != nil {
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
		cleanup, err := run(ctx)
		// The call may have ended without sending its statement.
		c.markExecuted()
		done <- outcome{cleanup, err}
	}()
	discard := func(o outcome) {
		if o.cleanup != nil {
			o.cleanup()
		}
		cancel()
	}
	select {
	case o := <-done:
		if o.err == nil && c.ctx.Err() == nil {
			return func() { discard(o) }, nil
		}
		discard(o)
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
	return nil, c.ctx.Err()
}
