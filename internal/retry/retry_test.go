package retry_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/retry"
)

var errTransient = errors.New("transient")

func transient(_ int, err error) retry.Decision { return retry.If(errors.Is(err, errTransient)) }

// failing returns an attempt that fails the given number of times. It records when each
// attempt began.
func failing(times int, begun time.Time, at *[]time.Duration) func(int) (string, error) {
	return func(n int) (string, error) {
		*at = append(*at, time.Since(begun))
		if n <= times {
			return "failed", errTransient
		}
		return "done", nil
	}
}

func TestTransientFailureIsRetried(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		policy := retry.Policy{Attempts: 4, First: time.Second, Longest: time.Minute}
		got, err := retry.Do(t.Context(), policy, failing(3, time.Now(), &at), transient)
		if got != "done" || err != nil {
			t.Fatalf("got %q, %v, want done", got, err)
		}
		if len(at) != 4 {
			t.Fatalf("got attempts at %v, want 4", at)
		}
		for i, longest := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second} {
			if pause := at[i+1] - at[i]; pause < longest/2 || pause > longest {
				t.Errorf("got pause %d of %s, want one from %s to %s", i+1, pause, longest/2, longest)
			}
		}
	})
}

func TestOtherFailureIsNotRetried(t *testing.T) {
	t.Parallel()
	other, n := errors.New("other"), 0
	_, err := retry.Do(t.Context(), retry.Policy{Attempts: 4}, func(int) (int, error) { n++; return 0, other }, transient)
	if n != 1 || !errors.Is(err, other) {
		t.Errorf("got %d attempts and %v, want one and its error", n, err)
	}
}

func TestAttemptsAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		got, err := retry.Do(t.Context(), retry.Policy{Attempts: 3, First: time.Second}, failing(9, time.Now(), &at), transient)
		if len(at) != 3 || got != "failed" || !errors.Is(err, errTransient) {
			t.Errorf("got attempts at %v, %q, %v, want 3 and the result of the last one", at, got, err)
		}
	})
}

func TestPausesDiffer(t *testing.T) {
	t.Parallel()
	p := retry.Policy{First: time.Hour}
	seen := map[time.Duration]bool{}
	for range 20 {
		seen[p.Pause(1)] = true
	}
	if len(seen) < 10 {
		t.Errorf("got %d different pauses of 20, want them to be random", len(seen))
	}
}

func TestPauseGrowsToTheLongest(t *testing.T) {
	t.Parallel()
	whole := &retry.Clock{Random: func() float64 { return 1 }}
	half := &retry.Clock{Random: func() float64 { return 0 }}
	p := retry.Policy{First: 15 * time.Second, Longest: 10 * time.Minute, Factor: 4}
	var got, least []time.Duration
	for failed := 1; failed <= 5; failed++ {
		p.Clock = whole
		got = append(got, p.Pause(failed))
		p.Clock = half
		least = append(least, p.Pause(failed))
	}
	if d := cmp.Diff([]time.Duration{15 * time.Second, time.Minute, 4 * time.Minute, 10 * time.Minute, 10 * time.Minute}, got); d != "" {
		t.Errorf("longest pauses (-want +got):\n%s", d)
	}
	halves := []time.Duration{7500 * time.Millisecond, 30 * time.Second, 2 * time.Minute, 5 * time.Minute, 5 * time.Minute}
	if d := cmp.Diff(halves, least); d != "" {
		t.Errorf("shortest pauses (-want +got):\n%s", d)
	}
	p.Clock = whole
	if got := p.Pause(1 << 40); got != 10*time.Minute {
		t.Errorf("after very many failures: got %s, want 10m", got)
	}
}

// checklist 23
func TestRetryAfterIsTheLeastPause(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		_, err := retry.Do(t.Context(), retry.Policy{First: time.Second}, failing(1, time.Now(), &at),
			func(int, error) retry.Decision { return retry.Decision{Retry: true, After: 77 * time.Second} })
		if err != nil || len(at) != 2 || at[1] < 77*time.Second || at[1] > 78*time.Second {
			t.Errorf("got attempts at %v, %v, want the second after 77 to 78 seconds", at, err)
		}
	})
}

func TestDeadline(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		policy retry.Policy
		after  time.Duration
		// least and most are when the last attempt begins.
		least, most time.Duration
	}{
		"from the beginning":           {policy: retry.Policy{Within: time.Minute}, least: 45 * time.Second, most: time.Minute},
		"from the first failure":       {policy: retry.Policy{Within: time.Minute, FromFirstFailure: true}, least: 55 * time.Second, most: 70 * time.Second},
		"of a Retry-After beyond it":   {policy: retry.Policy{Within: time.Minute}, after: time.Hour},
		"of a first attempt beyond it": {policy: retry.Policy{Within: time.Second}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var at []time.Duration
				begun := time.Now()
				c.policy.First = 2 * time.Second
				_, err := retry.Do(t.Context(), c.policy, func(n int) (int, error) {
					at = append(at, time.Since(begun))
					if n == 1 {
						time.Sleep(10 * time.Second)
					}
					return 0, errTransient
				}, func(int, error) retry.Decision { return retry.Decision{Retry: true, After: c.after} })
				if !errors.Is(err, errTransient) {
					t.Errorf("got %v, want the last failure", err)
				}
				if last := at[len(at)-1]; last < c.least || last > c.most {
					t.Errorf("got the last attempt at %s, want it from %s to %s", last, c.least, c.most)
				}
			})
		})
	}
}

func TestCancelEndsAPauseAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		var at []time.Duration
		begun := time.Now()
		_, err := retry.Do(ctx, retry.Policy{First: time.Hour}, failing(9, begun, &at), transient)
		if took := time.Since(begun); took != time.Second || len(at) != 1 || !errors.Is(err, errTransient) {
			t.Errorf("got an end after %s, %d attempts and %v, want one second, one attempt and its failure", took, len(at), err)
		}
	})
}

func TestEndedContextGetsOneAttempt(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	n := 0
	_, err := retry.Do(ctx, retry.Policy{}, func(int) (int, error) { n++; return 0, ctx.Err() },
		func(int, error) retry.Decision { return retry.If(true) })
	if n != 1 || !errors.Is(err, context.Canceled) {
		t.Errorf("got %d attempts and %v, want one and its error", n, err)
	}
}

func TestFreeAttemptIsNotCounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		_, err := retry.Do(t.Context(), retry.Policy{Attempts: 2, First: time.Second}, failing(2, time.Now(), &at),
			func(n int, _ error) retry.Decision { return retry.Decision{Retry: true, Free: n == 1} })
		if err != nil || len(at) != 3 || at[1] != 0 || at[2] == 0 {
			t.Errorf("got attempts at %v, %v, want a second at once and a third after a pause", at, err)
		}
	})
}

func TestRestartCountsAnew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		_, err := retry.Do(t.Context(), retry.Policy{Attempts: 2, First: time.Second, Longest: time.Hour}, failing(9, time.Now(), &at),
			func(n int, _ error) retry.Decision { return retry.Decision{Retry: true, Restart: n <= 3} })
		if len(at) != 4 || err == nil {
			t.Fatalf("got attempts at %v, %v, want 4", at, err)
		}
		if pause := at[3] - at[2]; pause > time.Second {
			t.Errorf("got a third pause of %s, want at most the first pause's second", pause)
		}
	})
}

func TestAfterReadsTheHeader(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 29, 3, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"":               0,
		"77":             77 * time.Second,
		"5\t":            5 * time.Second,
		"-1":             0,
		"soon":           0,
		"1e9":            0,
		"99999999999999": (1 << 31) * time.Second,
		now.Add(90 * time.Second).Format(http.TimeFormat): 90 * time.Second,
		now.Add(-time.Hour).Format(http.TimeFormat):       0,
	} {
		if got := retry.After(value, now); got != want {
			t.Errorf("%q: got %s, want %s", value, got, want)
		}
	}
}

// checklist 23
func TestASharedPauseHoldsForAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		shared, begun := &retry.Shared{}, time.Now()
		policy := retry.Policy{First: time.Second, Longest: time.Second, Shared: shared}
		classify := func(int, error) retry.Decision {
			return retry.Decision{Retry: true, After: time.Minute, Everyone: true}
		}
		var asked, other []time.Duration
		done := make(chan error)
		go func() {
			_, err := retry.Do(t.Context(), policy, failing(1, begun, &asked), classify)
			done <- err
		}()
		synctest.Wait()
		go func() {
			_, err := retry.Do(t.Context(), policy, failing(1, begun, &other), func(int, error) retry.Decision {
				return retry.Decision{Retry: true, After: time.Hour} // of this one alone
			})
			done <- err
		}()
		if err := errors.Join(<-done, <-done); err != nil {
			t.Fatal(err)
		}
		if len(asked) != 2 || asked[1] < time.Minute || asked[1] > 61*time.Second {
			t.Errorf("got attempts at %v, want the second one after a minute", asked)
		}
		if len(other) != 2 || other[0] < time.Minute || other[0] > 61*time.Second || other[1] < time.Hour {
			t.Errorf("the other one: got attempts at %v, want them after a minute and an hour", other)
		}
	})
}

func TestASharedPauseEndsWithTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		shared, n := &retry.Shared{}, 0
		policy := retry.Policy{Shared: shared}
		_, err := retry.Do(ctx, policy, func(int) (int, error) { n++; return 0, errTransient }, func(int, error) retry.Decision {
			return retry.Decision{Retry: true, After: time.Hour, Everyone: true}
		})
		if n != 1 || !errors.Is(err, errTransient) {
			t.Errorf("got %d attempts and %v, want one and its error", n, err)
		}
		// The pause goes on; who comes new learns from the attempt that the context has ended.
		_, err = retry.Do(ctx, policy, func(int) (int, error) { n++; return 0, ctx.Err() }, func(int, error) retry.Decision { return retry.Decision{} })
		if n != 2 || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %d attempts and %v, want a second one and the context's error", n, err)
		}
	})
}
