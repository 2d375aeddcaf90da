package exporter

import (
	"context"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
)

// maxReconnects is how often in a row a lost session is opened again.
const maxReconnects = 3

// inSession does work that may be done twice. When the session is lost, because
// the warehouse was restarted or the scan took hours, it opens another one and
// repeats the work: an export keeps nothing in a session.
func (e *Export) inSession(ctx context.Context, work func(*databricks.Warehouse) error) error {
	for attempt := 0; ; attempt++ {
		err := e.once(ctx, work)
		if err == nil || attempt == maxReconnects || ctx.Err() != nil || !databricks.IsSessionLost(err) && !databricks.IsOutcomeUnknown(err) {
			return err
		}
		_ = e.disconnect() // the session is lost already
	}
}

// once does work in the open session, or in a new one.
func (e *Export) once(ctx context.Context, work func(*databricks.Warehouse) error) (err error) {
	if e.wh == nil {
		if e.wh, err = e.Connect(ctx, e.QueryTimeout); err != nil {
			e.wh = nil
			return err
		}
	}
	return work(e.wh)
}

// execRepeatable executes a statement that may be executed twice.
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
