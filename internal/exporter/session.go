package exporter

import (
	"context"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
)

// maxReconnects is the number of consecutive attempts to open a lost session again.
const maxReconnects = 3

// inSession executes work, which must be idempotent. If the session is lost, because the
// warehouse was restarted or the scan took hours, it opens a new session and repeats the
// work. An export keeps no state in a session.
func (e *Export) inSession(ctx context.Context, work func(*databricks.Warehouse) error) error {
	for attempt := 0; ; attempt++ {
		err := e.once(ctx, work)
		if err == nil || attempt == maxReconnects || ctx.Err() != nil || !databricks.IsSessionLost(err) && !databricks.IsOutcomeUnknown(err) {
			return err
		}
		_ = e.disconnect() // the session is lost already
	}
}

// once executes work in the open session, or in a new one.
func (e *Export) once(ctx context.Context, work func(*databricks.Warehouse) error) (err error) {
	if e.wh == nil {
		if e.wh, err = e.Connect(ctx, e.QueryTimeout); err != nil {
			e.wh = nil
			return err
		}
	}
	return work(e.wh)
}

// execRepeatable executes an idempotent statement.
func (e *Export) execRepeatable(ctx context.Context, statement string) error {
	return e.inSession(ctx, func(wh *databricks.Warehouse) error { return wh.ExecIdempotent(ctx, statement) })
}

func (e *Export) disconnect() error {
	if e.wh == nil {
		return nil
	}
	err := e.wh.Close()
	e.wh = nil
	return err
}
