package engine

import (
	"context"
	"errors"
	"io/fs"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// RotateKey encrypts the store with another key, and records that in the audit log.
// The key that the options name is the earlier one, or, if the command is given
// again after the configuration was changed, the later one.
func RotateKey(ctx context.Context, o Options, to *store.Key, discardUnreadable bool) (store.Rotated, error) {
	e := New(o)
	defer func() { _ = e.Close() }() // nothing was begun that has to be ended
	db, err := e.open(ctx, readStore)
	if err != nil {
		return store.Rotated{}, err
	}
	from, err := e.ownKey(readKey)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return store.Rotated{}, err
	}
	a := Audited{e}
	entry := jobs.AuditEntry{Action: "rotate-key", Object: to.ID()}
	return change(ctx, a, entry, func(ctx context.Context) (store.Rotated, error) {
		return db.RotateKey(ctx, store.Rotation{From: from, To: to, DiscardUnreadable: discardUnreadable})
	})
}

// putAuthorization keeps an authorization. If the store's key was rotated after its
// secret was encrypted, the secret is encrypted again.
func (e *Engine) putAuthorization(ctx context.Context, db *store.DB, row store.AuthorizationRow) error {
	for {
		err := db.PutAuthorization(ctx, row)
		if !errors.Is(err, store.ErrKeyRotated) {
			return err
		}
		key, err := e.key(ctx, db, readKey)
		if err != nil {
			return err
		}
		secret, err := row.Open(key)
		if err != nil {
			return err
		}
		row.Seal(key, secret)
	}
}
