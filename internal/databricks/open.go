package databricks

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/retry"
)

// Open connects, opens a session and proves its settings. It waits for a warehouse that is
// starting. The caller must close the Warehouse.
func Open(ctx context.Context, cfg Config) (*Warehouse, error) {
	w, err := newWarehouse(cfg)
	if err != nil {
		return nil, err
	}
	return w.open(ctx, cfg)
}

func (w *Warehouse) open(ctx context.Context, cfg Config) (*Warehouse, error) {
	connector, err := w.connector(cfg)
	if err != nil {
		return nil, err
	}
	w.db = sql.OpenDB(connector)
	started := time.Now()
	bounded, cancel := context.WithTimeout(ctx, w.transport.patience)
	defer cancel()

	done := make(chan error, 1)
	go func() { done <- w.start(bounded) }()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			if err == nil {
				return w, nil
			}
			if ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
				err = w.timedOut(time.Since(started), nil)
			}
			// The caller need not wait until the failed session is closed.
			go func() { _ = w.Close() }()
			return nil, err
		case <-tick.C:
			// A host that has not answered any request is not a warehouse that starts.
			if elapsed := time.Since(started); cfg.Waiting != nil && w.transport.answered.Load() && elapsed > 2*time.Second {
				cfg.Waiting(elapsed.Round(time.Second))
			}
		}
	}
}

// start opens the session and proves its settings, and retries while the warehouse is
// starting.
func (w *Warehouse) start(ctx context.Context) error {
	policy := pauses
	policy.Within = w.transport.patience
	_, err := retry.Do(ctx, policy, func(n int) (struct{}, error) {
		if n > 1 {
			w.discardConn()
			w.sessionLost.Store(false)
		}
		err := w.connect(ctx)
		if err == nil {
			err = w.probe(ctx)
		}
		return struct{}{}, err
	}, func(_ int, err error) retry.Decision { return retry.If(w.isStarting(err)) })
	switch {
	case err == nil || !w.isStarting(err):
		return err
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return w.timedOut(w.transport.patience, err)
}

// isStarting reports whether an error comes from a warehouse that is starting. Either the
// error says so, or the warehouse did not answer a request in time. A host that has not
// answered any request is not starting.
func (w *Warehouse) isStarting(err error) bool {
	if saysStarting(err) || IsSessionLost(err) {
		return true
	}
	f, ok := errors.AsType[*failure](err)
	return ok && w.transport.answered.Load() && (f.cause == causeLost || f.cause == causeSilent)
}

func (w *Warehouse) connect(ctx context.Context) error {
	c := newCall(ctx, true)
	var conn *sql.Conn
	kept := false
	release, err := w.do(c, func(ctx context.Context) (func(), error) {
		opened, err := w.db.Conn(ctx)
		if err != nil {
			return nil, err
		}
		conn = opened
		return func() {
			if !kept { // the caller gave up meanwhile
				_ = opened.Close()
			}
		}, nil
	})
	if err != nil {
		return w.translate(c, err)
	}
	kept, w.conn = true, conn
	release()
	return nil
}

// discardConn closes the session's connection. ErrBadConn keeps database/sql from
// putting it back into the pool, where it would be used again.
func (w *Warehouse) discardConn() {
	if w.conn == nil {
		return
	}
	_ = w.conn.Raw(func(any) error { return driver.ErrBadConn })
	_ = w.conn.Close()
	w.conn = nil
}
