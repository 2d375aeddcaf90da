package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/cli"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/config"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// fake implements the methods of jobs.API that the listing commands call.
type fake struct {
	jobs.API
	all    []jobs.Job
	runs   func() []jobs.Run
	err    error
	closed bool
}

func (f *fake) Jobs(context.Context) ([]jobs.Job, error) { return f.all, f.err }

func (f *fake) ListRuns(_ context.Context, filter jobs.RunFilter) ([]jobs.Run, error) {
	if f.err != nil {
		return nil, f.err
	}
	var out []jobs.Run
	for _, r := range f.runs() {
		if filter.JobID == "" || r.JobID == filter.JobID {
			out = append(out, r)
		}
	}
	return out[:min(len(out), filter.Limit)], nil
}

func (f *fake) Close() error { f.closed = true; return nil }

func run(t *testing.T, f *fake, args ...string) (code int, out, errOut string) {
	t.Helper()
	return runAPI(t, f, args...)
}

func runAPI(t *testing.T, api jobs.API, args ...string) (code int, out, errOut string) {
	t.Helper()
	var o, e bytes.Buffer
	code = cli.Run(t.Context(), args, cli.Program{
		Version: "1.2.3", LookupEnv: func(string) (string, bool) { return "", false },
		Open: func(context.Context, config.Target) (jobs.API, error) { return api, nil },
	}, &o, &e)
	return code, o.String(), e.String()
}

var started = time.Date(2026, 3, 8, 7, 30, 0, 0, time.UTC)

func oneRun(status jobs.Status) jobs.Run {
	ended := started.Add(1500 * time.Millisecond)
	r := jobs.Run{ID: "run_1", JobID: "job_1", Status: status, StartedAt: &started,
		Counts: jobs.Counts{RowsRead: 100_000, RowsWritten: 99_999}}
	if !status.Active() {
		r.FinishedAt = &ended
	}
	return r
}

func TestJobsPrintsATableOrJSON(t *testing.T) {
	t.Parallel()
	last := oneRun(jobs.StatusSucceeded)
	f := &fake{all: []jobs.Job{
		{ID: "job_1", JobSpec: jobs.JobSpec{Label: "customers", Import: &jobs.TableImport{}}, NextRunAt: &started, LastRun: &last},
		{ID: "job_2", JobSpec: jobs.JobSpec{Label: "vip", Export: &jobs.AudienceExport{}}, Paused: true},
	}}
	code, out, errOut := run(t, f, "jobs")
	if code != 0 || errOut != "" || !f.closed {
		t.Fatalf("got code %d, %q, closed %v; want 0, no error output, closed", code, errOut, f.closed)
	}
	for _, want := range []string{"job_1", "customers", "table_import", "2026-03-08 07:30:00Z", "succeeded", "vip",
		"audience_export", "paused", "never"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	_, out, _ = run(t, f, "jobs", "-json")
	first, _, _ := strings.Cut(out, "\n")
	var got map[string]any
	if err := json.Unmarshal([]byte(first), &got); err != nil || got["id"] != "job_1" || got["label"] != "customers" {
		t.Fatalf("%v: %s", err, out)
	}
}

// The table says what a job is expected to do, and that it is late, also if its last run
// succeeded.
func TestJobsSaysWhichAreLate(t *testing.T) {
	t.Parallel()
	last, recently := oneRun(jobs.StatusSucceeded), time.Now().Add(-time.Hour)
	last.CreatedAt = started
	job := func(id string, seconds int64, success *time.Time) jobs.Job {
		return jobs.Job{ID: id, JobSpec: jobs.JobSpec{Label: id + "s", Import: &jobs.TableImport{}, ExpectedEverySeconds: seconds}, LastRun: &last,
			LastSuccessAt: success, CreatedAt: started}
	}
	never := job("never", 3600, nil)
	never.LastRun = nil
	f := &fake{all: []jobs.Job{job("late", 3600*36, &started), job("fresh", 3600*36, &recently), job("other", 0, &started), never}}
	code, out, errOut := run(t, f, "jobs")
	if code != 0 || errOut != "" {
		t.Fatalf("got code %d, %q; want 0 and no error output", code, errOut)
	}
	want := map[string]string{"late": "every 36h  2026-03-08 07:30:00Z  succeeded, late", "fresh": "every 36h  2026-03-08 07:30:00Z  succeeded",
		"other": "-          2026-03-08 07:30:00Z  succeeded", "never": "every 1h   never                 late"}
	for line := range strings.Lines(out) {
		id, _, _ := strings.Cut(line, " ")
		if text := strings.TrimRight(line, " \n"); want[id] != "" && !strings.HasSuffix(text, want[id]) {
			t.Errorf("job %s: got %q, want it to end with %q", id, text, want[id])
		}
		delete(want, id)
	}
	if len(want) > 0 {
		t.Errorf("no lines of %v in:\n%s", want, out)
	}
	if _, out, _ := run(t, f, "jobs", "--json"); !strings.Contains(out, `"expected_every_seconds":129600`) || !strings.Contains(out, `"last_success_at":"2026-03-08T07:30:00Z"`) {
		t.Errorf("the JSON has not what is expected and when the last success was: %s", out)
	}
}

func TestRunsPrintsCountsDurationAndErrors(t *testing.T) {
	t.Parallel()
	failed := oneRun(jobs.StatusFailed)
	failed.ID, failed.JobID, failed.Failure = "run_2", "job_2", jobs.Failure{Summary: "No table", Next: "Create it"}
	f := &fake{runs: func() []jobs.Run { return []jobs.Run{failed, oneRun(jobs.StatusSucceeded)} }}
	_, out, _ := run(t, f, "runs")
	for _, want := range []string{"run_1", "run_2", "1.5s", "100,000", "99,999", "No table. Create it"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	_, out, _ = run(t, f, "runs", "-job", "job_1")
	if strings.Contains(out, "run_2") || !strings.Contains(out, "run_1") {
		t.Errorf("the filter gave\n%s", out)
	}
	_, out, _ = run(t, f, "runs", "-limit", "1")
	if strings.Contains(out, "run_1") {
		t.Errorf("the limit gave\n%s", out)
	}
}

func TestRunsFollowPrintsEachChangeUntilTheRunEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		looks := 0
		f := &fake{runs: func() []jobs.Run {
			looks++
			r := oneRun(jobs.StatusRunning)
			r.Phase, r.Total, r.Done = "importing rows", 100, int64(looks/2*50)
			if looks > 4 {
				r = oneRun(jobs.StatusSucceeded)
			}
			return []jobs.Run{r}
		}}
		code, out, _ := run(t, f, "runs", "--follow")
		want := []string{"importing rows: 0 of 100 (0%)", "importing rows: 50 of 100 (50%)", "importing rows: 100 of 100 (100%)", "succeeded"}
		lines := strings.Split(strings.TrimSpace(out), "\n")
		if code != 0 || len(lines) != len(want) {
			t.Fatalf("code %d:\n%s", code, out)
		}
		for i := range want {
			if !strings.Contains(lines[i], want[i]) {
				t.Errorf("line %d is %q, want %q", i, lines[i], want[i])
			}
		}
	})
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	f := &fake{err: errors.New("no store here")}
	if code, _, errOut := run(t, f, "jobs"); code != 1 || !strings.Contains(errOut, "no store here") || !f.closed {
		t.Errorf("code %d, %q", code, errOut)
	}
	if code, _, errOut := run(t, f, "frobnicate"); code != 2 || !strings.Contains(errOut, "frobnicate") {
		t.Errorf("code %d, %q", code, errOut)
	}
	if code, _, _ := run(t, f, "runs", "-no-such-flag"); code != 2 {
		t.Errorf("code %d", code)
	}
	if code, out, _ := run(t, f, "version"); code != 0 || out != "1.2.3\n" {
		t.Errorf("code %d, %q", code, out)
	}
	if code, _, errOut := run(t, f, "help"); code != 0 || !strings.Contains(errOut, "--follow") {
		t.Errorf("code %d, %q", code, errOut)
	}
}

// checklist 64
func TestRunsPrintsDuplicatesAndEventsInNoProfile(t *testing.T) {
	t.Parallel()
	r := oneRun(jobs.StatusSucceeded)
	r.PossiblyDuplicated, r.Unidentified, r.Conflicts, r.ConflictExample = 1200, 3, 1, "user_id=unknown"
	_, out, _ := run(t, &fake{runs: func() []jobs.Run { return []jobs.Run{r} }}, "runs")
	if want := "1,200 possibly duplicated, 3 events without an identifier, 1 identity conflicts " +
		"(user_id=unknown)"; !strings.Contains(out, want) {
		t.Errorf("no %q in\n%s", want, out)
	}
}
