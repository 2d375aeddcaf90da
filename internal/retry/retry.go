// Package retry is the retry policy of the product: the number of attempts, the pauses
// between them, and the deadline. The caller passes a classifier, because only the
// caller knows which failures are transient, and whether the work is idempotent.
//
// Pauses grow exponentially and are random within their upper half, so that many clients
// of one server do not retry at the same moment. A pause is at least as long as the
// server's Retry-After. github.com/avast/retry-go implements the loop.
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

// Policy limits the attempts. With the zero value, Do makes attempts without pauses until
// the classifier ends them.
type Policy struct {
	// Attempts is the maximum number of attempts; 0 means no maximum.
	Attempts int
	// First is the maximum pause before the second attempt.
	First time.Duration
	// Longest is the maximum of all pauses, except that Retry-After may be longer.
	// A value below First means First.
	Longest time.Duration
	// Factor is the ratio of a pause to the previous one; a value below 2 means 2.
	Factor int
	// Within is the overall deadline, from the beginning of Do: no pause ends after
	// it. 0 means no deadline.
	Within time.Duration
	// FromFirstFailure makes Within count from the first failure, so that one long
	// attempt does not use it up.
	FromFirstFailure bool
	// Shared, which may be nil, is a pause that Do holds together with others: no attempt
	// begins in it. It may end after Within; the attempt after it is then the last one.
	Shared *Shared
	// Clock is for tests; nil means the system's clock.
	Clock *Clock
}

// Clock is the time and the randomness that Do uses. lytics' tests replace it; code
// that runs in a bubble of testing/synctest does not need to.
type Clock struct {
	Now   func() time.Time
	After func(time.Duration) <-chan time.Time
	// Random returns a number in [0, 1), like math/rand; 1 is accepted too.
	Random func() float64
}

var systemClock = Clock{Now: time.Now, After: time.After, Random: rand.Float64}

// SystemClock is the clock of a policy without a clock.
func SystemClock() *Clock { return &systemClock }

func (p *Policy) clock() *Clock {
	if p.Clock == nil {
		return &systemClock
	}
	return p.Clock
}

// Decision is the result of a classifier. The zero value ends the attempts.
type Decision struct {
	// Retry asks for another attempt; Do makes it if the policy allows it.
	Retry bool
	// After is the minimum pause before the next attempt, for example the server's
	// Retry-After.
	After time.Duration
	// Free asks for the next attempt at once, and does not count the failed one. It
	// is for a cause that was corrected, such as an expired token. The classifier
	// must limit how often it sets Free.
	Free bool
	// Restart makes the failed attempt count as the first one, because it made
	// progress.
	Restart bool
	// Everyone makes the pause one of Policy.Shared too.
	Everyone bool
}

// If retries on a condition.
func If(transient bool) Decision { return Decision{Retry: transient} }

// Do makes attempts until one succeeds, the classifier or the policy ends them, or the
// context ends. It makes at least one attempt. It returns the result and the error of
// the last attempt, even if the context ended during a pause. Both functions receive the
// number of the attempt, counting from 1 and including free attempts.
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
		if !p.Shared.wait(ctx, clock) && n > 0 {
			return last
		}
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
		if p.Within > 0 && now.Add(pause).After(begun.Add(p.Within)) {
			return false
		}
		if d.Everyone {
			p.Shared.extend(now.Add(pause))
		}
		return true
	}
	_ = retrygo.New(
		retrygo.Context(ctx),
		retrygo.UntilSucceeded(),
		retrygo.RetryIf(again),
		retrygo.DelayType(func(uint, error, retrygo.DelayContext) time.Duration { return pause }),
		retrygo.WithTimer(timer{clock}),
	).Do(once)
	if n == 0 { // the context has ended already; the attempt returns the error
		_ = once()
	}
	return result, last
}

type timer struct{ clock *Clock }

func (t timer) After(d time.Duration) <-chan time.Time { return t.clock.After(d) }

// Pause is the pause after a number of failed attempts, at least 1. It is for attempts
// that Do cannot make, because each of them may run in another process.
func (p Policy) Pause(failed int) time.Duration {
	longest := max(p.First, p.Longest)
	d := p.First
	for i := 1; i < failed && d < longest; i++ {
		d = min(d*time.Duration(max(p.Factor, 2)), longest)
	}
	return d/2 + time.Duration(p.clock().Random()*float64(d-d/2))
}

// After parses the value of a Retry-After header (RFC 9110): seconds, or a date. An
// empty or invalid value is 0.
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
