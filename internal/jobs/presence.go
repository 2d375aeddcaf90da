package jobs

import "context"

// Presence is implemented by an API that serves other processes. It tracks
// which of them are alive: an unconfirmed object belongs to the process that
// created it, and another process may adopt it only when that process is dead.
type Presence interface {
	// Beat records that a process is alive. The record is valid for the duration
	// of a lease.
	Beat(ctx context.Context, instance string) error
	// Retire records that a process ended normally, so that state files hold the
	// objects it created: all but unanswered, which are named as in Creates.
	Retire(ctx context.Context, instance string, unanswered []string) error
}

type creatorKey struct{}

// WithCreator sets the process that a call is made for, if it is not this
// process.
func WithCreator(ctx context.Context, instance string) context.Context {
	return context.WithValue(ctx, creatorKey{}, instance)
}

// Creator returns the process that a call is made for; fallback if WithCreator
// set none.
func Creator(ctx context.Context, fallback string) string {
	if instance, ok := ctx.Value(creatorKey{}).(string); ok {
		return instance
	}
	return fallback
}
