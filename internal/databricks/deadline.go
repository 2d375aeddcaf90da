package databricks

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/tracing"
)

// errDeadline is the cause with which a call is cancelled at its deadline.
var errDeadline = errors.New("the deadline of the statement passed")

// deadlineMargin is the time that this side waits longer than the warehouse: the warehouse's
// own error for its STATEMENT_TIMEOUT tells more.
const deadlineMargin = 30 * time.Second

// deadline limits the execution of a statement: the time from sending it until the warehouse
// says that it has ended. Fetching its result is not limited by it. The time in which the
// warehouse does not accept the statement, because it is busy or starting, does not count.
type deadline struct {
	limit  time.Duration
	caller context.Context
	cancel context.CancelCauseFunc

	// released is called when the call is not needed any longer; nil calls nothing.
	released func()

	mu    sync.Mutex
	timer *time.Timer
	ended bool
}

// newCall returns the state of a statement with a deadline.
func (w *Warehouse) newCall(ctx context.Context, idempotent bool) *call {
	limit := w.queryTimeout
	if d, ok := ctx.Value(timeoutKey{}).(time.Duration); ok {
		limit = d
	}
	bounded, cancel := context.WithCancelCause(ctx)
	c := tracedCall(bounded, idempotent)
	c.deadline.limit, c.deadline.caller, c.deadline.cancel = limit+deadlineMargin, ctx, cancel
	return c
}

// tracedCall returns the state of a statement that has a span.
func tracedCall(ctx context.Context, idempotent bool) *call {
	ctx, end := tracing.Start(ctx, "statement", attribute.String("db.system.name", "databricks"))
	c := newCall(ctx, idempotent)
	c.deadline.released = func() {
		id, failed := c.outcome()
		var err error
		if failed {
			err = errTraced
		}
		end(err, attribute.String("lytics.statement.id", id))
	}
	return c
}

// errTraced is what a trace says of a statement that failed: the warehouse's text may have
// values of rows.
var errTraced = errors.New("the statement failed; the run's log says why")

// outcome returns the id of the statement, and whether it failed.
func (c *call) outcome() (id string, failed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.queryID, c.failure != nil
}

type timeoutKey struct{}

// WithStatementTimeout gives the statements that are executed with the context another
// timeout than Config.QueryTimeout on this side. The caller sets STATEMENT_TIMEOUT.
func WithStatementTimeout(ctx context.Context, d time.Duration) context.Context {
	return context.WithValue(ctx, timeoutKey{}, d)
}

// start begins the time anew, whenever the statement is sent.
func (d *deadline) start() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cancel == nil || d.ended {
		return
	}
	if d.timer != nil {
		d.timer.Stop()
	}
	d.timer = time.AfterFunc(d.limit, func() { d.cancel(errDeadline) })
}

// pause stops the time until the statement is sent again.
func (d *deadline) pause() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
	}
}

// stop ends the time: the statement was executed.
func (d *deadline) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ended = true
	if d.timer != nil {
		d.timer.Stop()
	}
}

// release frees what the context holds. The caller of the call needs it no longer.
func (d *deadline) release() {
	d.stop()
	if d.cancel != nil {
		d.cancel(nil)
	}
	if d.released != nil {
		d.released()
	}
}

// err returns why a call must end: its caller cancelled it, or its deadline passed.
func (c *call) err() error {
	if c.deadline.caller == nil {
		return c.ctx.Err()
	}
	if err := c.deadline.caller.Err(); err != nil {
		return err
	}
	if errors.Is(context.Cause(c.ctx), errDeadline) {
		return errDeadline
	}
	return nil
}
