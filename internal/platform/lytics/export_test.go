package lytics

import (
	"context"
	"sync"
	"time"
)

// FakeClock is time that passes only by waiting.
type FakeClock struct {
	mu    sync.Mutex
	at    time.Time
	waits []time.Duration
}

// UseFakeClock gives a platform such a clock.
func UseFakeClock(p *Platform) *FakeClock {
	c := &FakeClock{at: time.Date(2024, 6, 1, 0, 0, 0, 0, time.UTC)}
	p.clock = clock{
		now: func() time.Time {
			c.mu.Lock()
			defer c.mu.Unlock()
			return c.at
		},
		wait: func(ctx context.Context, d time.Duration) error {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.at = c.at.Add(d)
			c.waits = append(c.waits, d)
			return context.Cause(ctx)
		},
		spread: func(d time.Duration) time.Duration { return d },
	}
	return c
}

// Waits lists the pauses that were made.
func (c *FakeClock) Waits() []time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]time.Duration(nil), c.waits...)
}

// Total is how long was waited.
func (c *FakeClock) Total() (d time.Duration) {
	for _, w := range c.Waits() {
		d += w
	}
	return d
}

// MaxUpload is the most bytes of an upload.
const MaxUpload = maxUpload
