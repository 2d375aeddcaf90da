package embedded

import (
	"context"
	"errors"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// An object is announced in the store before it is uploaded, and the transaction
// that commits it takes the announcement away. What is announced for longer than
// an upload takes belongs to a dead writer: it is given up first, after which no
// transaction can commit it, and then removed. Who gives up waits for a
// transaction that is under way, so nothing that was committed is removed, and
// sweeping may be repeated and done by several at once.

// uploadLease is how long a writer has from the announcement to the commit. One
// that takes longer is held for dead and begins again.
const uploadLease = 15 * time.Minute

// databaseNow is the store's clock, in microseconds.
const databaseNow = `CAST(unixepoch('subsec') * 1000000 AS BIGINT)`

func (b *bucketSegments) announce(ctx context.Context, stream, name string) error {
	return b.db.WriteCommitted(ctx, func(tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO segment_uploads (file, stream, given_up, expires_at) VALUES (?, ?, 0, `+databaseNow+` + ?)`,
			name, stream, uploadLease.Microseconds())
		return err
	})
}

func (b *bucketSegments) admit(ctx context.Context, tx *store.Tx, name string) error {
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

func (b *bucketSegments) abandon(ctx context.Context, name string) error {
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
	// The announcement stays until it expires: a request that was cancelled may
	// still be carried out after this one.
	return b.remove(ctx, name)
}

// sweep removes what dead writers announced, of any stream. Thorough, it gives
// up whatever is not committed in the stream, and looks in the bucket for what
// nobody announced, as after a restore of the store.
func (b *bucketSegments) sweep(ctx context.Context, stream string, thorough bool) error {
	given, err := b.giveUp(ctx, stream, thorough)
	if err != nil {
		return err
	}
	for _, name := range given {
		if err := b.remove(ctx, name); err != nil {
			return err
		}
		err := b.db.WriteCommitted(ctx, func(tx *store.Tx) error {
			_, err := tx.ExecContext(ctx, `DELETE FROM segment_uploads WHERE file = ? AND given_up = 1 AND expires_at < `+databaseNow, name)
			return err
		})
		if err != nil {
			return err
		}
	}
	if !thorough {
		return nil
	}
	return b.sweepUnknown(ctx, stream)
}

// giveUp gives up announcements and lists those that are given up.
func (b *bucketSegments) giveUp(ctx context.Context, stream string, thorough bool) (names []string, err error) {
	condition, args := `expires_at < `+databaseNow, []any{}
	if thorough {
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
		// Else it was committed, or swept by another.
	}
	return names, nil
}

// sweepUnknown removes objects of a stream that the store does not know. The
// listing comes first: what it shows was announced before, and is known now or
// will never be.
func (b *bucketSegments) sweepUnknown(ctx context.Context, stream string) error {
	bucket, err := b.bucket(ctx)
	if err != nil {
		return err
	}
	dir := b.key(streamDir(stream))
	objects, err := bucket.List(ctx, dir)
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
		if err := bucket.Remove(ctx, o.Key); err != nil {
			return err
		}
	}
	return nil
}
