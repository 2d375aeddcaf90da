package lyticsjobs_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/lyticsjobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/lytics"
)

// account plays a job whose status changes as time passes.
type account struct {
	lyticsjobs.Account
	begun time.Time
	// status gives the status at a time since the beginning; "" is a job that is gone.
	status func(after time.Duration) string
	log    []jobs.LogLine
	// steered are the actions, in order.
	steered []string
}

func (a *account) AccountJob(_ context.Context, id string) (lytics.AccountJob, error) {
	s := a.status(time.Since(a.begun))
	if s == "" {
		return lytics.AccountJob{}, &jobs.Error{Code: jobs.CodeNotFound, Summary: "There is no job"}
	}
	return lytics.AccountJob{ID: id, Status: s}, nil
}

func (a *account) AccountJobLog(context.Context, string) ([]jobs.LogLine, error) {
	var past []jobs.LogLine
	for _, l := range a.log {
		if !l.At.After(time.Now()) {
			past = append(past, l)
		}
	}
	return past, nil
}

type report struct{ phases, lines []string }

func (r *report) Doing(status, message string) { r.phases = append(r.phases, status+": "+message) }
func (r *report) Logged(l jobs.LogLine)        { r.lines = append(r.lines, l.Level+" "+l.Message) }

// at gives the last of the statuses that have begun.
func at(steps map[time.Duration]string) func(time.Duration) string {
	return func(after time.Duration) string {
		var last time.Duration
		for d := range steps {
			if d <= after && d >= last {
				last = d
			}
		}
		return steps[last]
	}
}

func TestFollowByStatus(t *testing.T) {
	t.Parallel()
	const s, m = time.Second, time.Minute
	for name, c := range map[string]struct {
		steps map[time.Duration]string
		// want is part of the error; empty for success. ends is when it ends, at most.
		want string
		ends time.Duration
	}{
		"completed":                           {map[time.Duration]string{0: "running", 20 * s: "completed"}, "", 30 * s},
		"sleeps until the next time":          {map[time.Duration]string{0: "initializing", 5 * s: "running", 10 * m: "sleeping"}, "", 11 * m},
		"a status of the work before":         {map[time.Duration]string{0: "completed", 8 * s: "running", 5 * m: "completed"}, "", 6 * m},
		"done before the first look":          {map[time.Duration]string{0: "completed"}, "", 40 * s},
		"a word that nobody knows":            {map[time.Duration]string{0: "warming-up", 20 * s: "runnable", 40 * s: "sleeping"}, "", m},
		"recovers from an error":              {map[time.Duration]string{0: "running", 10 * s: "fault-1", 5 * m: "running", 6 * m: "completed"}, "", 7 * m},
		"fails again and again":               {map[time.Duration]string{0: "running", 10 * s: "fault-1", 5 * m: "fault-2"}, "again and again", 12 * m},
		"fault without a number":              {map[time.Duration]string{0: "fault"}, "again and again", 12 * m},
		"failed":                              {map[time.Duration]string{0: "running", 20 * s: "failed"}, "failed in Lytics", 30 * s},
		"failed before, and works now":        {map[time.Duration]string{0: "failed", 8 * s: "running", m: "completed"}, "", 2 * m},
		"paused by somebody":                  {map[time.Duration]string{0: "running", 20 * s: "pausing"}, "was paused in Lytics", 30 * s},
		"killed by somebody":                  {map[time.Duration]string{0: "running", 20 * s: ""}, "was deleted in Lytics", 30 * s},
		"paused before, and resumed just now": {map[time.Duration]string{0: "paused", 8 * s: "running", m: "sleeping"}, "", 2 * m},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				a := &account{begun: time.Now(), status: at(c.steps)}
				err := lyticsjobs.Follow(t.Context(), a, "j", time.Now(), &report{})
				if took := time.Since(a.begun); took > c.ends {
					t.Errorf("it took %s, want at most %s", took, c.ends)
				}
				if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
					t.Errorf("got %v, want an error with %q", err, c.want)
				}
			})
		})
	}
}

// Each entry of the log since the start is passed on once, and the newest error is in
// the failure.
func TestFollowPassesTheLogOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		a := &account{begun: now, status: at(map[time.Duration]string{0: "running", 3 * time.Minute: "failed"}), log: []jobs.LogLine{
			{At: now.Add(-time.Hour), Level: "error", Message: "of yesterday"},
			{At: now.Add(time.Minute), Level: "info", Message: "100 rows"},
			{At: now.Add(2 * time.Minute), Level: "error", Message: "no such table"},
		}}
		var r report
		err := lyticsjobs.Follow(t.Context(), a, "j", now, &r)
		if err == nil || !strings.Contains(err.Error(), "no such table") {
			t.Errorf("got %v, want the newest error", err)
		}
		if diff := cmp.Diff([]string{"info 100 rows", "error no such table"}, r.lines); diff != "" {
			t.Errorf("the lines (-want +got):\n%s", diff)
		}
		if !slices.Contains(r.phases, "running: 100 rows") {
			t.Errorf("got phases %v, want the status with the newest line", r.phases)
		}
	})
}

func TestFollowEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		stopped := errors.New("stopped")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, stopped)
		defer cancel()
		a := &account{begun: time.Now(), status: at(map[time.Duration]string{0: "running"})}
		if err := lyticsjobs.Follow(ctx, a, "j", time.Now(), &report{}); !errors.Is(err, stopped) {
			t.Errorf("got %v, want the cause of the context", err)
		}
	})
}

func (a *account) SteerAccountJob(_ context.Context, _, action string) error {
	a.steered = append(a.steered, action)
	return nil
}

func TestStart(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status  string
		started bool
		want    []string
	}{
		{"initializing", false, []string{"resume"}},
		{"paused", true, []string{"resume"}},
		{"pausing", true, []string{"resume"}},
		{"sleeping", true, []string{"bounce"}},
		{"completed", true, []string{"bounce"}},
		{"failed", true, []string{"bounce"}},
		{"fault-3", true, []string{"bounce"}},
		{"running", true, nil},
		{"a new word", true, nil},
	} {
		a := &account{}
		if err := lyticsjobs.Start(t.Context(), a, lytics.AccountJob{ID: "j", Status: c.status}, c.started); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(c.want, a.steered); diff != "" {
			t.Errorf("a job that is %s (-want +got):\n%s", c.status, diff)
		}
	}
}
