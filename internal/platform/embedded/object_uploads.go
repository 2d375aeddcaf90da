package embedded

import (
	"context"
	"errors"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// A writer announces an object in the store (table segment_uploads) before it uploads
// the object, and the transaction that commits the object deletes the announcement.
// The writer of an announcement that is older than uploadLease counts as dead. A sweep
// first marks the announcement as given up, so that no transaction can commit the
// object any more, and then removes the object. Marking waits for a transaction that is
// committing the object, so that no committed object is removed. Sweeps may be
// repeated, and several processes may sweep at the same time.

// uploadLease is the time that a writer has from the announcement to the commit. A
// writer that takes longer counts as dead; if it is alive, it uploads a new object.
const uploadLease = 15 * time.Minute

// databaseNow is the store's clock, in microseconds.
const databaseNow = `CAST(unixepoch('subsec') * 1000000 AS BIGINT)`

func (b *objectSegments) announce(ctx context.Context, stream, name string) error {
	return b.db.WriteCommitted(ctx, func(tx *store.Tx) error {
		_, err := tx.ExecContext(ctx,
			`INSERT INTO segment_uploads (file, stream, given_up, expires_at) VALUES (?, ?, 0, `+databaseNow+` + ?)`,
			name, stream, uploadLease.Microseconds())
		return err
	})
}

func (b *objectSegments) commitSegment(ctx context.Context, tx *store.Tx, name string) error {
	r, err := tx.ExecContext(ctx, `DELETE FROM segment_uploads WHERE file = ? AND given_up = 0`, name)
	if err != nil {
		return err
	}
	n, err := r.RowsAffected()
	if err == nil && n == 0 {
		err = errGivenUp
	}
	return err
}

func (b *objectSegments) discard(ctx context.Context, name string) error {
	err := b.db.WriteCommitted(ctx, func(tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE segment_uploads SET given_up = 1 WHERE file = ?`, name)
		return err
	})
	if err != nil {
		return err
	}
	id, _, err := committed(ctx, b.db.Read(), name)
	if err != nil || id != 0 {
		return err
	}
	// The announcement stays until it expires, because the store of objects may complete a
	// cancelled upload after this removal.
	return b.remove(ctx, name)
}

// sweep removes the announced objects of dead writers, in any stream. With
// sweepUncommitted it also removes all uncommitted objects of this stream, and the
// objects of this stream that have no row in the store, for example after a restore of
// the store.
func (b *objectSegments) sweep(ctx context.Context, stream string, extent sweepExtent) error {
	given, err := b.giveUp(ctx, stream, extent)
	if err != nil {
		return err
	}
	for _, name := range given {
		if err := b.remove(ctx, name); err != nil {
			return err
		}
		err := b.db.WriteCommitted(ctx, func(tx *store.Tx) error {
			_, err := tx.ExecContext(ctx,
				`DELETE FROM segment_uploads WHERE file = ? AND given_up = 1 AND expires_at < `+databaseNow, name)
			return err
		})
		if err != nil {
			return err
		}
	}
	if extent != sweepUncommitted {
		return nil
	}
	return b.sweepUnknown(ctx, stream)
}

// giveUp marks announcements as given up, and returns the names of the objects that
// are given up.
func (b *objectSegments) giveUp(ctx context.Context, stream string, extent sweepExtent) (names []string, err error) {
	condition, args := `expires_at < `+databaseNow, []any{}
	if extent == sweepUncommitted {
		condition, args = `(`+condition+` OR stream = ?)`, []any{stream}
	}
	rows, err := b.db.Read().QueryContext(ctx, `SELECT file FROM segment_uploads WHERE `+condition, args...)
	if err != nil {
		return nil, err
	}
	old, err := scanAll[string](rows)
	if err != nil {
		return nil, err
	}
	for _, name := range old {
		err := b.db.WriteCommitted(ctx, func(tx *store.Tx) error {
			r, err := tx.ExecContext(ctx, `UPDATE segment_uploads SET given_up = 1 WHERE file = ?`, name)
			if err != nil {
				return err
			}
			n, err := r.RowsAffected()
			if err == nil && n == 0 {
				err = errGivenUp
			}
			return err
		})
		switch {
		case err == nil:
			names = append(names, name)
		case !errors.Is(err, errGivenUp):
			return nil, err
		}
		// errGivenUp means that the object was committed, or removed by another
		// process.
	}
	return names, nil
}

// sweepUnknown removes objects of a stream that have no row in the store. It lists the
// objects before it reads the store: every listed object was announced before its
// upload, so an object without a row cannot be committed any more.
func (b *objectSegments) sweepUnknown(ctx context.Context, stream string) error {
	stored, err := b.objects(ctx)
	if err != nil {
		return err
	}
	dir := b.key(streamDir(stream))
	objects, err := stored.List(ctx, dir)
	if err != nil || len(objects) == 0 {
		return err
	}
	rows, err := b.db.Read().QueryContext(ctx, `
		SELECT file FROM segments WHERE stream = ? UNION SELECT file FROM segment_uploads UNION SELECT file FROM replaced_segments`, stream)
	if err != nil {
		return err
	}
	list, err := scanAll[string](rows)
	if err != nil {
		return err
	}
	known := make(map[string]struct{}, len(list))
	for _, name := range list {
		known[b.key(name)] = struct{}{}
	}
	for _, o := range objects {
		if _, ok := known[o.Key]; ok {
			continue
		}
		if err := stored.Remove(ctx, o.Key); err != nil {
			return err
		}
	}
	return nil
}
