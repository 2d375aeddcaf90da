package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// JobRow is a job with the columns that only the store uses.
type JobRow struct {
	jobs.Job
	Key       string
	Creator   string
	Confirmed bool
	// LyticsID is the job's id in the Lytics account; empty for a job that this
	// provider executes, and until Lytics has the job.
	LyticsID string
	// InLytics is nil for a job that was never in the Lytics account.
	InLytics *InLytics
}

// InLytics is what the store remembers of a job in the Lytics account.
type InLytics struct {
	// Started is set once Lytics was asked to run the job. A job that was created
	// paused never ran, which no status of Lytics tells.
	Started bool `json:"started,omitempty"`
	// Since is the since_date that a move from this provider set, in place of the
	// definition's.
	Since *time.Time `json:"since,omitempty"`
	// Creating is set while a move to Lytics creates the job there: a job of the
	// same name is then this one.
	Creating bool `json:"creating,omitempty"`
}

// jobSpec is the stored form of a definition. Version is the version of this form.
type jobSpec struct {
	Version             int                  `json:"version"`
	Description         string               `json:"description,omitempty"`
	QueryTimeoutMinutes int64                `json:"query_timeout_minutes"`
	Import              *jobs.TableImport    `json:"import,omitempty"`
	Export              *jobs.AudienceExport `json:"export,omitempty"`
	Schedule            *jobs.Schedule       `json:"schedule,omitempty"`
	Triggers            map[string]string    `json:"triggers,omitempty"`
	FailOnError         bool                 `json:"fail_on_error"`
	After               []string             `json:"after,omitempty"`
	Wait                *bool                `json:"wait,omitempty"`
	CheckSource         *bool                `json:"check_source,omitempty"`
	ExpectedEverySecs   int64                `json:"expected_every_seconds,omitempty"`
	InLytics            *InLytics            `json:"in_lytics,omitempty"`
}

const jobSpecVersion = 1

// writeSpec returns the stored form of a definition.
func writeSpec(s jobs.JobSpec, l *InLytics) (string, error) {
	text, err := json.Marshal(jobSpec{
		Version: jobSpecVersion, Description: s.Description, QueryTimeoutMinutes: int64(s.QueryTimeout / time.Minute),
		Import: s.Import, Export: s.Export, Schedule: s.Schedule, Triggers: s.Triggers, FailOnError: s.FailOnError,
		After: s.After, Wait: s.Wait, CheckSource: s.CheckSource, ExpectedEverySecs: s.ExpectedEverySeconds, InLytics: l,
	})
	return string(text), err
}

// readSpec reads the stored form of a definition into its fields of out.
func readSpec(text string, out *jobs.JobSpec) (*InLytics, error) {
	var s jobSpec
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return nil, err
	}
	if s.Version != jobSpecVersion {
		return nil, fmt.Errorf("this release does not know version %d of its definition", s.Version)
	}
	out.Description, out.QueryTimeout = s.Description, time.Duration(s.QueryTimeoutMinutes)*time.Minute
	out.Import, out.Export, out.Schedule, out.Triggers = s.Import, s.Export, s.Schedule, s.Triggers
	out.FailOnError, out.After, out.Wait, out.CheckSource = s.FailOnError, s.After, s.Wait, s.CheckSource
	out.ExpectedEverySeconds = s.ExpectedEverySecs
	return s.InLytics, nil
}

const jobColumns = `id, key, label, authorization_id, managed_by, lytics_id, spec, next_run_at, paused,
	 creator, confirmed, created_at, updated_at`

// CreateJob inserts a job, or adopts the one that a dead process abandoned, which
// the caller read before. A job with the id of ReleasedJob takes that one back.
// CodeConflict means that another job holds the key, or that another process has
// adopted the abandoned job or taken the released one back since.
func (d *DB) CreateJob(ctx context.Context, r JobRow, abandoned *JobRow) error {
	return d.Write(ctx, func(tx *Tx) error {
		if abandoned == nil {
			return tx.auditAfter(ctx, takeBack(ctx, tx, r), r.ID, r.Label, "")
		}
		var creator string
		var confirmed bool
		err := tx.QueryRowContext(ctx, `SELECT creator, confirmed FROM jobs WHERE id = ?`, r.ID).Scan(&creator, &confirmed)
		if errors.Is(err, sql.ErrNoRows) {
			return tx.auditAfter(ctx, takeBack(ctx, tx, r), r.ID, r.Label, "") // it was deleted since
		}
		if err != nil {
			return err
		}
		if confirmed || creator != abandoned.Creator {
			return JobConflict(r, r.ID)
		}
		return tx.auditAfter(ctx, putJob(ctx, tx, r), r.ID, r.Label, "")
	})
}

// PutJob inserts or updates a job. A key that another job holds is CodeConflict.
func (d *DB) PutJob(ctx context.Context, r JobRow) error {
	return d.Write(ctx, func(tx *Tx) error { return tx.auditAfter(ctx, putJob(ctx, tx, r), r.ID, r.Label, "") })
}

func putJob(ctx context.Context, tx *Tx, r JobRow) error {
	spec, err := writeSpec(r.JobSpec, r.InLytics)
	if err != nil {
		return err
	}
	var holder string
	err = tx.QueryRowContext(ctx, `SELECT id FROM jobs WHERE key = ? AND id <> ?`, r.Key, r.ID).Scan(&holder)
	if err == nil {
		return JobConflict(r, holder)
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO jobs (`+jobColumns+`)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, `+now+`, `+now+`)
		ON CONFLICT (id) DO UPDATE SET key = excluded.key, label = excluded.label,
			authorization_id = excluded.authorization_id, managed_by = excluded.managed_by, lytics_id = excluded.lytics_id,
			spec = excluded.spec, next_run_at = excluded.next_run_at,
			paused = excluded.paused, creator = excluded.creator, updated_at = excluded.updated_at`,
		r.ID, r.Key, r.Label, r.AuthorizationID, r.ManagedBy, r.LyticsID, spec, nullMicros(r.NextRunAt), r.Paused, r.Creator, r.Confirmed)
	if err != nil {
		return err
	}
	if err := noteVersion(ctx, tx, r); err != nil {
		return err
	}
	return putUpstreamJobs(ctx, tx, r.ID, r.After)
}

// JobConflict refuses a job whose key another job holds.
func JobConflict(r JobRow, holder string) error {
	what, attribute := "imports this table into this stream", "table"
	switch {
	case r.Kind() == jobs.KindAudienceExport && r.ManagedBy.IsLytics():
		what, attribute = "exports this audience into this database", "audience_id"
	case r.Kind() == jobs.KindAudienceExport:
		what, attribute = "exports into this table", "table_name"
	}
	return &jobs.Error{
		Code:      jobs.CodeConflict,
		Attribute: attribute,
		Summary:   fmt.Sprintf("Job %s already %s", holder, what),
		Detail:    "A store has one job for each such pair, because two jobs would write the same rows twice.",
		Next: fmt.Sprintf("Remove one of the two resources, or take the existing job over with an import block: id = %q. If this is the "+
			"replacement of that job, remove create_before_destroy from its lifecycle, or keep the job with terraform untaint", holder),
	}
}

func scanJob(scan func(...any) error) (JobRow, error) {
	var r JobRow
	var spec string
	var next sql.NullInt64
	var created, updated int64
	if err := scan(&r.ID, &r.Key, &r.Label, &r.AuthorizationID, &r.ManagedBy, &r.LyticsID, &spec, &next, &r.Paused, &r.Creator,
		&r.Confirmed, &created, &updated); err != nil {
		return r, err
	}
	var err error
	if r.InLytics, err = readSpec(spec, &r.JobSpec); err != nil {
		return r, corrupt("job "+r.ID, err)
	}
	r.NextRunAt, r.CreatedAt, r.UpdatedAt = fromNullMicros(next), fromMicros(created), fromMicros(updated)
	return r, nil
}

// Job reads a job by its id.
func (d *DB) Job(ctx context.Context, id string) (JobRow, error) {
	r, err := scanJob(d.Read().QueryRowContext(ctx, `SELECT `+jobColumns+` FROM jobs WHERE id = ?`, id).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return r, notFound("job", id)
	}
	return r, d.failed("Cannot read the store", err)
}

// JobByKey reads a job by its key; the error is CodeNotFound if there is none.
func (d *DB) JobByKey(ctx context.Context, key string) (JobRow, error) {
	r, err := scanJob(d.Read().QueryRowContext(ctx, `SELECT `+jobColumns+` FROM jobs WHERE key = ?`, key).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return r, notFound("job", key)
	}
	return r, d.failed("Cannot read the store", err)
}

// JobByLyticsID reads the one that stands for a job of the Lytics account;
// CodeNotFound when there is none.
func (d *DB) JobByLyticsID(ctx context.Context, lyticsID string) (JobRow, error) {
	r, err := scanJob(d.Read().QueryRowContext(ctx, `SELECT `+jobColumns+` FROM jobs WHERE lytics_id = ?`, lyticsID).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return r, notFound("job of the Lytics account", lyticsID)
	}
	return r, d.failed("Cannot read the store", err)
}

// scanJobs reads the rows of a query for jobColumns.
func scanJobs(rows *sql.Rows, err error) ([]JobRow, error) {
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var out []JobRow
	for rows.Next() {
		r, err := scanJob(rows.Scan)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, errors.Join(rows.Err(), rows.Close())
}

// Jobs reads all jobs, ordered by label and id.
func (d *DB) Jobs(ctx context.Context) ([]JobRow, error) {
	all, err := scanJobs(d.Read().QueryContext(ctx, `SELECT `+jobColumns+` FROM jobs ORDER BY label, id`))
	return all, d.failed("Cannot read the store", err)
}

func corrupt(what string, err error) error {
	return &jobs.Error{
		Code: jobs.CodeStore, Summary: "The store's record of " + what + " cannot be read", Detail: err.Error(),
		Next: "Use the release that wrote it, or restore the store from a backup; nothing was changed", Err: err,
	}
}
