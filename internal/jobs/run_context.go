package jobs

import "context"

// RunRef names a run in a context.
type RunRef struct {
	RunID string
	// JobID is empty while only the run's id is known.
	JobID string
}

type runKey struct{}

// WithRun sets the run that a context's work belongs to, so that log lines name it.
func WithRun(ctx context.Context, r RunRef) context.Context {
	return context.WithValue(ctx, runKey{}, r)
}

// RunOf returns the run that a context's work belongs to; ok is false if there is none.
func RunOf(ctx context.Context) (_ RunRef, ok bool) {
	r, ok := ctx.Value(runKey{}).(RunRef)
	return r, ok
}
