package jobstest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// defaultLimit is the number of runs that ListRuns returns at most if the
// filter has no limit.
const defaultLimit = 100

// StartRun implements jobs.Runs. The run stays queued until WaitRun executes it.
func (f *Fake) StartRun(ctx context.Context, jobID string, reason jobs.Reason) (jobs.Run, error) {
	return read(ctx, f, "StartRun", []any{jobID, reason}, func(s *Store) (jobs.Run, error) {
		if _, err := get(s.Jobs, "job", jobID); err != nil {
			return jobs.Run{}, err
		}
		r := jobs.Run{ID: s.newID("run"), JobID: jobID, Status: jobs.StatusQueued, Reason: reason, Attempt: 1, CreatedAt: f.env.now()}
		s.Runs = append(s.Runs, r)
		return r, nil
	})
}

// WaitRun implements jobs.Runs. It executes an active run immediately; before
// that, it calls changed without the lock of the environment.
func (f *Fake) WaitRun(ctx context.Context, runID string, changed func(jobs.Run)) (jobs.Run, error) {
	var hang bool
	var onHang func()
	f.env.Change(func() { hang, onHang = f.env.RunsHang, f.env.OnHang })
	if hang && onHang != nil {
		onHang()
	}
	if hang {
		<-ctx.Done()
	}
	if queued := f.activeRun(runID); changed != nil && queued != nil {
		changed(*queued)
	}
	return read(ctx, f, "WaitRun", []any{runID}, func(s *Store) (jobs.Run, error) {
		r, err := s.run(runID)
		switch {
		case err != nil:
			return jobs.Run{}, err
		case !r.Status.Active():
			return *r, nil
		case ctx.Err() != nil:
			f.cancel(r)
			return *r, waitError(ctx, *r)
		}
		f.execute(s, r)
		return *r, nil
	})
}

// activeRun returns a copy of the run if it is active, or nil.
func (f *Fake) activeRun(id string) *jobs.Run {
	f.env.mu.Lock()
	defer f.env.mu.Unlock()
	if s, err := f.store(); err == nil {
		if r, err := s.run(id); err == nil && r.Status.Active() {
			active := *r
			return &active
		}
	}
	return nil
}

func waitError(ctx context.Context, r jobs.Run) error {
	err := context.Cause(ctx)
	e := &jobs.Error{
		Code: jobs.CodeCancelled, Summary: fmt.Sprintf("Run %s was interrupted", r.ID), Detail: err.Error() + ".",
		Next: "Apply again: the run continues where it stopped", Err: err,
	}
	if errors.Is(err, context.DeadlineExceeded) {
		e.Code, e.Attribute, e.Summary = jobs.CodeTimeout, "timeouts", fmt.Sprintf("Run %s did not end in time", r.ID)
	}
	return e
}

// execute reads the rows after the cursor, or exports every profile.
func (f *Fake) execute(s *Store, r *jobs.Run) {
	f.begin(r)
	j, ok := s.Jobs[r.JobID]
	switch {
	case !ok:
	case j.Export != nil:
		r.Table = j.Export.Catalog + "." + j.Export.Database + "." + j.Export.TableName
		r.RowsRead, r.RowsWritten = int64(len(f.env.Profiles)), int64(len(f.env.Profiles))
	case j.Import != nil:
		key := s.key(j.JobSpec)
		unread := f.env.Rows[jobs.TableName{Catalog: j.Import.Catalog, Database: j.Import.Database, Table: j.Import.Table}] - s.Cursors[key]
		if f.env.RunError != nil {
			unread /= 2
		}
		s.Cursors[key] += unread
		s.Events[j.Import.Stream] += unread
		r.RowsRead, r.RowsWritten, r.Snapshot = int64(unread), int64(unread), "version 3"
		r.Unidentified, r.Unfit, r.Conflicts, r.ConflictExample = 2, 3, 1, "email"
	}
	end := r.StartedAt.Add(time.Minute)
	r.Status, r.FinishedAt = jobs.StatusSucceeded, &end
	if e := f.env.RunError; e != nil {
		r.Status, r.Failure = jobs.StatusFailed, jobs.FailureOf(e)
	}
}

func (f *Fake) begin(r *jobs.Run) {
	now := f.env.now()
	r.Status, r.Phase = jobs.StatusRunning, "reading rows"
	if r.StartedAt == nil {
		r.StartedAt = &now
	}
}

func (f *Fake) cancel(r *jobs.Run) {
	now := f.env.now()
	r.Status, r.FinishedAt = jobs.StatusCancelled, &now
	r.Failure = jobs.Failure{Code: jobs.CodeCancelled, Summary: "The run was cancelled", Next: jobs.RunAgain}
}

// CancelRun implements jobs.Runs.
func (f *Fake) CancelRun(ctx context.Context, runID string) error {
	return change(ctx, f, "CancelRun", []any{runID}, func(s *Store) error {
		r, err := s.run(runID)
		if err == nil && r.Status.Active() {
			f.cancel(r)
		}
		return err
	})
}

// Run implements jobs.Runs.
func (f *Fake) Run(ctx context.Context, runID string) (jobs.Run, error) {
	return read(ctx, f, "Run", []any{runID}, func(s *Store) (jobs.Run, error) {
		r, err := s.run(runID)
		if err != nil {
			return jobs.Run{}, err
		}
		now := *r
		if f.env.RunsAdvanceOnRead {
			switch r.Status {
			case jobs.StatusQueued:
				f.begin(r)
			case jobs.StatusRunning:
				f.execute(s, r)
			}
		}
		return now, nil
	})
}

// ListRuns implements jobs.Runs. No store means no runs.
func (f *Fake) ListRuns(ctx context.Context, filter jobs.RunFilter) ([]jobs.Run, error) {
	return answer(ctx, f, "ListRuns", []any{filter}, func() ([]jobs.Run, error) {
		s, err := f.store()
		if err != nil {
			return nil, err
		}
		var list []jobs.Run
		for _, r := range slices.Backward(s.Runs) {
			if (filter.JobID == "" || r.JobID == filter.JobID) && !r.CreatedAt.Before(filter.Since) &&
				(len(filter.Statuses) == 0 || slices.Contains(filter.Statuses, r.Status)) {
				list = append(list, r)
			}
		}
		slices.SortStableFunc(list, func(a, b jobs.Run) int { return b.CreatedAt.Compare(a.CreatedAt) })
		if filter.After != "" {
			i := slices.IndexFunc(list, func(r jobs.Run) bool { return r.ID == filter.After })
			if i < 0 {
				return nil, jobs.NoRunToGoOnAfter(filter.After)
			}
			list = list[i+1:]
		}
		return list[:min(len(list), cmp.Or(filter.Limit, defaultLimit))], nil
	})
}

// RunLog implements jobs.Runs.
func (f *Fake) RunLog(ctx context.Context, runID string) ([]jobs.LogLine, error) {
	return read(ctx, f, "RunLog", []any{runID}, func(s *Store) ([]jobs.LogLine, error) {
		_, err := s.run(runID)
		return slices.Clone(s.Logs[runID]), err
	})
}

// DryRun implements jobs.Runs.
func (f *Fake) DryRun(ctx context.Context, jobID string, samples int) (jobs.DryRun, error) {
	return read(ctx, f, "DryRun", []any{jobID, samples}, func(s *Store) (jobs.DryRun, error) {
		j, err := get(s.Jobs, "job", jobID)
		if err != nil {
			return jobs.DryRun{}, err
		}
		d, err := f.dryRun(s, s.Authorizations[j.AuthorizationID].Host, j.JobSpec, samples)
		d.JobID = j.ID
		return d, err
	})
}

// DryRunOf implements jobs.Runs.
func (f *Fake) DryRunOf(ctx context.Context, r jobs.DryRunRequest) (jobs.DryRun, error) {
	return answer(ctx, f, "DryRunOf", []any{r}, func() (jobs.DryRun, error) {
		s, err := f.store()
		if err != nil {
			s = &Store{}
		}
		if r.Connection != nil {
			return f.dryRun(s, r.Connection.Host, r.Definition, r.Samples)
		}
		a, err := get(s.Authorizations, "authorization", r.Definition.AuthorizationID)
		if err != nil {
			return jobs.DryRun{}, jobs.Invalid("authorization_id", err.Error(), "It is not in the store.", "Create it")
		}
		return f.dryRun(s, a.Host, r.Definition, r.Samples)
	})
}

// dryRun counts the rows of the warehouse that are after the import's cursor. A table
// that is not in Environment.Rows does not exist.
func (f *Fake) dryRun(s *Store, host string, spec jobs.JobSpec, samples int) (jobs.DryRun, error) {
	d := jobs.DryRun{Label: spec.Label, Kind: spec.Kind(), Statements: []string{}, Notes: []string{}}
	i := spec.Import
	if i == nil {
		d.Writes.Table = jobs.TableName{Catalog: spec.Export.Catalog, Database: spec.Export.Database, Table: spec.Export.TableName}.String()
		d.Writes.Rows = int64(len(f.env.Profiles))
		return d, nil
	}
	table := jobs.TableName{Catalog: i.Catalog, Database: i.Database, Table: i.Table}
	rows, ok := f.env.Rows[table]
	if !ok {
		return d, jobs.Invalid("table", "There is no table "+i.Table, "The database has none.", "Use customers.")
	}
	read, continues := s.Cursors[jobs.Key(host, spec)]
	d.Reads.Source, d.Writes.Stream = table.String(), i.Stream
	d.Reads.Rows, d.Reads.Continues, d.Writes.Rows = int64(rows-read), continues, int64(rows-read)
	for n := range min(samples, rows-read) {
		d.Samples = append(d.Samples, jobs.DryRunSample{Row: fmt.Sprintf(`{"id":%d}`, read+n), Profile: map[string]string{}})
	}
	return d, nil
}

func (s *Store) run(id string) (*jobs.Run, error) {
	if i := slices.IndexFunc(s.Runs, func(r jobs.Run) bool { return r.ID == id }); i >= 0 {
		return &s.Runs[i], nil
	}
	return nil, missing("run", id)
}
