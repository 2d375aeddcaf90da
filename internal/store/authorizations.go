package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// AuthorizationRow is an authorization with its sealed secret.
type AuthorizationRow struct {
	jobs.Authorization
	Sealed []byte
	// binding is what the secret is bound to.
	binding secretBinding
	// PredatesLists is set if a release made the authorization that had no lists of
	// what token_env may name and of which private hosts may be contacted.
	PredatesLists bool
	Creator       string
	Confirmed     bool
}

const authorizationColumns = `id, label, description, host, port, http_path, token_env, token_version, client_id, client_secret_version, login, ca_file, catalog_api, check_connection, managed_by, lytics_id, secret, secret_binding, predates_lists, creator, confirmed, created_at, updated_at`

func scanAuthorization(scan func(...any) error) (AuthorizationRow, error) {
	var r AuthorizationRow
	var created, updated int64
	err := scan(
		&r.ID,
		&r.Label,
		&r.Description,
		&r.Host,
		&r.Port,
		&r.HTTPPath,
		&r.TokenEnv,
		&r.TokenVersion,
		&r.ClientID,
		&r.ClientSecretVersion,
		&loginColumn{&r.Login},
		&r.CAFile,
		&r.CatalogAPI,
		&r.CheckConnection,
		&r.ManagedBy,
		&r.LyticsID,
		&r.Sealed,
		&r.binding,
		&r.PredatesLists,
		&r.Creator,
		&r.Confirmed,
		&created,
		&updated,
	)
	r.CreatedAt, r.UpdatedAt = fromMicros(created), fromMicros(updated)
	return r, err
}

// PutAuthorization inserts or updates an authorization. Its host is part of its
// jobs' keys, which change in the same transaction; a key that another job holds
// is CodeConflict, and then nothing has changed. ErrKeyRotated means that the secret
// was encrypted, or read, before a rotation of the key.
func (d *DB) PutAuthorization(ctx context.Context, r AuthorizationRow) error {
	return d.Write(ctx, func(tx *Tx) error {
		if err := checkSecret(ctx, tx, r); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO authorizations (`+authorizationColumns+`)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, `+now+`, `+now+`)
			ON CONFLICT (id) DO UPDATE SET label = excluded.label, description = excluded.description,
				host = excluded.host, port = excluded.port, http_path = excluded.http_path,
				token_env = excluded.token_env, token_version = excluded.token_version,
				client_id = excluded.client_id, client_secret_version = excluded.client_secret_version, login = excluded.login, ca_file = excluded.ca_file, catalog_api = excluded.catalog_api,
				check_connection = excluded.check_connection, managed_by = excluded.managed_by, lytics_id = excluded.lytics_id, secret = excluded.secret,
				secret_binding = excluded.secret_binding, predates_lists = excluded.predates_lists,
				creator = excluded.creator, updated_at = excluded.updated_at`,
			r.ID, r.Label, r.Description, r.Host, r.Port, r.HTTPPath, r.TokenEnv, r.TokenVersion,
			r.ClientID, r.ClientSecretVersion, loginColumn{&r.Login}, r.CAFile, r.CatalogAPI, r.CheckConnection, r.ManagedBy, r.LyticsID, r.Sealed, r.binding,
			r.PredatesLists, r.Creator, r.Confirmed)
		if err != nil {
			return err
		}
		if err := tx.audit(ctx, r.ID, r.Label, ""); err != nil {
			return err
		}
		return rekeyJobs(ctx, tx, r.ID, r.Host)
	})
}

// checkSecret refuses a secret that is neither the stored one nor encrypted with the
// store's current key.
func checkSecret(ctx context.Context, tx *Tx, r AuthorizationRow) error {
	if r.Sealed == nil {
		return nil
	}
	var stored []byte
	err := tx.QueryRowContext(ctx, `SELECT secret FROM authorizations WHERE id = ?`, r.ID).Scan(&stored)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if bytes.Equal(stored, r.Sealed) {
		return nil
	}
	return checkSealed(ctx, tx, r.Sealed)
}

// rekeyJobs updates the keys of an authorization's jobs to a new host.
func rekeyJobs(ctx context.Context, tx *Tx, authorizationID, host string) error {
	all, err := scanJobs(tx.QueryContext(ctx, `SELECT `+jobColumns+` FROM jobs WHERE authorization_id = ? ORDER BY id`, authorizationID))
	if err != nil {
		return err
	}
	for _, job := range all {
		key := jobs.Key(host, job.JobSpec)
		if key == job.Key {
			continue
		}
		job.Key = key
		if err := putJob(ctx, tx, job); err != nil {
			return err
		}
	}
	return nil
}

// Authorization reads an authorization by its id.
func (d *DB) Authorization(ctx context.Context, id string) (AuthorizationRow, error) {
	r, err := scanAuthorization(d.Read().QueryRowContext(ctx, `SELECT `+authorizationColumns+` FROM authorizations WHERE id = ?`, id).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return r, notFound("authorization", id)
	}
	return r, d.failed("Cannot read the store", err)
}

// UnconfirmedAuthorizations lists the authorizations that no state file is known to
// hold.
func (d *DB) UnconfirmedAuthorizations(ctx context.Context) ([]AuthorizationRow, error) {
	return d.authorizations(ctx, `confirmed = 0`)
}

// Authorizations lists all authorizations.
func (d *DB) Authorizations(ctx context.Context) ([]AuthorizationRow, error) {
	return d.authorizations(ctx, `1 = 1`)
}

// AuthorizationsBeforeLists lists those with PredatesLists.
func (d *DB) AuthorizationsBeforeLists(ctx context.Context) ([]AuthorizationRow, error) {
	return d.authorizations(ctx, `predates_lists = 1`)
}

// authorizations lists the authorizations that meet a condition, oldest first.
func (d *DB) authorizations(ctx context.Context, condition string, args ...any) ([]AuthorizationRow, error) {
	rows, err := d.Read().QueryContext(ctx, `SELECT `+authorizationColumns+` FROM authorizations WHERE `+condition+` ORDER BY created_at`, args...)
	if err != nil {
		return nil, d.failed("Cannot read the store", err)
	}
	defer func() { _ = rows.Close() }()
	var out []AuthorizationRow
	for rows.Next() {
		r, err := scanAuthorization(rows.Scan)
		if err != nil {
			return nil, d.failed("Cannot read the store", err)
		}
		out = append(out, r)
	}
	return out, d.failed("Cannot read the store", rows.Err())
}

// AuthorizationByLyticsID reads the one that stands for an authorization of the
// Lytics account; CodeNotFound when there is none.
func (d *DB) AuthorizationByLyticsID(ctx context.Context, lyticsID string) (AuthorizationRow, error) {
	r, err := scanAuthorization(
		d.Read().QueryRowContext(ctx, `SELECT `+authorizationColumns+` FROM authorizations WHERE lytics_id = ?`, lyticsID).Scan,
	)
	if errors.Is(err, sql.ErrNoRows) {
		return r, notFound("authorization of the Lytics account", lyticsID)
	}
	return r, d.failed("Cannot read the store", err)
}

// DeleteAuthorization removes an authorization, unless jobs use it.
func (d *DB) DeleteAuthorization(ctx context.Context, id string) error {
	return d.Write(ctx, func(tx *Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT id, label FROM jobs WHERE authorization_id = ? ORDER BY id`, id)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		var users []string
		for rows.Next() {
			var job, label string
			if err := rows.Scan(&job, &label); err != nil {
				return err
			}
			users = append(users, fmt.Sprintf("%s (%s)", label, job))
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return err
		}
		if len(users) > 0 {
			return &jobs.Error{
				Code: jobs.CodeInUse, Summary: fmt.Sprintf("Authorization %s is still used", id),
				Detail: "These jobs use it: " + strings.Join(users, ", ") + ".",
				Next:   "Destroy the jobs first, or give them another authorization",
			}
		}
		if err := tx.audit(ctx, id, "", ""); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM authorizations WHERE id = ?`, id)
		return err
	})
}

// Confirm records that a state file holds the authorization or job. The error is
// CodeNotFound if there is neither. It writes only if the object is not confirmed yet.
func (d *DB) Confirm(ctx context.Context, id string) error {
	for _, table := range []string{"authorizations", "jobs"} {
		var confirmed bool
		err := d.Read().QueryRowContext(ctx, `SELECT confirmed FROM `+table+` WHERE id = ?`, id).Scan(&confirmed)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil || confirmed {
			return d.failed("Cannot read the store", err)
		}
		return d.Write(ctx, func(tx *Tx) error {
			_, err := tx.ExecContext(ctx, `UPDATE `+table+` SET confirmed = 1 WHERE id = ?`, id)
			return err
		})
	}
	return notFound("authorization or job", id)
}

func notFound(kind, id string) error {
	return &jobs.Error{
		Code:    jobs.CodeNotFound,
		Summary: fmt.Sprintf("No %s %q in the store", kind, id),
		Detail:  "It was removed, or it was never in this store.",
		Next:    "Check the id and the data_dir",
	}
}
