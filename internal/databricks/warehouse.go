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

// Config is how to reach a warehouse.
type Config struct {
	// Host is a host name, or for local use an URL ("http://127.0.0.1").
	Host     string
	Port     int
	HTTPPath string
	// Token gives the access token; it, or Client, must be set. It is called again
	// when the warehouse refuses the one it gave: the credential may have been
	// replaced.
	Token func(context.Context) (jobs.Secret, error)
	// Client, if set, makes access tokens in Token's place, and a new one
	// whenever the last one is refused: they expire within a run.
	Client *ClientCredentials
	// AllowPrivateHosts opts in to hosts that are not Databricks', and to
	// private addresses.
	AllowPrivateHosts bool
	// CAFile adds certificate authorities to the system's.
	CAFile string
	// QueryTimeout bounds each statement at the warehouse; 0 means
	// jobs.DefaultQueryTimeout.
	QueryTimeout time.Duration
	// StartTimeout is how long a warehouse may take to start; 0 means
	// DefaultStartTimeout. A host that does not answer at all fails within 30
	// seconds regardless.
	StartTimeout time.Duration
	// CloudFetch lets large results come as files from the workspace's storage.
	// Their links expire after some minutes: then reading fails with
	// CodeUnreachable, and a statement has to be sent again.
	CloudFetch bool
	// UserAgent names the product to Databricks: "vendor+product".
	UserAgent string
	// QueryTags mark every statement in the warehouse's query history.
	QueryTags map[string]string
	// Sent, if set, is told the id of each statement that the warehouse took. It
	// must not block.
	Sent func(statementID string)
	// Waiting, if set, is called about once a second while Open waits for a
	// warehouse that is starting. It must not block.
	Waiting func(elapsed time.Duration)
}

// DefaultStartTimeout is how long Open waits for a warehouse to start.
const DefaultStartTimeout = 10 * time.Minute

const (
	// pageRows bounds the rows of one fetch, and with it memory.
	pageRows = 10_000
	// longestStatement is the most that Databricks accepts.
	longestStatement = 172_800 * time.Second
	// cancelGrace is how long a cancelled call is given to end in good order
	// before its caller is let go.
	cancelGrace = 1200 * time.Millisecond
	// executeGrace is how long a statement that was cancelled while it was
	// being submitted may take to get an id by which it can be cancelled.
	executeGrace = 20 * time.Second
)

// Warehouse is one session at a warehouse. It is for one goroutine at a time.
type Warehouse struct {
	// name is the host for people.
	name      string
	transport *transport
	token     *tokenSource

	db   *sql.DB
	conn *sql.Conn
	// sent is told the ids of statements; may be nil.
	sent func(statementID string)

	sessionLost atomic.Bool
	// columnar is set once a result came in Thrift's columns instead of Arrow.
	columnar atomic.Bool
	// abandoned are calls that were given up and still run.
	abandoned      sync.WaitGroup
	abandonedCalls atomic.Int32
}

// newWarehouse validates the configuration; nothing is sent yet.
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

// connector configures the driver: all that can lose data or wait without
// bound is off here or mended by the transport.
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
		// Large results come as files from the workspace's storage where the
		// caller can go on after one of their links has expired. Two at a time
		// are as fast as ten, and take a third of the memory.
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

// Close ends the session at the warehouse. It takes a bounded time; where a
// cancelled statement still has to be cancelled at the warehouse, that goes on
// beside the caller. It gives no error: what was done in the session is done,
// and one that could not be closed ends by itself.
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

// ready refuses to use a session that is gone.
func (w *Warehouse) ready() error {
	if w.sessionLost.Load() {
		return w.lost("it was lost before")
	}
	return nil
}

// do runs a call of the driver and returns within cancelGrace of the caller's
// cancellation. The driver's context is cancelled only once the statement has
// an id, so that the driver cancels it at the warehouse too. A call that does
// not end is left to end by itself, within bounds, and its session is not used
// again.
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
		// A call that never got as far as sending its statement.
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
