package exporter

import (
	"context"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
)

// reconnects is how often in a row a lost session is opened again.
const reconnects = 3

// session runs what may be done twice. A session that was lost, because the
// warehouse was restarted or the scan took hours, is opened again and the work
// repeated: nothing of an export lives in a session.
func (e *Export) session(ctx context.Context, work func(*databricks.Warehouse) error) error {
	for attempt := 0; ; attempt++ {
		err := e.attempt(ctx, work)
		if err == nil || attempt == reconnects || ctx.Err() != nil || !databricks.IsSessionLost(err) && !databricks.IsOutcomeUnknown(err) {
			return err
		}
		_ = e.disconnect() // there is little left to close
	}
}

func (e *Export) attempt(ctx context.Context, work func(*databricks.Warehouse) error) (err error) {
	if e.wh == nil {
		if e.wh, err = e.Connect(ctx); err != nil {
			e.wh = nil
			return err
		}
	}
	return work(e.wh)
}

// exec runs a statement that may be executed twice.
func (e *Export) exec(ctx context.Context, statement string) error {
	return e.session(ctx, func(wh *databricks.Warehouse) error { return wh.ExecRepeatable(ctx, statement) })
}

func (e *Export) disconnect() error {
	if e.wh == nil {
		return nil
	}
	err := e.wh.Close()
	e.wh = nil
	return err
}
