// Package retry is the one policy by which a failed attempt is made again: how
// many attempts, with which pauses, and until when. What is transient is the
// caller's to say, by a classifier: it alone knows which failures may be gone at
// the next attempt, and whether doing the work twice has the effect of once.
//
// Pauses grow exponentially and are random within their upper half, so that many
// clients of one server do not come back at the same moment. A Retry-After that
// the server sent is the least pause. The loop itself is that of
// github.com/avast/retry-go.
package retry

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	retrygo "github.com/avast/retry-go/v5"
)

// Policy bounds the attempts at one piece of work. The zero value makes attempts
// without a pause until the classifier ends them.
type Policy struct {
	// Attempts is how many are made at most; 0 means that Within, the context
	// or the classifier ends them.
	Attempts int
	// First is the longest pause before the second attempt.
	First time.Duration
	// Longest bounds the pauses, Retry-After aside; less than First means First.
	Longest time.Duration
	// Factor is the ratio of one pause to the pause before it; less than 2 means 2.
	Factor int
	// Within is the overall deadline: no pause goes beyond it. It counts from the
	// beginning of Do; 0 means none.
	Within time.Duration
	// FromFirstFailure makes Within count from the first failure, so that one
	// attempt that took long does not use it up.
	FromFirstFailure bool
	// Clock is for tests; nil means the system's.
	Clock *Clock
}

// Clock is the time and the randomness that Do uses. lytics' tests replace it; code
// that runs in a bubble of testing/synctest does not need to.
type Clock struct {
	Now   func() time.Time
	After func(time.Duration) <-chan time.Time
	// Random gives a number in [0, 1), as math/rand does; 1 is accepted too.
	Random func() float64
}

var systemClock = Clock{Now: time.Now, After: time.After, Random: rand.Float64}

// SystemClock is the clock of a policy that names none.
func SystemClock() *Clock { return &systemClock }

func (p *Policy) clock() *Clock {
	if p.Clock == nil {
		return &systemClock
	}
	return p.Clock
}

// Decision says what follows a failed attempt. The zero value ends the attempts.
type Decision struct {
	// Retry asks for another attempt, which is made if the policy allows it.
	Retry bool
	// After is the least pause before it, such as what Retry-After said.
	After time.Duration
	// Free asks for the attempt at once, and does not count the one that failed:
	// something was found wrong and put right, such as an expired token. The
	// classifier has to bound how often it says so.
	Free bool
	// Restart says that the failed attempt got further than those before it: it
	// counts as the first.
	Restart bool
}

// If retries on a condition.
func If(transient bool) Decision { return Decision{Retry: transient} }

// Do makes attempts until one succeeds, the classifier or the policy ends them,
// or the context ends. It makes at least one attempt. The result and the error
// are those of the last attempt, also when the context ended during a pause.
// Both functions are told the number of the attempt, from 1, free ones included.
func Do[T any](ctx context.Context, p Policy, attempt func(n int) (T, error), classify func(n int, err error) Decision) (T, error) {
	clock := p.clock()
	var (
		result T
		last   error
		begun  time.Time
		pause  time.Duration
		n      int
		failed int
	)
	if !p.FromFirstFailure {
		begun = clock.Now()
	}
	once := func() error {
		n++
		result, last = attempt(n)
		return last
	}
	again := func(err error) bool {
		d := classify(n, err)
		if !d.Retry || ctx.Err() != nil {
			return false
		}
		now := clock.Now()
		if begun.IsZero() {
			begun = now
		}
		if pause = 0; d.Free {
			return true
		}
		if d.Restart {
			failed = 0
		}
		if failed++; p.Attempts > 0 && failed >= p.Attempts {
			return false
		}
		pause = p.Pause(failed)
		if d.After > 0 {
			pause = max(pause, d.After+time.Duration(clock.Random()*float64(p.First)))
		}
		return p.Within == 0 || !now.Add(pause).After(begun.Add(p.Within))
	}
	_ = retrygo.New(
		retrygo.Context(ctx),
		retrygo.UntilSucceeded(),
		retrygo.RetryIf(again),
		retrygo.DelayType(func(uint, error, retrygo.DelayContext) time.Duration { return pause }),
		retrygo.WithTimer(timer{clock}),
	).Do(once)
	if n == 0 { // the context ended before: the attempt says so in its own words
		_ = once()
	}
	return result, last
}

type timer struct{ clock *Clock }

func (t timer) After(d time.Duration) <-chan time.Time { return t.clock.After(d) }

// Pause is the pause after the given number of failed attempts, at least 1. It
// is for attempts that Do does not make itself, because each is a process's.
func (p Policy) Pause(failed int) time.Duration {
	longest := max(p.First, p.Longest)
	d := p.First
	for i := 1; i < failed && d < longest; i++ {
		d = min(d*time.Duration(max(p.Factor, 2)), longest)
	}
	return d/2 + time.Duration(p.clock().Random()*float64(d-d/2))
}

// After reads the value of a Retry-After header (RFC 9110): seconds, or a date.
// It is 0 where there is none.
func After(value string, now time.Time) time.Duration {
	value = strings.TrimSpace(value)
	const most = 1 << 31 // seconds; more would overflow a duration
	if seconds, err := strconv.ParseInt(value, 10, 64); err == nil {
		return time.Duration(min(max(seconds, 0), most)) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}
