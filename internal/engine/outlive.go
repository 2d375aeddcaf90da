package engine

import (
	"context"
	"time"
)

// outlive returns a context with the values of ctx that ends a while after ctx, so that
// what was done is recorded even if the caller has gone. While the caller waits, only the
// caller's deadline counts: on a slow disk, a write waits long for those before it.
func outlive(ctx context.Context, after time.Duration) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		last := time.AfterFunc(after, func() { cancel(context.Cause(ctx)) })
		context.AfterFunc(longer, func() { last.Stop() })
	})
	return longer, func() {
		stop()
		cancel(nil)
	}
}
