package page_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// fake is a runner in memory. Nothing happens by itself: the test says how far
// a run is and how it ends.
type fake struct {
	mu   sync.Mutex
	jobs []jobs.Job
	runs []jobs.Run // oldest first
	logs map[string][]jobs.LogLine
	// refuse, if set, is what StartRun fails with; broken what everything does.
	refuse, broken error
	listed         int
}

func (f *fake) add(j jobs.Job) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if j.ID == "" {
		j.ID = fmt.Sprintf("job_%04d", len(f.jobs)+1)
	}
	f.jobs = append(f.jobs, j)
	return j.ID
}

// ran adds a run that has ended.
func (f *fake) ran(jobID string, began time.Time, took time.Duration, rows int64, change func(*jobs.Run)) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	end := began.Add(took)
	r := jobs.Run{
		ID: fmt.Sprintf("run_%05d", len(f.runs)+1), JobID: jobID, Status: jobs.StatusSucceeded, Reason: jobs.ReasonSchedule, Attempt: 1,
		Runner: "runner-1", CreatedAt: began, StartedAt: &began, FinishedAt: &end,
		Counts: jobs.Counts{RowsRead: rows, RowsWritten: rows, Bytes: rows * 412, Snapshot: "version 812", Watermark: &began},
	}
	if change != nil {
		change(&r)
	}
	f.runs = append(f.runs, r)
	return r.ID
}

// advance changes an active run.
func (f *fake) advance(runID string, change func(*jobs.Run)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f.run(runID))
}

func (f *fake) log(runID string, at time.Time, level, format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.logs == nil {
		f.logs = map[string][]jobs.LogLine{}
	}
	f.logs[runID] = append(f.logs[runID], jobs.LogLine{At: at, Level: level, Message: fmt.Sprintf(format, args...)})
}

// active gives the id of a job's active run, or "".
func (f *fake) active(jobID string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r := f.last(jobID); r != nil && r.Status.Active() {
		return r.ID
	}
	return ""
}

func (f *fake) run(id string) *jobs.Run {
	if i := slices.IndexFunc(f.runs, func(r jobs.Run) bool { return r.ID == id }); i >= 0 {
		return &f.runs[i]
	}
	return nil
}

func (f *fake) last(jobID string) *jobs.Run {
	for i := len(f.runs) - 1; i >= 0; i-- {
		if f.runs[i].JobID == jobID {
			return &f.runs[i]
		}
	}
	return nil
}

func (f *fake) job(id string) (*jobs.Job, error) {
	if i := slices.IndexFunc(f.jobs, func(j jobs.Job) bool { return j.ID == id }); i >= 0 {
		return &f.jobs[i], nil
	}
	return nil, &jobs.Error{Code: jobs.CodeNotFound, Summary: "No job " + id, Detail: "The store was read and has none.", Next: "Look for it in the list of jobs"}
}

func (f *fake) full(j jobs.Job) jobs.Job {
	if r := f.last(j.ID); r != nil {
		last := *r
		j.LastRun = &last
	}
	return j
}

// Job implements page.API, as do those below.
func (f *fake) Job(_ context.Context, id string) (jobs.Job, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	j, err := f.job(id)
	if err != nil {
		return jobs.Job{}, err
	}
	return f.full(*j), nil
}

func (f *fake) Jobs(context.Context) ([]jobs.Job, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.listed++
	if f.broken != nil {
		return nil, f.broken
	}
	last := map[string]*jobs.Run{}
	for i := range f.runs {
		r := f.runs[i]
		last[r.JobID] = &r
	}
	out := make([]jobs.Job, len(f.jobs))
	for i, j := range f.jobs {
		j.LastRun = last[j.ID]
		out[i] = j
	}
	slices.SortFunc(out, func(a, b jobs.Job) int { return strings.Compare(a.Label+a.ID, b.Label+b.ID) })
	return out, nil
}

func (f *fake) PauseJob(_ context.Context, id string, paused bool) (jobs.Job, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	j, err := f.job(id)
	if err != nil {
		return jobs.Job{}, err
	}
	j.Paused = paused
	return f.full(*j), nil
}

func (f *fake) StartRun(_ context.Context, jobID string, reason jobs.Reason) (jobs.Run, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.refuse != nil {
		return jobs.Run{}, f.refuse
	}
	r := jobs.Run{ID: fmt.Sprintf("run_%05d", len(f.runs)+1), JobID: jobID, Status: jobs.StatusQueued, Reason: reason, Attempt: 1, CreatedAt: time.Now()}
	f.runs = append(f.runs, r)
	return r, nil
}

func (f *fake) CancelRun(_ context.Context, runID string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	r, now := f.run(runID), time.Now()
	r.Status, r.ErrorCode, r.FinishedAt = jobs.StatusCancelled, jobs.CodeCancelled, &now
	r.Error, r.ErrorNext = "The run was cancelled: a person asked for it. "+jobs.RunAgain, jobs.RunAgain
	return nil
}

func (f *fake) Run(_ context.Context, runID string) (jobs.Run, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r := f.run(runID); r != nil {
		return *r, nil
	}
	return jobs.Run{}, &jobs.Error{Code: jobs.CodeNotFound, Summary: "No run " + runID}
}

func (f *fake) ListRuns(_ context.Context, x jobs.RunFilter) ([]jobs.Run, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []jobs.Run
	for _, r := range f.runs {
		if (x.JobID == "" || r.JobID == x.JobID) && (len(x.Statuses) == 0 || slices.Contains(x.Statuses, r.Status)) {
			out = append(out, r)
		}
	}
	slices.SortStableFunc(out, func(a, b jobs.Run) int { return b.CreatedAt.Compare(a.CreatedAt) })
	return out[:min(len(out), cmp.Or(x.Limit, 100))], nil
}

func (f *fake) RunLog(_ context.Context, runID string) ([]jobs.LogLine, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.logs[runID]), nil
}
