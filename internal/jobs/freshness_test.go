package jobs_test

import (
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

func TestJobIsLateAfterExpectedEveryWithoutASuccess(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) *time.Time {
		at := now.Add(-d)
		return &at
	}
	for name, c := range map[string]struct {
		job  jobs.Job
		want time.Duration
	}{
		"nothing is expected":         {jobs.Job{LastSuccessAt: ago(1000 * time.Hour)}, 0},
		"a success within the time":   {jobs.Job{LastSuccessAt: ago(time.Hour)}, 0},
		"exactly the time":            {jobs.Job{LastSuccessAt: ago(24 * time.Hour)}, 0},
		"a success before":            {jobs.Job{LastSuccessAt: ago(25 * time.Hour)}, time.Hour},
		"never a success, new":        {jobs.Job{CreatedAt: *ago(23 * time.Hour)}, 0},
		"never a success, old":        {jobs.Job{CreatedAt: *ago(26 * time.Hour)}, 2 * time.Hour},
		"paused":                      {jobs.Job{LastSuccessAt: ago(48 * time.Hour), Paused: true}, 0},
		"executed by Lytics":          {jobs.Job{CreatedAt: *ago(48 * time.Hour), JobSpec: jobs.JobSpec{ManagedBy: jobs.ManagedByLytics}}, 0},
		"a success after this moment": {jobs.Job{LastSuccessAt: ago(-time.Hour)}, 0},
	} {
		if name != "nothing is expected" {
			c.job.ExpectedEverySeconds = 24 * 60 * 60
		}
		if got := c.job.LateBy(now); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}

func TestExpectedEveryIsBounded(t *testing.T) {
	t.Parallel()
	for seconds, ok := range map[int64]bool{0: true, 60: true, 86400: true, 366 * 86400: true, 59: false, -1: false, 366*86400 + 1: false, 1 << 62: false} {
		err := jobs.JobSpec{Import: &jobs.TableImport{}, ExpectedEverySeconds: seconds}.Check()
		if (err == nil) != ok || !ok && !jobs.IsCode(err, jobs.CodeInvalid) {
			t.Errorf("%d seconds: got %v, want accepted %t", seconds, err, ok)
		}
	}
}

func TestDurationsAreShownAsConfigurationsWriteThem(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{24 * time.Hour: "24h", 90 * time.Minute: "1h30m", time.Minute: "1m", 90 * time.Second: "1m30s", 0: "0s", 10 * time.Hour: "10h"} {
		if got := jobs.ShortDuration(d); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
