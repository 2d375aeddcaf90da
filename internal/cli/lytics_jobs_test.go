package cli_test

import (
	"context"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// lyticsJobsFake has a job that Lytics executes, and no runs.
type lyticsJobsFake struct{ fake }

func (f *lyticsJobsFake) Run(_ context.Context, id string) (jobs.Run, error) {
	return jobs.Run{}, &jobs.Error{Code: jobs.CodeNotFound, Summary: "No run " + id}
}

func (f *lyticsJobsFake) JobLog(_ context.Context, id string) ([]jobs.LogLine, error) {
	return []jobs.LogLine{{At: started, Level: "warn", Message: "slow, says Lytics of " + id}}, nil
}

func (f *lyticsJobsFake) PauseJob(_ context.Context, id string, paused bool) (jobs.Job, error) {
	j := f.all[0]
	j.ID, j.Paused, j.NextRunAt = id, paused, nil
	return j, nil
}

// The state and the log of a job that Lytics executes are those of Lytics. Its last run
// is not known.
func TestJobsAndLogsOfAJobInLytics(t *testing.T) {
	t.Parallel()
	f := &lyticsJobsFake{fake{all: []jobs.Job{
		{
			ID: "job_1", JobSpec: jobs.JobSpec{Label: "customers", ManagedBy: jobs.ManagedByLytics, Import: &jobs.TableImport{}}, NextRunAt: &started,
			Lytics: &jobs.LyticsState{ID: "abc", Status: "sleeping"},
		},
		{
			ID: "job_2", JobSpec: jobs.JobSpec{Label: "vip", ManagedBy: jobs.ManagedByLytics, Export: &jobs.AudienceExport{}},
			Lytics: &jobs.LyticsState{ID: "def", Problem: "Lytics cannot be reached"},
		},
		{ID: "job_3", JobSpec: jobs.JobSpec{Label: "orders", Import: &jobs.TableImport{}}},
	}}}
	_, out, _ := runAPI(t, f, "jobs")
	var rows [][]string
	for _, line := range strings.Split(strings.TrimSpace(out), "\n")[1:] {
		rows = append(rows, strings.Fields(line))
	}
	for i, want := range []string{
		"job_1 customers table_import lytics 2026-03-08 07:30:00Z - - sleeping",
		"job_2 vip audience_export lytics - - - Lytics cannot be reached",
		"job_3 orders table_import provider - - never",
	} {
		if got := strings.Join(rows[i], " "); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	for _, name := range []string{"job_1", "customers"} {
		if code, out, errOut := runAPI(t, f, "logs", name); code != 0 || out != "2026-03-08 07:30:00Z  warn   slow, says Lytics of job_1\n" {
			t.Errorf("logs %s: got code %d, %q and %q, want the log of Lytics", name, code, out, errOut)
		}
	}
	if code, out, _ := runAPI(t, f, "resume", "job_1"); code != 0 || out != "\"customers\" is resumed in Lytics\n" {
		t.Errorf("resume: got code %d and %q, want that it is resumed in Lytics", code, out)
	}
	if code, _, errOut := runAPI(t, f, "logs", "run_9"); code != 1 || !strings.Contains(errOut, "No run run_9") {
		t.Errorf("got code %d and %q, want an error for a run that does not exist", code, errOut)
	}
}
