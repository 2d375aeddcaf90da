package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// OwnerRow says which resource an object of the platform belongs to.
type OwnerRow struct {
	Kind jobs.ObjectKind
	// ID is the object's id.
	ID string
	// Owner is empty while the object belongs to no resource.
	Owner jobs.Owner
	// Claimant is a resource that becomes the owner once a state file is known to
	// hold it: a plan that is never applied changes no owner.
	Claimant jobs.Owner
	// Creator is the process that created the object.
	Creator string
	// Confirmed is set once a state file is known to hold the object.
	Confirmed bool
}

// IntentRow is a create that is under way.
type IntentRow struct {
	Kind jobs.ObjectKind
	// Place tells the object from others of its kind before it has an id.
	Place   string
	Owner   jobs.Owner
	Creator string
	// Definition is the object's definition as JSON.
	Definition string
}

// Owner reads an object's owner; ok is false if none was ever noted.
func (d *DB) Owner(ctx context.Context, kind jobs.ObjectKind, id string) (r OwnerRow, ok bool, err error) {
	r, ok, err = readOwner(ctx, d.Read(), kind, id)
	return r, ok, d.failed("Cannot read the store", err)
}

func readOwner(ctx context.Context, q Querier, kind jobs.ObjectKind, id string) (OwnerRow, bool, error) {
	r := OwnerRow{Kind: kind, ID: id}
	err := q.QueryRowContext(
		ctx,
		`SELECT owner, claimant, creator, confirmed FROM platform_owners WHERE kind = ? AND object = ?`,
		string(kind),
		id,
	).
		Scan(
			&r.Owner,
			&r.Claimant,
			&r.Creator,
			&r.Confirmed,
		)
	if errors.Is(err, sql.ErrNoRows) {
		return r, false, nil
	}
	return r, err == nil, err
}

// ChangeOwner gives an object's owner to f and writes what f makes of it, in one
// transaction. Nothing is written if f returns false.
func (d *DB) ChangeOwner(ctx context.Context, kind jobs.ObjectKind, id string, f func(r *OwnerRow, known bool) (write bool)) error {
	return d.Write(ctx, func(tx *Tx) error {
		r, known, err := readOwner(ctx, tx, kind, id)
		if err != nil || !f(&r, known) {
			return err
		}
		return putOwner(ctx, tx, r)
	})
}

func putOwner(ctx context.Context, tx *Tx, r OwnerRow) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO platform_owners (kind, object, owner, claimant, creator, confirmed, noted_at)
		VALUES (?, ?, ?, ?, ?, ?, `+now+`) ON CONFLICT (kind, object) DO UPDATE SET owner = excluded.owner, claimant = excluded.claimant,
			creator = excluded.creator, confirmed = excluded.confirmed, noted_at = excluded.noted_at`,
		string(r.Kind), r.ID, string(r.Owner), string(r.Claimant), r.Creator, r.Confirmed)
	return err
}

// ForgetOwner removes the note about the owner of an object that was deleted.
func (d *DB) ForgetOwner(ctx context.Context, kind jobs.ObjectKind, id string) error {
	return d.WriteCommitted(ctx, func(tx *Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM platform_owners WHERE kind = ? AND object = ?`, string(kind), id)
		return err
	})
}

// Intent reads the create that is under way at a place; ok is false for none.
func (d *DB) Intent(ctx context.Context, kind jobs.ObjectKind, place string) (r IntentRow, ok bool, err error) {
	r, ok, err = readIntent(ctx, d.Read(), kind, place)
	return r, ok, d.failed("Cannot read the store", err)
}

func readIntent(ctx context.Context, q Querier, kind jobs.ObjectKind, place string) (IntentRow, bool, error) {
	r := IntentRow{Kind: kind, Place: place}
	err := q.QueryRowContext(ctx, `SELECT owner, creator, definition FROM platform_intents WHERE kind = ? AND place = ?`, string(kind), place).
		Scan(&r.Owner, &r.Creator, &r.Definition)
	if errors.Is(err, sql.ErrNoRows) {
		return r, false, nil
	}
	return r, err == nil, err
}

// Intend writes down a create before the platform is called. It writes nothing and
// returns false if the place no longer has the intent that the caller saw: prior,
// or none where prior is nil.
func (d *DB) Intend(ctx context.Context, want IntentRow, prior *IntentRow) (written bool, err error) {
	err = d.Write(ctx, func(tx *Tx) error {
		have, known, err := readIntent(ctx, tx, want.Kind, want.Place)
		if err != nil {
			return err
		}
		written = prior == nil && !known || prior != nil && known && have == *prior
		if !written {
			return nil
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO platform_intents (kind, place, owner, creator, definition, noted_at)
			VALUES (?, ?, ?, ?, ?, `+now+`) ON CONFLICT (kind, place) DO UPDATE SET owner = excluded.owner, creator = excluded.creator,
				definition = excluded.definition, noted_at = excluded.noted_at`,
			string(want.Kind), want.Place, string(want.Owner), want.Creator, want.Definition)
		return err
	})
	return written && err == nil, err
}

// FinishIntent removes the intent of a create that ended. If it created an object,
// made says whose that is; it is nil otherwise.
func (d *DB) FinishIntent(ctx context.Context, i IntentRow, made *OwnerRow) error {
	return d.Write(ctx, func(tx *Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM platform_intents WHERE kind = ? AND place = ? AND owner = ? AND creator = ?`,
			string(i.Kind), i.Place, string(i.Owner), i.Creator); err != nil || made == nil {
			return err
		}
		return putOwner(ctx, tx, *made)
	})
}
