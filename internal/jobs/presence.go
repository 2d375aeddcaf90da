package jobs

import "context"

// Presence is implemented by an API that other processes reach through this
// one: what each of them creates is its own until it is gone, as if it had
// opened the store itself.
type Presence interface {
	// Beat notes that a process is alive; it is believed so for a lease.
	Beat(ctx context.Context, instance string) error
	// Retire notes that it ended in good order.
	Retire(ctx context.Context, instance string) error
}

type creatorKey struct{}

// WithCreator says which process a call is made for, where that is not this
// one.
func WithCreator(ctx context.Context, instance string) context.Context {
	return context.WithValue(ctx, creatorKey{}, instance)
}

// Creator gives the process a call is made for, or otherwise.
func Creator(ctx context.Context, otherwise string) string {
	if instance, ok := ctx.Value(creatorKey{}).(string); ok {
		return instance
	}
	return otherwise
}
