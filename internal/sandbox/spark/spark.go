// Package spark executes Databricks SQL on Apache Spark with Delta. It implements
// itself what Spark lacks: catalogs, COPY INTO, information_schema, parameters,
// DEEP CLONE. It also gives errors Databricks' classes.
package spark

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/metadata"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/quoting"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/objectstore"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/spark/hive"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/spark/process"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/spark/rewrite"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// Options configure an Engine.
type Options struct {
	// Home is the directory that `make spark` filled.
	Home string
	// DataDir holds tables, metastore, logs and temporary files.
	DataDir string
	// URL is the address of a running server on this machine, ending in
	// /cliservice; empty starts one. Sandboxes that share a server have separate
	// catalogs.
	URL string
	// Discard drops this engine's schemas from the server on Close.
	Discard bool
	// EventLog is a directory for Spark's event log, which has the rows that each job
	// reads; empty writes none. A running server (URL) writes none either.
	EventLog string
	// Objects holds the files that COPY INTO reads.
	Objects objectstore.Store
}

// StartTimeout is how long a server may take to start: 15 seconds on an idle machine,
// more than 5 minutes beside a load of 30. A server that ends is noticed at once.
const StartTimeout = 20 * time.Minute

// Engine implements warehouse.Engine.
type Engine struct {
	opts  Options
	names *rewrite.Names
	// warehouse is the directory of the tables.
	warehouse string
	opened    time.Time

	mu     sync.Mutex
	server *process.Server
	client *hive.Client
	// launch is a start in progress, or a failed start whose error no caller has
	// received yet.
	launch *launch
	closed bool
}

// Open starts a server, or uses the one at o.URL, and creates the first catalogs.
func Open(ctx context.Context, o Options) (_ *Engine, err error) {
	if o.DataDir, err = filepath.Abs(o.DataDir); err != nil {
		return nil, err
	}
	if o.Home, err = filepath.Abs(o.Home); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(o.DataDir, "copy"), 0o700); err != nil {
		return nil, fmt.Errorf("create the data directory of the Spark engine: %w", err)
	}
	prefix, err := prefixOf(o)
	if err != nil {
		return nil, err
	}
	e := &Engine{opts: o, names: rewrite.NewNames(prefix), opened: time.Now().UTC()}
	if o.URL != "" {
		e.client = hive.NewClient(o.URL)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.stop())
		}
	}()
	return e, e.bootstrap(ctx)
}

// prefixOf returns the prefix of this engine's schemas. It is the same each time for
// a data directory.
func prefixOf(o Options) (string, error) {
	if o.URL == "" {
		return "sandbox", nil
	}
	path := filepath.Join(o.DataDir, "prefix")
	text, err := os.ReadFile(path)
	if err == nil && regexp.MustCompile(`^s[0-9a-f]{8}$`).Match(text) {
		return string(text), nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read the prefix of this sandbox's schemas: %w", err)
	}
	random := make([]byte, 4)
	_, _ = rand.Read(random) // never fails since Go 1.24
	prefix := "s" + hex.EncodeToString(random)
	return prefix, os.WriteFile(path, []byte(prefix), 0o600)
}

// bootstrap finds the directory of the tables, and creates the first catalogs if
// there are none.
func (e *Engine) bootstrap(ctx context.Context) error {
	client, err := e.connect(ctx, StartTimeout)
	if err != nil {
		return err
	}
	plain, err := client.OpenSession(ctx, nil)
	if err != nil {
		return fmt.Errorf("open a session of Spark: %w", err)
	}
	s := &session{engine: e, hive: plain, location: time.UTC}
	defer func() { _ = s.Close() }()
	found, err := s.queryTexts(ctx, "SET spark.sql.warehouse.dir")
	if err != nil || len(found) != 1 {
		return errors.Join(errors.New("ask Spark for the directory of its tables"), err)
	}
	e.warehouse = strings.TrimPrefix(strings.TrimPrefix(found[0][1], "file:"), "//")
	if _, err := os.Stat(e.warehouse); err != nil {
		return fmt.Errorf("the tables of the Spark at %s are not on this machine: %w", e.opts.URL, err)
	}
	catalogs, err := s.catalogs(ctx)
	if err != nil || len(catalogs) > 0 {
		return err
	}
	for _, name := range []string{"main", metadata.HiveMetastore} {
		if err := s.makeCatalog(ctx, name, ""); err != nil {
			return err
		}
	}
	return nil
}

// OpenSession starts a session.
func (e *Engine) OpenSession(ctx context.Context, o warehouse.SessionOptions) (warehouse.Session, error) {
	return e.openSession(ctx, o)
}

// Ended is closed when the server's process has ended; nil if this engine did not
// start the server.
func (e *Engine) Ended() <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.server == nil {
		return nil
	}
	return e.server.Ended()
}

// Close ends the server, unless it is shared.
func (e *Engine) Close() error {
	var err error
	if e.opts.Discard && e.opts.URL != "" {
		err = e.discard()
	}
	return errors.Join(err, e.stop())
}

// discard drops this engine's schemas from a shared server.
func (e *Engine) discard() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	plain, err := e.client.OpenSession(ctx, nil)
	if err != nil {
		return fmt.Errorf("drop this sandbox's schemas from the shared Spark: %w", err)
	}
	s := &session{engine: e, hive: plain, location: time.UTC}
	found, err := s.sparkSchemas(ctx)
	for _, schema := range found {
		_, dropErr := s.queryTexts(ctx, "DROP SCHEMA "+quoting.Name(schema)+" CASCADE")
		err = errors.Join(err, dropErr)
	}
	return errors.Join(err, s.Close())
}

// tableDir returns the directory of a managed table.
func (e *Engine) tableDir(catalog, schema, table string) string {
	return filepath.Join(e.warehouse, e.names.Schema(catalog, schema)+".db", e.names.Table(table))
}
