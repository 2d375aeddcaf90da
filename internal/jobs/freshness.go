package jobs

import (
	"fmt"
	"strings"
	"time"
)

// The bounds of JobSpec.ExpectedEvery. A runner looks for late jobs once a minute.
const (
	MinExpectedEvery = time.Minute
	MaxExpectedEvery = 366 * 24 * time.Hour
)

// ExpectedEvery is how often a run of the job is expected to succeed; 0 means that
// nothing is expected.
func (s JobSpec) ExpectedEvery() time.Duration {
	return time.Duration(s.ExpectedEverySeconds) * time.Second
}

func (s JobSpec) checkExpectedEvery() error {
	n := s.ExpectedEverySeconds
	if n == 0 || n >= int64(MinExpectedEvery/time.Second) && n <= int64(MaxExpectedEvery/time.Second) {
		return nil
	}
	return Invalid("expected_every", "expected_every is too short or too long", fmt.Sprintf("It is %d seconds.", n),
		"Give a duration from "+ShortDuration(MinExpectedEvery)+" to "+ShortDuration(MaxExpectedEvery))
}

// FreshSince is the time from which ExpectedEvery counts: the end of the newest
// successful run, or the creation of a job that never succeeded.
func (j Job) FreshSince() time.Time {
	if j.LastSuccessAt != nil {
		return *j.LastSuccessAt
	}
	return j.CreatedAt
}

// LateBy returns for how long a run has been expected to succeed and has not; 0 if the
// job is not late. A paused job is not late: somebody stopped it. Of a job that Lytics
// executes nothing is known.
func (j Job) LateBy(now time.Time) time.Duration {
	if j.ExpectedEverySeconds == 0 || j.Paused || j.ManagedBy.IsLytics() {
		return 0
	}
	return max(now.Sub(j.FreshSince())-j.ExpectedEvery(), 0)
}

// ShortDuration formats a duration as a configuration writes it: 24h, and not 24h0m0s.
func ShortDuration(d time.Duration) string {
	short := d.String()
	if strings.HasSuffix(short, "m0s") {
		short = strings.TrimSuffix(short, "0s")
	}
	if strings.HasSuffix(short, "h0m") {
		short = strings.TrimSuffix(short, "0m")
	}
	return short
}
