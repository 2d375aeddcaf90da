package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// keptVersions is how many versions of a job's definition are kept, the newest ones.
const keptVersions = 50

// noteVersion keeps the definition of a job as its newest version, if it differs from
// the version before.
func noteVersion(ctx context.Context, tx *Tx, r JobRow) error {
	spec, err := writeSpec(r.JobSpec, nil) // what the store remembers of Lytics is no part of the definition
	if err != nil {
		return err
	}
	var last jobs.JobSpec
	var stored string
	err = tx.QueryRowContext(ctx, `SELECT label, authorization_id, managed_by, spec FROM job_versions WHERE job_id = ? ORDER BY id DESC LIMIT 1`,
		r.ID).Scan(&last.Label, &last.AuthorizationID, &last.ManagedBy, &stored)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if err == nil && last.Label == r.Label && last.AuthorizationID == r.AuthorizationID && last.ManagedBy == r.ManagedBy {
		// A version that a later release wrote counts as another definition.
		if _, err := readSpec(stored, &last); err == nil {
			if before, err := writeSpec(last, nil); err == nil && before == spec {
				return nil
			}
		}
	}
	actor := ""
	if a, ok := ctx.Value(auditedKey{}).(*Audited); ok {
		actor = a.Actor.Name
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO job_versions (job_id, label, authorization_id, managed_by, spec, actor, at)
		VALUES (?, ?, ?, ?, ?, ?, `+now+`)`, r.ID, r.Label, r.AuthorizationID, string(r.ManagedBy), spec, actor); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM job_versions WHERE job_id = ? AND id <= (
		SELECT id FROM job_versions WHERE job_id = ? ORDER BY id DESC LIMIT 1 OFFSET ?)`, r.ID, r.ID, keptVersions)
	return err
}

// JobVersions reads the definitions that a job has had, the newest first.
func (d *DB) JobVersions(ctx context.Context, jobID string) ([]jobs.JobVersion, error) {
	rows, err := d.Read().QueryContext(ctx, `SELECT at, actor, label, authorization_id, managed_by, spec FROM job_versions
		WHERE job_id = ? ORDER BY id DESC`, jobID)
	if err != nil {
		return nil, d.failed("Cannot read the definitions of job "+jobID, err)
	}
	defer func() { _ = rows.Close() }()
	var out []jobs.JobVersion
	for rows.Next() {
		var v jobs.JobVersion
		var at int64
		var spec string
		if err := rows.Scan(&at, &v.Actor, &v.Label, &v.AuthorizationID, &v.ManagedBy, &spec); err != nil {
			return nil, d.failed("Cannot read the definitions of job "+jobID, err)
		}
		if _, err := readSpec(spec, &v.JobSpec); err != nil {
			return nil, corrupt("job "+jobID, err)
		}
		v.At = fromMicros(at)
		out = append(out, v)
	}
	return out, d.failed("Cannot read the definitions of job "+jobID, rows.Err())
}
