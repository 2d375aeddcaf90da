package lytics

import (
	"slices"
	"sync"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/retry"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// testTime is a time that a clock of a test moves.
type testTime struct {
	mu sync.Mutex
	at time.Time
}

// drive gives a platform a clock of this time. after, which is called with mu held, makes
// the channel of a pause.
func (c *testTime) drive(p *Platform, after func(time.Duration) chan time.Time) {
	c.at = time.Date(2024, 6, 1, 0, 0, 0, 0, time.UTC)
	p.clock = &retry.Clock{
		Now: func() time.Time {
			c.mu.Lock()
			defer c.mu.Unlock()
			return c.at
		},
		After: func(d time.Duration) <-chan time.Time {
			c.mu.Lock()
			defer c.mu.Unlock()
			return after(d)
		},
		Random: func() float64 { return 1 }, // the longest pauses
	}
}

// FakeClock is time that passes only by waiting.
type FakeClock struct {
	testTime
	waits []time.Duration
}

// UseFakeClock gives a platform such a clock.
func UseFakeClock(p *Platform) *FakeClock {
	c := &FakeClock{}
	c.drive(p, func(d time.Duration) chan time.Time {
		c.at = c.at.Add(d)
		c.waits = append(c.waits, d)
		passed := make(chan time.Time, 1)
		passed <- c.at
		return passed
	})
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

// UseDB gives a platform a store.
func UseDB(p *Platform, db *store.DB) { p.db = db }

// HeldClock is time that the test moves.
type HeldClock struct {
	// Waiting receives the pauses that begin.
	Waiting chan time.Duration

	testTime
	waits []heldWait
}

type heldWait struct {
	until time.Time
	ended chan time.Time
}

// UseHeldClock gives a platform such a clock.
func UseHeldClock(p *Platform) *HeldClock {
	c := &HeldClock{Waiting: make(chan time.Duration, 100)}
	c.drive(p, func(d time.Duration) chan time.Time {
		w := heldWait{c.at.Add(d), make(chan time.Time, 1)}
		c.waits = append(c.waits, w)
		c.Waiting <- d
		return w.ended
	})
	return c
}

// Advance ends the pauses that are over after d.
func (c *HeldClock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
	c.waits = slices.DeleteFunc(c.waits, func(w heldWait) bool {
		over := !w.until.After(c.at)
		if over {
			w.ended <- c.at
		}
		return over
	})
}

// UsualUpload is the size after which an upload ends where the time of the events
// changes, and MaxUploads how many are on their way at once.
const (
	UsualUpload = usualUpload
	MaxUploads  = maxUploads
)
