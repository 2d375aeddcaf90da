package retry

import (
	"context"
	"sync"
	"time"
)

// Shared is a pause that several runs of Do hold together: a server that asks one of
// them to wait means all. The zero value is no pause.
type Shared struct {
	mu    sync.Mutex
	until time.Time
}

// extend makes the pause last until a time, unless it is longer already.
func (s *Shared) extend(until time.Time) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if until.After(s.until) {
		s.until = until
	}
}

// remaining is how much of the pause is left.
func (s *Shared) remaining(now time.Time) time.Duration {
	if s == nil {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.until.Sub(now)
}

// wait waits until the pause has ended, also if it is extended meanwhile. It reports
// false if the context ends first.
func (s *Shared) wait(ctx context.Context, clock *Clock) bool {
	for {
		d := s.remaining(clock.Now())
		if d <= 0 {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-clock.After(d):
		}
	}
}
