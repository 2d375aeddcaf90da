package page

import (
	"context"
	"sync"
	"time"
)

// cached keeps what was read for the open pages. Its zero value has read nothing.
type cached[T any] struct {
	mu    sync.Mutex
	value T
	at    time.Time
}

// get returns the value, and reads it again if it is older than age. A reading ends after
// limit, because the other pages wait for it, and does not end with the request that began
// it, because they share its result.
func (c *cached[T]) get(ctx context.Context, now func() time.Time, age, limit time.Duration, read func(context.Context) T) T {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.at.IsZero() && now().Sub(c.at) < age {
		return c.value
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	c.value = read(ctx)
	c.at = now()
	return c.value
}
