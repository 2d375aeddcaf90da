package provider_test

import (
	"context"
	"path"
	"slices"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

func (a *fakeAPI) StartRun(_ context.Context, jobID string, reason jobs.Reason) (jobs.Run, error) {
	return in(a, func(s *fakeStore) (jobs.Run, error) {
		if _, err := get(s.jobs, "job", jobID); err != nil {
			return jobs.Run{}, err
		}
		r := jobs.Run{ID: s.next("run"), JobID: jobID, Status: jobs.StatusQueued, Reason: reason, CreatedAt: time.Unix(1700000000, 0)}
		s.runs = append(s.runs, r)
		return r, nil
	})
}

func (a *fakeAPI) WaitRun(ctx context.Context, runID string, changed func(jobs.Run)) (jobs.Run, error) {
	a.w.mu.Lock()
	hang, waiting := a.w.hang, a.w.waiting
	a.w.mu.Unlock()
	if hang && waiting != nil {
		waiting()
	}
	if hang {
		<-ctx.Done()
	}
	return in(a, func(s *fakeStore) (jobs.Run, error) {
		i := slices.IndexFunc(s.runs, func(r jobs.Run) bool { return r.ID == runID })
		if i < 0 {
			return jobs.Run{}, missing("run", runID)
		}
		r := &s.runs[i]
		if !r.Status.Active() {
			return *r, nil
		}
		if changed != nil {
			changed(*r)
		}
		a.execute(s, r, ctx.Err())
		j := s.jobs[r.JobID]
		last := *r
		j.LastRun = &last
		s.jobs[r.JobID] = j
		return *r, ctx.Err()
	})
}

// execute reads the rows after the cursor; a run that fails stops half-way.
func (a *fakeAPI) execute(s *fakeStore, r *jobs.Run, stopped error) {
	end := time.Unix(1700000060, 0)
	r.StartedAt, r.FinishedAt, r.Phase = &r.CreatedAt, &end, "reading rows"
	j := s.jobs[r.JobID]
	switch {
	case stopped != nil:
		r.Status, r.Failure = jobs.StatusCancelled, jobs.Failure{Code: jobs.CodeCancelled, Summary: "cancelled"}
		return
	case j.Export != nil:
		r.Table = path.Join(j.Export.Catalog, j.Export.Database, j.Export.TableName)
		r.RowsRead, r.RowsWritten = 7, 7
	default:
		key, _ := s.key(j.JobSpec)
		table := jobs.TableName{Catalog: j.Import.Catalog, Database: j.Import.Database, Table: j.Import.Table}
		unread := a.w.rows[table] - s.cursors[key]
		if a.w.fail != nil {
			unread /= 2
		}
		s.cursors[key] += unread
		s.streams[j.Import.Stream] += unread
		r.RowsRead, r.RowsWritten, r.Snapshot = int64(unread), int64(unread), "version 3"
		r.Unidentified, r.Unfit, r.Conflicts, r.ConflictExample = 2, 3, 1, "email"
	}
	r.Status = jobs.StatusSucceeded
	if e := a.w.fail; e != nil {
		r.Status, r.Failure = jobs.StatusFailed, jobs.FailureOf(e)
	}
}

func (a *fakeAPI) DryRun(context.Context, string) (jobs.DryRun, error) { return jobs.DryRun{}, nil }

func (a *fakeAPI) CancelRun(context.Context, string) error { return nil }

func (a *fakeAPI) Run(_ context.Context, id string) (jobs.Run, error) {
	return in(a, func(s *fakeStore) (jobs.Run, error) {
		for _, r := range s.runs {
			if r.ID == id {
				return r, nil
			}
		}
		return jobs.Run{}, missing("run", id)
	})
}

func (a *fakeAPI) ListRuns(_ context.Context, f jobs.RunFilter) ([]jobs.Run, error) {
	return in(a, func(s *fakeStore) ([]jobs.Run, error) {
		var out []jobs.Run
		for _, r := range slices.Backward(s.runs) {
			if (f.JobID == "" || f.JobID == r.JobID) && (f.Limit == 0 || len(out) < f.Limit) {
				out = append(out, r)
			}
		}
		return out, nil
	})
}

func (a *fakeAPI) RunLog(context.Context, string) ([]jobs.LogLine, error) { return nil, nil }

func (a *fakeAPI) PauseJob(_ context.Context, id string, paused bool) (jobs.Job, error) {
	return in(a, func(s *fakeStore) (jobs.Job, error) {
		j, ok := s.jobs[id]
		if !ok {
			return j, &jobs.Error{Code: jobs.CodeNotFound, Summary: "No job " + id}
		}
		j.Paused = paused
		s.jobs[id] = j
		return j, nil
	})
}
