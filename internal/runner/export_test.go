package runner

import (
	"log/slog"
	"time"
)

// wrongClock is a clock with a constant error.
type wrongClock struct{ by time.Duration }

func (c wrongClock) Now() time.Time { return time.Now().Add(c.by) }

func (c wrongClock) NowOrNil() *time.Time { return nil }

// WithWrongClock gives the runner a clock that is wrong by a duration.
func (c Config) WithWrongClock(by time.Duration) Config {
	c.clock = wrongClock{by}
	return c
}

// WithoutSweeper turns the sweeper off.
func (c Config) WithoutSweeper() Config {
	c.withoutSweeper = true
	return c
}

// QueueLog is the log that River gets, after it delivered runs by the entries of its
// queue.
func QueueLog(log *slog.Logger, delivered map[int64]string) *slog.Logger {
	d := &deliveries{}
	for entry, run := range delivered {
		d.add(entry, run)
	}
	return slog.New(quietHandler{log.Handler(), d})
}
