package runner

import "time"

// wrongClock is the clock of a machine that has it wrong.
type wrongClock struct{ by time.Duration }

func (c wrongClock) Now() time.Time { return time.Now().Add(c.by) }

func (c wrongClock) NowOrNil() *time.Time { return nil }

// WithWrongClock has a runner read a clock that is wrong.
func (c Config) WithWrongClock(by time.Duration) Config {
	c.clock = wrongClock{by}
	return c
}

// WithoutSweeper leaves out what makes good the runs that nothing woke.
func (c Config) WithoutSweeper() Config {
	c.withoutSweeper = true
	return c
}
