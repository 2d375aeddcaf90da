package jobstest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/schedule"
)

// CreateJob implements jobs.Definitions.
func (f *Fake) CreateJob(ctx context.Context, spec jobs.JobSpec) (jobs.Job, error) {
	return register(ctx, f, "CreateJob", []any{spec}, func(s *Store) (jobs.Job, error) {
		spec, key, err := s.complete(spec)
		if err != nil {
			return jobs.Job{}, err
		}
		if err := f.checkManager(s, spec); err != nil {
			return jobs.Job{}, err
		}
		creator := jobs.Creator(ctx, f.instance)
		j, released := jobs.Job{ID: s.newID("job"), JobSpec: spec, CreatedAt: f.env.now()}, s.Released[key]
		if released.ID != "" {
			j.ID, j.CreatedAt = released.ID, released.CreatedAt
		}
		if holder, held := s.holder(key, ""); held {
			if s.Confirmed[holder.ID] || s.Creators[holder.ID] == creator || f.env.alive[s.Creators[holder.ID]] {
				return jobs.Job{}, keyTaken(spec, holder.ID)
			}
			j.ID, j.CreatedAt = holder.ID, holder.CreatedAt
		}
		if err := s.checkAfter(j.ID, spec.After); err != nil {
			return jobs.Job{}, err
		}
		j.Paused = spec.Schedule != nil && spec.Schedule.Paused != nil && *spec.Schedule.Paused
		if err := f.plan(&j, spec.Schedule != nil && spec.Schedule.StartImmediately); err != nil {
			return jobs.Job{}, err
		}
		delete(s.Released, key)
		delete(s.Confirmed, j.ID)
		s.Creators[j.ID] = creator
		f.creates.Made(ctx, j.ID)
		return f.saveJob(s, j), nil
	})
}

// CheckCreateJob implements jobs.Definitions.
func (f *Fake) CheckCreateJob(ctx context.Context, spec jobs.JobSpec) error {
	return do(ctx, f, "CheckCreateJob", []any{spec}, func() error {
		s, err := f.store()
		if err != nil {
			return nil //nolint:nilerr // no store means no jobs
		}
		spec, key, err := s.complete(spec)
		if err != nil {
			return err
		}
		if holder, held := s.holder(key, ""); held && s.Confirmed[holder.ID] {
			return keyTaken(spec, holder.ID)
		}
		return nil
	})
}

// UpdateJob implements jobs.Definitions.
func (f *Fake) UpdateJob(ctx context.Context, id string, spec jobs.JobSpec) (jobs.Job, error) {
	return read(ctx, f, "UpdateJob", []any{id, spec}, func(s *Store) (jobs.Job, error) {
		j, err := get(s.Jobs, "job", id)
		if err != nil {
			return jobs.Job{}, err
		}
		spec, key, err := s.complete(spec)
		if err != nil {
			return jobs.Job{}, err
		}
		if err := f.checkManager(s, spec); err != nil {
			return jobs.Job{}, err
		}
		if holder, held := s.holder(key, id); held {
			return jobs.Job{}, keyTaken(spec, holder.ID)
		}
		if err := s.checkAfter(id, spec.After); err != nil {
			return jobs.Job{}, err
		}
		j.JobSpec = spec
		switch {
		case spec.Schedule != nil && spec.Schedule.Paused != nil:
			j.Paused = *spec.Schedule.Paused
		case spec.Schedule == nil && len(spec.After) == 0:
			j.Paused = false
		}
		if err := f.plan(&j, false); err != nil {
			return jobs.Job{}, err
		}
		return f.saveJob(s, j), nil
	})
}

// checkManager refuses what the engine refuses of jobs that Lytics executes.
func (f *Fake) checkManager(s *Store, spec jobs.JobSpec) error {
	if spec.ManagedBy.IsLytics() && !f.env.Lytics {
		return jobs.Invalid(
			"managed_by",
			"There is no Lytics account",
			"The customer-data side is the embedded one.",
			"Configure platform.lytics",
		)
	}
	if s.Authorizations[spec.AuthorizationID].ManagedBy.IsLytics() != spec.ManagedBy.IsLytics() {
		return jobs.Invalid("authorization_id", "The authorization is managed by another", "It is not for this job.", "Use another one")
	}
	return spec.CheckManager()
}

// complete sets the defaults of a definition, and returns its key.
func (s *Store) complete(spec jobs.JobSpec) (jobs.JobSpec, string, error) {
	if err := spec.Check(); err != nil {
		return spec, "", err
	}
	auth, err := get(s.Authorizations, "authorization", spec.AuthorizationID)
	if err != nil {
		return spec, "", jobs.Invalid("authorization_id", "There is no authorization "+spec.AuthorizationID,
			"The store has none of that id.", "Refer to a lytics_databricks_authorization resource")
	}
	if spec.Export != nil {
		export := *spec.Export
		audience, err := s.audience(export.AudienceID)
		if err != nil {
			return spec, "", jobs.Invalid(
				"audience_id",
				"There is no audience "+export.AudienceID,
				"No audience has this id or slug.",
				"Create it first.",
			)
		}
		if export.TableName == "" && !spec.ManagedBy.IsLytics() {
			export.TableName = jobs.ExportTable(audience.Slug)
		}
		spec.Export = &export
	}
	if spec.Import != nil && spec.Import.Stream == "" {
		i := *spec.Import
		i.Stream = jobs.DefaultStream(i.Catalog, i.Database, i.Table)
		spec.Import = &i
	}
	return spec, jobs.Key(auth.Host, spec), nil
}

// holder returns the job other than id that has the key.
func (s *Store) holder(key, id string) (jobs.Job, bool) {
	for _, j := range s.Jobs {
		if j.ID != id && s.key(j.JobSpec) == key {
			return j, true
		}
	}
	return jobs.Job{}, false
}

func (s *Store) key(spec jobs.JobSpec) string {
	return jobs.Key(s.Authorizations[spec.AuthorizationID].Host, spec)
}

func keyTaken(spec jobs.JobSpec, holder string) error {
	attribute := "table"
	if spec.Export != nil {
		attribute = "table_name"
	}
	return &jobs.Error{
		Code: jobs.CodeConflict, Attribute: attribute, Summary: "Another job moves the same table",
		Detail: "It is " + holder + ".", Next: "Import it: terraform import ADDRESS " + holder,
	}
}

// checkAfter returns an error if after has an unknown job or closes a cycle.
func (s *Store) checkAfter(id string, after []string) error {
	var reaches func(from []string) bool
	reaches = func(from []string) bool {
		return slices.ContainsFunc(from, func(up string) bool { return up == id || reaches(s.Jobs[up].After) })
	}
	for _, up := range after {
		if _, ok := s.Jobs[up]; !ok && up != id {
			return jobs.Invalid(
				"after",
				fmt.Sprintf("No job %q to run after", up),
				"The store has none of that id.",
				"Refer to the id of a job resource",
			)
		}
	}
	if reaches(after) {
		return jobs.Invalid(
			"after",
			"The jobs run after one another in a cycle",
			"Each job would wait for another one.",
			"Remove one of the jobs from after",
		)
	}
	return nil
}

// plan sets the time of a job's next run.
func (f *Fake) plan(j *jobs.Job, atOnce bool) error {
	j.NextRunAt = nil
	if j.Schedule == nil {
		return nil
	}
	if err := schedule.Validate(*j.Schedule); err != nil || j.Paused {
		return err
	}
	next := f.env.now()
	if !atOnce {
		var err error
		if next, err = schedule.Next(*j.Schedule, next); err != nil {
			return err
		}
	}
	next = next.UTC()
	j.NextRunAt = &next
	return nil
}

func (f *Fake) saveJob(s *Store, j jobs.Job) jobs.Job {
	j.UpdatedAt = f.env.now()
	s.Jobs[j.ID] = j
	return s.withLastRun(j)
}

func (s *Store) withLastRun(j jobs.Job) jobs.Job {
	j.LastRun, j.LastSuccessAt = nil, nil
	for _, r := range slices.Backward(s.Runs) {
		if r.JobID != j.ID {
			continue
		}
		if j.LastRun == nil {
			j.LastRun = &r
		}
		if r.Status == jobs.StatusSucceeded {
			j.LastSuccessAt = r.FinishedAt
			break
		}
	}
	return j
}

// Job implements jobs.Definitions.
func (f *Fake) Job(ctx context.Context, id string) (jobs.Job, error) {
	return read(ctx, f, "Job", []any{id}, func(s *Store) (jobs.Job, error) {
		j, err := get(s.Jobs, "job", id)
		return s.withLastRun(j), err
	})
}

// PauseJob implements jobs.Definitions.
func (f *Fake) PauseJob(ctx context.Context, id string, paused bool) (jobs.Job, error) {
	return read(ctx, f, "PauseJob", []any{id, paused}, func(s *Store) (jobs.Job, error) {
		j, err := get(s.Jobs, "job", id)
		if err != nil {
			return jobs.Job{}, err
		}
		if j.Schedule == nil && len(j.After) == 0 {
			return jobs.Job{}, jobs.Invalid("schedule", "Job "+id+" has nothing to pause",
				"It has no schedule and runs after no other job.", "Give it a schedule first")
		}
		if j.Paused == paused {
			return s.withLastRun(j), nil
		}
		j.Paused = paused
		if err := f.plan(&j, false); err != nil {
			return jobs.Job{}, err
		}
		return f.saveJob(s, j), nil
	})
}

// JobLog implements jobs.Definitions. A test sets the log in Store.Logs, by the
// job's id.
func (f *Fake) JobLog(ctx context.Context, id string) ([]jobs.LogLine, error) {
	return read(ctx, f, "JobLog", []any{id}, func(s *Store) ([]jobs.LogLine, error) {
		j, err := get(s.Jobs, "job", id)
		if err != nil {
			return nil, err
		}
		if !j.ManagedBy.IsLytics() {
			return nil, jobs.Invalid("", "Job "+id+" has no log of its own", "This provider executes it.", "Read the logs of its runs")
		}
		return s.Logs[id], nil
	})
}

// Jobs implements jobs.Definitions. No store means no jobs.
func (f *Fake) Jobs(ctx context.Context) ([]jobs.Job, error) {
	return answer(ctx, f, "Jobs", nil, func() ([]jobs.Job, error) {
		s, err := f.store()
		if err != nil {
			return nil, err
		}
		all := slices.Collect(maps.Values(s.Jobs))
		for i := range all {
			all[i] = s.withLastRun(all[i])
		}
		slices.SortFunc(all, func(a, b jobs.Job) int {
			if c := strings.Compare(a.Label, b.Label); c != 0 {
				return c
			}
			return strings.Compare(a.ID, b.ID)
		})
		return all, nil
	})
}

// DeleteJob implements jobs.Definitions.
func (f *Fake) DeleteJob(ctx context.Context, id string) error {
	return change(ctx, f, "DeleteJob", []any{id}, func(s *Store) error {
		for i := range s.Runs {
			if r := &s.Runs[i]; r.JobID == id && r.Status.Active() {
				f.cancel(r)
			}
		}
		if j, ok := s.Jobs[id]; ok {
			s.Released[s.key(j.JobSpec)] = j
		}
		delete(s.Jobs, id)
		return nil
	})
}

// Confirm implements jobs.Definitions.
func (f *Fake) Confirm(ctx context.Context, id string) error {
	return change(ctx, f, "Confirm", []any{id}, func(s *Store) error {
		_, job := s.Jobs[id]
		_, auth := s.Authorizations[id]
		if !job && !auth {
			return missing("authorization or job", id)
		}
		s.Confirmed[id] = true
		return nil
	})
}
