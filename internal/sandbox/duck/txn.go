package duck

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/quoting"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/catalog"
)

// nameLocks locks names, so that a name has one writer at a time.
type nameLocks struct {
	mu   sync.Mutex
	held map[string]chan struct{}
}

// lock locks all names. Every caller locks in the same order, which avoids deadlocks.
func (l *nameLocks) lock(ctx context.Context, names []string) (unlock func(), err error) {
	names = slices.Clone(names)
	for i, n := range names {
		names[i] = strings.ToLower(n)
	}
	slices.Sort(names)
	var taken []string
	unlock = func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, n := range taken {
			close(l.held[n])
			delete(l.held, n)
		}
	}
	for _, n := range slices.Compact(names) {
		for {
			l.mu.Lock()
			if l.held == nil {
				l.held = map[string]chan struct{}{}
			}
			wait, busy := l.held[n]
			if !busy {
				l.held[n] = make(chan struct{})
				l.mu.Unlock()
				taken = append(taken, n)
				break
			}
			l.mu.Unlock()
			select {
			case <-wait:
			case <-ctx.Done():
				unlock()
				return nil, ctx.Err()
			}
		}
	}
	return unlock, nil
}

// txn is a write transaction: DuckDB's transaction, and the changes to the catalog.
type txn struct {
	ctx     context.Context
	engine  *Engine
	conn    *sql.Conn
	before  *catalog.Snapshot
	changes []func(*catalog.Snapshot) error
	garbage []string
	// staged are the staging tables, which are dropped before the commit.
	staged []string
}

// write runs f in a transaction that holds locks on the names. The commit publishes f's
// changes to the catalog.
func (e *Engine) write(ctx context.Context, names []string, f func(t *txn) error) (err error) {
	unlock, err := e.locks.lock(ctx, names)
	if err != nil {
		return err
	}
	defer unlock()
	conn, err := e.db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connect to DuckDB: %w", err)
	}
	defer func() { _ = conn.Close() }()
	release := e.registerReader()
	defer release()
	t := &txn{ctx: ctx, engine: e, conn: conn, before: e.currentSnapshot()}
	if _, err := conn.ExecContext(ctx, "BEGIN TRANSACTION"); err != nil {
		return databricksError(ctx, err)
	}
	background := context.WithoutCancel(ctx)
	committed := false
	defer func() {
		if !committed {
			_, _ = conn.ExecContext(background, "ROLLBACK")
		}
	}()
	if err := f(t); err != nil {
		return databricksError(ctx, err)
	}
	for _, name := range t.staged {
		if _, err := t.exec("DROP TABLE IF EXISTS %s", name); err != nil {
			return databricksError(ctx, err)
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	err = t.commit(background)
	committed = err == nil
	return err
}

func (t *txn) commit(ctx context.Context) error {
	e := t.engine
	// During DuckDB's commit, readers use the previous snapshot.
	e.committing.Lock()
	defer e.committing.Unlock()
	next := e.currentSnapshot().Clone()
	for _, change := range t.changes {
		if err := change(next); err != nil {
			return err
		}
	}
	if _, err := t.conn.ExecContext(ctx, "COMMIT"); err != nil {
		return databricksError(ctx, err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.commits++
	e.snapshot = next
	for _, phys := range t.garbage {
		e.garbage = append(e.garbage, garbage{phys, e.commits})
	}
	return nil
}

// exec executes DuckDB SQL in the transaction, and returns the number of changed rows.
func (t *txn) exec(format string, args ...any) (int64, error) {
	sql := format
	if len(args) > 0 {
		sql = fmt.Sprintf(format, args...)
	}
	r, err := t.conn.ExecContext(t.ctx, sql)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// queryCount executes a query that returns one number.
func (t *txn) queryCount(query string) (int64, error) {
	var n int64
	err := t.conn.QueryRowContext(t.ctx, query).Scan(&n)
	return n, err
}

// newPhysicalName returns a name for a new physical table.
func (t *txn) newPhysicalName() string { return fmt.Sprintf("t_%d", t.engine.newID()) }

// newStagingName returns a name for a temporary table of this transaction.
func (t *txn) newStagingName() string {
	name := fmt.Sprintf("temp.staged_%d", t.engine.newID())
	t.staged = append(t.staged, name)
	return name
}

// putTable stores a table, and its newest version if newVersion is true.
func (t *txn) putTable(tab *catalog.Table, newVersion bool) error {
	if err := saveObject(t.ctx, t.conn, tab.ID, "table", tab); err != nil {
		return err
	}
	if newVersion {
		if err := saveVersion(t.ctx, t.conn, tab.ID, tab.Head()); err != nil {
			return err
		}
	}
	t.changes = append(t.changes, func(s *catalog.Snapshot) error {
		sc, err := s.Schema(tab.Catalog, tab.Schema)
		if err == nil {
			sc.Tables[strings.ToLower(tab.Name)] = tab
		}
		return err
	})
	return nil
}

// dropTable removes a table or view from the catalog. The rows are dropped when no open
// result can read them.
func (t *txn) dropTable(tab *catalog.Table) error {
	if err := removeObject(t.ctx, t.conn, tab.ID); err != nil {
		return err
	}
	for _, table := range []string{"sandbox_versions", "sandbox_files"} {
		if _, err := t.conn.ExecContext(t.ctx, "DELETE FROM "+table+" WHERE id = ?", tab.ID); err != nil {
			return err
		}
	}
	t.garbage = append(t.garbage, physicalNames(tab.Versions)...)
	t.changes = append(t.changes, func(s *catalog.Snapshot) error {
		sc, err := s.Schema(tab.Catalog, tab.Schema)
		if err == nil {
			delete(sc.Tables, strings.ToLower(tab.Name))
		}
		return err
	})
	return nil
}

// physicalNames returns the names of the versions' physical tables.
func physicalNames(versions []*catalog.Version) []string {
	var out []string
	for _, v := range versions {
		if !slices.Contains(out, v.Phys) {
			out = append(out, v.Phys)
		}
	}
	return out
}

// tableToChange returns the table to change. A view is an error.
func (t *txn) tableToChange(name tableName) (*catalog.Table, error) {
	if _, err := t.before.Schema(name.catalog, name.schema); err != nil {
		return nil, sqlerror.TableNotFound(name.written...)
	}
	tab := t.before.Table(name.catalog, name.schema, name.table)
	if tab == nil {
		return nil, sqlerror.TableNotFound(name.written...)
	}
	if tab.View != nil {
		return nil, notTableError(tab, "this operation")
	}
	return tab, nil
}

func notTableError(tab *catalog.Table, operation string) error {
	return sqlerror.New(
		"EXPECT_TABLE_NOT_VIEW.NO_ALTERNATIVE",
		"42809",
		"'%s' expects a table but %s is a view.",
		operation,
		quoting.Name(tab.Catalog, tab.Schema, tab.Name),
	)
}

// tableName is a table's full name, and the parts written in the statement.
type tableName struct {
	catalog, schema, table string
	written                []string
}

func (n tableName) key() string { return n.catalog + "." + n.schema + "." + n.table }
