package databricks

import (
	"context"
	"database/sql"
	"errors"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// Rows is a result that is being read. It is like sql.Rows, except that Err reports every
// result that ended early, even if the driver treats it as complete.
type Rows struct {
	rows    *sql.Rows
	w       *Warehouse
	call    *call
	release func()
	count   int64
	ended   bool
	err     error
}

// Query executes a read-only statement, which may be sent twice. Positional arguments are
// bound to "?", and sql.Named arguments to ":name". ctx is also the context of the rows.
func (w *Warehouse) Query(ctx context.Context, statement string, args ...any) (*Rows, error) {
	if err := w.ready(); err != nil {
		return nil, err
	}
	return w.query(w.newCall(ctx, true), statement, args)
}

func (w *Warehouse) query(c *call, statement string, args []any) (*Rows, error) {
	c.reads = true
	var rows *sql.Rows
	release, err := w.do(c, func(ctx context.Context) (func(), error) {
		var err error
		rows, err = w.conn.QueryContext(ctx, statement, args...) //nolint:rowserrcheck // Rows.Next reads it
		if err != nil {
			return nil, err
		}
		return func() { _ = rows.Close() }, nil
	})
	// The call may have failed although err is nil: if the driver cannot read the columns,
	// it returns a result without columns.
	if err := w.translate(c, err); err != nil {
		if release != nil {
			release()
		}
		return nil, err
	}
	return &Rows{rows: rows, w: w, call: c, release: release}, nil
}

// Next moves to the next row and reports whether there is one.
func (r *Rows) Next() bool {
	if r.ended {
		return false
	}
	var more bool
	err := r.w.recovered(r.call, func() error {
		more = r.call.err() == nil && r.rows.Next()
		return r.rows.Err()
	})
	if more && err == nil {
		r.count++
		return true
	}
	r.ended = true
	r.err = r.w.resultError(r.call, err, r.count)
	return false
}

// resultError returns the error of a result that ended: the error of the statement, or an
// error for missing rows.
func (w *Warehouse) resultError(c *call, err error, rows int64) error {
	if err := w.translate(c, err); err != nil {
		return err
	}
	if err := c.checkComplete(rows); err != nil {
		return &jobs.Error{Code: jobs.CodeUnreachable,
			Summary: "The result of a statement from " + w.name + " is incomplete",
			Detail:  err.Error(),
			Next:    "Run the job again: an import goes on from its last checkpoint, an export begins anew."}
	}
	return nil
}

// Scan copies the row, like sql.Rows.
func (r *Rows) Scan(dest ...any) error { return r.rows.Scan(dest...) }

// Columns returns the names of the columns.
func (r *Rows) Columns() ([]string, error) { return r.rows.Columns() }

// ColumnTypes describes the columns. It does not distinguish TIMESTAMP and TIMESTAMP_NTZ;
// only the catalog does.
func (r *Rows) ColumnTypes() ([]*sql.ColumnType, error) { return r.rows.ColumnTypes() }

// Err returns the error that ended the rows, if any.
func (r *Rows) Err() error { return r.err }

// Close ends the statement at the warehouse. It may be called twice.
func (r *Rows) Close() error {
	r.ended = true
	if r.release != nil {
		r.release()
		r.release = nil
	}
	return nil
}

// Exec executes a statement once. If the response is lost, IsOutcomeUnknown is true for the
// error. The statement is sent again only if the warehouse answered that it was too busy to
// accept it.
func (w *Warehouse) Exec(ctx context.Context, statement string, args ...any) error {
	return w.exec(ctx, false, statement, args)
}

// ExecIdempotent executes a statement for which two executions have the effect of one. It
// sends the statement again while the warehouse is not available.
func (w *Warehouse) ExecIdempotent(ctx context.Context, statement string, args ...any) error {
	return w.exec(ctx, true, statement, args)
}

func (w *Warehouse) exec(ctx context.Context, idempotent bool, statement string, args []any) error {
	if err := w.ready(); err != nil {
		return err
	}
	c := w.newCall(ctx, idempotent)
	release, err := w.do(c, func(ctx context.Context) (func(), error) {
		_, err := w.conn.ExecContext(ctx, statement, args...)
		return nil, err
	})
	if release != nil {
		release()
	}
	if errors.Is(err, sql.ErrConnDone) {
		return w.lost("its connection is closed")
	}
	return w.translate(c, err)
}
