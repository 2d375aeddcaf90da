// Package duck executes Databricks SQL on DuckDB. It parses statements with its own
// grammar, resolves names and types as Databricks does, and generates plain SQL for the
// physical tables, in which DuckDB keeps the rows of all versions.
//
// It serves the provider's tests, the demo, and the clients that the sandbox's README
// lists: they need a warehouse that starts at once and without Java. What none of them
// sends is refused; the Spark engine has it.
package duck

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	duckdb "github.com/duckdb/duckdb-go/v2"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/catalog"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/routines"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/objectstore"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// Options configure an Engine.
type Options struct {
	// Dir holds the database file; empty keeps everything in memory.
	Dir string
	// Objects holds the files that COPY INTO reads.
	Objects objectstore.Store
	// MemoryLimit bounds DuckDB's memory, such as "2GB"; beyond it, DuckDB spills to
	// disk. The default is 4GB, or less on a small machine.
	MemoryLimit string
	// User is the result of current_user(); it has a default.
	User string
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Profile counts the rows that queries scan.
	Profile bool
}

// Engine implements warehouse.Engine.
type Engine struct {
	opts    Options
	db      *sql.DB
	scratch string
	locks   nameLocks

	// committing is held during a commit.
	committing sync.Mutex
	// mu guards the fields below.
	mu       sync.Mutex
	snapshot *catalog.Snapshot
	lastID   int64
	lastAt   time.Time
	// readers counts open results by the value of commits when they began.
	commits int64
	readers map[int64]int
	garbage []garbage
}

// garbage is a physical table that no later statement can read.
type garbage struct {
	phys   string
	commit int64
}

// Open opens or creates the database in o.Dir.
func Open(ctx context.Context, o Options) (*Engine, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.User == "" {
		o.User = "sandbox@example.com"
	}
	e := &Engine{opts: o, readers: map[int64]int{}}
	path := ""
	if o.Dir != "" {
		if err := os.MkdirAll(o.Dir, 0o700); err != nil {
			return nil, fmt.Errorf("create the sandbox's data directory: %w", err)
		}
		path = filepath.Join(o.Dir, "warehouse.duckdb")
	}
	scratch, err := os.MkdirTemp(o.Dir, scratchPrefix)
	if err != nil {
		return nil, fmt.Errorf("create a directory for DuckDB's temporary files: %w", err)
	}
	e.scratch = scratch
	if err := e.open(ctx, path); err != nil {
		_ = os.RemoveAll(scratch)
		return nil, err
	}
	e.removeOldScratch()
	return e, nil
}

const scratchPrefix = "scratch-"

// removeOldScratch removes the scratch directories of killed processes. The database
// file is locked, so no other process uses them.
func (e *Engine) removeOldScratch() {
	if e.opts.Dir == "" {
		return
	}
	entries, _ := os.ReadDir(e.opts.Dir) // on an error, there is nothing to remove
	for _, d := range entries {
		if path := filepath.Join(e.opts.Dir, d.Name()); d.IsDir() && strings.HasPrefix(d.Name(), scratchPrefix) && path != e.scratch {
			_ = os.RemoveAll(path)
		}
	}
}

func (e *Engine) open(ctx context.Context, path string) error {
	connector, err := duckdb.NewConnector(path, func(execer driver.ExecerContext) error {
		_, err := execer.ExecContext(ctx, "SET TimeZone = 'UTC'", nil)
		return err
	})
	if err != nil {
		return fmt.Errorf("open the DuckDB database %s: %w", path, err)
	}
	e.db = sql.OpenDB(connector)
	e.db.SetMaxIdleConns(8)
	if err := e.configure(ctx); err != nil {
		_ = e.db.Close()
		return err
	}
	return nil
}

// configure sets DuckDB's options, and loads the stored catalog.
func (e *Engine) configure(ctx context.Context) error {
	limit, err := e.memoryLimit(ctx)
	if err != nil {
		return err
	}
	for _, s := range []string{
		"SET GLOBAL memory_limit = " + quoteText(limit),
		"SET GLOBAL temp_directory = " + quoteText(e.scratch),
		"SET GLOBAL autoinstall_known_extensions = false",
		"SET GLOBAL autoload_known_extensions = false",
	} {
		if _, err := e.db.ExecContext(ctx, s); err != nil {
			return fmt.Errorf("configure DuckDB with %q: %w", s, err)
		}
	}
	conn, err := e.db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connect to DuckDB: %w", err)
	}
	defer func() { _ = conn.Close() }()
	if err := routines.Register(conn); err != nil {
		return err
	}
	return e.loadCatalog(ctx, conn)
}

// memoryLimit returns the configured limit, or DuckDB's default but at most 4 GB. A statement
// that cannot be written to disk in part fails beyond the limit, and sessions share it: with
// 512 MB, statements of tests that run side by side fail.
func (e *Engine) memoryLimit(ctx context.Context) (string, error) {
	if e.opts.MemoryLimit != "" {
		return e.opts.MemoryLimit, nil
	}
	var own string
	if err := e.db.QueryRowContext(ctx, "SELECT current_setting('memory_limit')").Scan(&own); err != nil {
		return "", fmt.Errorf("read DuckDB's memory limit: %w", err)
	}
	var n float64
	var unit string
	if _, err := fmt.Sscan(own, &n, &unit); err == nil && (unit == "TiB" || unit == "GiB" && n > 4) {
		return "4GB", nil
	}
	return own, nil
}

func quoteText(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// Close closes the database.
func (e *Engine) Close() error {
	err := e.db.Close()
	if e := os.RemoveAll(e.scratch); err == nil {
		err = e
	}
	return err
}

// defaultZone is the time zone of sessions that set none, by the name that Databricks has
// for it.
const defaultZone = "Etc/UTC"

// OpenSession starts a session.
func (e *Engine) OpenSession(_ context.Context, o warehouse.SessionOptions) (warehouse.Session, error) {
	s := &session{
		engine:  e,
		catalog: "main",
		schema:  "default",
		views:   map[string]*catalog.View{},
		ansi:    true,
		zone:    defaultZone,
		conf:    map[string]string{},
		cluster: o.Cluster,
	}
	if o.Catalog != "" {
		c, err := e.currentSnapshot().Catalog(o.Catalog)
		if err != nil {
			return nil, err
		}
		s.catalog = c.Name
	}
	if o.Schema != "" {
		// The schema need not exist: a client may open the session to create it.
		s.schema = strings.ToLower(o.Schema)
		if sc, err := e.currentSnapshot().Schema(s.catalog, o.Schema); err == nil {
			s.schema = sc.Name
		}
	}
	for k, v := range o.Conf {
		if err := s.setParameter(k, v); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (e *Engine) currentSnapshot() *catalog.Snapshot {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.snapshot
}

// newID returns a new number for a catalog object or a physical table.
func (e *Engine) newID() int64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.lastID++
	return e.lastID
}

// nextCommitTime returns the current time, or a later one if that is not after the last
// commit.
func (e *Engine) nextCommitTime() time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.opts.Now().UTC().Truncate(time.Microsecond)
	if !now.After(e.lastAt) {
		now = e.lastAt.Add(time.Microsecond)
	}
	e.lastAt = now
	return now
}

// registerReader registers an open result, whose tables are not dropped until release.
func (e *Engine) registerReader() (release func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	at := e.commits
	e.readers[at]++
	return sync.OnceFunc(func() {
		e.mu.Lock()
		if e.readers[at]--; e.readers[at] == 0 {
			delete(e.readers, at)
		}
		e.mu.Unlock()
		e.dropGarbage()
	})
}

// dropGarbage drops the physical tables that no open result can read.
func (e *Engine) dropGarbage() {
	e.mu.Lock()
	oldest := e.commits + 1
	for at := range e.readers {
		oldest = min(oldest, at)
	}
	var dead []string
	var kept []garbage
	for _, g := range e.garbage {
		if g.commit <= oldest {
			dead = append(dead, g.phys)
		} else {
			kept = append(kept, g)
		}
	}
	e.garbage = kept
	e.mu.Unlock()
	for _, phys := range dead {
		// After a failure, the table is dropped at the next start.
		_, _ = e.db.ExecContext(context.Background(), "DROP TABLE IF EXISTS "+phys)
	}
}
