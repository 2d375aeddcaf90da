package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// Rotation describes a rotation of the encryption key.
type Rotation struct {
	// From is the key that the process is configured with: the earlier or the later
	// one, or nil if there is none.
	From *Key
	// To is the key that everything is encrypted with in the end.
	To *Key
	// DiscardUnreadable removes what no key opens, in place of an error.
	DiscardUnreadable bool

	// step is called before each transaction; tests stop there.
	step func(name string) error
}

// Rotated is what a rotation did.
type Rotated struct {
	// Secrets and Rows are the texts that were encrypted again: secrets of
	// authorizations, and rows in quarantine. Discarded were removed.
	Secrets, Rows, Discarded int64
	// Waiting are the processes that have the earlier key. Until they have ended, the
	// store keeps the later key encrypted with the earlier one for them.
	Waiting []Instance
}

// rotateBatch is how many texts one transaction encrypts again, and mostNamed how
// many an error names.
const (
	rotateBatch = 50
	mostNamed   = 5
)

// RotateKey encrypts everything with another key. It can be killed at any point and
// called again. Meanwhile the store keeps each of the two keys encrypted with the
// other one, so that processes with either go on. These are removed in the end,
// unless a process is alive that has the earlier key.
func (d *DB) RotateKey(ctx context.Context, r Rotation) (done Rotated, err error) {
	if r.step == nil {
		r.step = func(string) error { return nil }
	}
	ring := r.To
	if r.From != nil && r.From.ID() != r.To.ID() {
		ring = r.To.with(r.From)
	}
	if ring, err = d.withWrapped(ctx, ring); err != nil {
		return done, err
	}
	if !r.DiscardUnreadable {
		if err := d.refuseUnreadable(ctx, ring); err != nil {
			return done, err
		}
	}
	if err := r.step("begin"); err != nil {
		return done, err
	}
	if err := d.beginRotation(ctx, ring); err != nil {
		return done, err
	}
	for _, kind := range []*sealedTexts{&sealedSecrets, &sealedRows} {
		count := &done.Secrets
		if kind == &sealedRows {
			count = &done.Rows
		}
		// A whole pass that finds nothing is the end.
		for after := kind.first; ; {
			if err := r.step("encrypt " + kind.table); err != nil {
				return done, err
			}
			b, err := d.rotateBatch(ctx, kind, ring, after, r.DiscardUnreadable)
			if err != nil {
				return done, err
			}
			*count += b.encrypted
			done.Discarded += b.discarded
			if b.last == nil && after == kind.first {
				break
			}
			if after = b.last; after == nil {
				after = kind.first
			}
		}
	}
	if err := r.step("end"); err != nil {
		return done, err
	}
	done.Waiting, err = d.endRotation(ctx, r.To.ID())
	return done, err
}

// withWrapped adds the keys that the store keeps for those of a keyring.
func (d *DB) withWrapped(ctx context.Context, ring *Key) (*Key, error) {
	others := ring.others
	for _, k := range append([]*Key{ring}, ring.others...) {
		known, err := d.Keyring(ctx, k)
		if jobs.IsCode(err, jobs.CodeSecretUnreadable) {
			continue // the key gives access to no other
		}
		if err != nil {
			return nil, err
		}
		others = append(append(others, known.with()), known.others...)
	}
	return ring.with(others...), nil
}

// beginRotation makes the first key of a ring the current one, and keeps each of the
// others encrypted with it, and it with each of the others.
func (d *DB) beginRotation(ctx context.Context, ring *Key) error {
	return d.Write(ctx, func(tx *Tx) error {
		if err := tx.Lock(ctx, keyLock); err != nil {
			return err
		}
		current, err := currentKey(ctx, tx)
		if err != nil || current == ring.ID() {
			return err
		}
		unfinished, err := texts(tx.QueryContext(ctx, `SELECT DISTINCT key_id FROM encryption_keys WHERE key_id = ?`, current))
		if err != nil {
			return err
		}
		if len(unfinished) > 0 {
			return &jobs.Error{
				Code: jobs.CodeConflict, Attribute: "new-key-file", Summary: "A rotation to another key has not ended",
				Detail: fmt.Sprintf("It is a rotation to the key %s, and the new key that is given is %s.", current, ring.ID()),
				Next:   "Run the command with that key again until it reports that the rotation has ended, and then with this one",
			}
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO encryption_current (one, key_id) VALUES (1, ?)
			ON CONFLICT (one) DO UPDATE SET key_id = excluded.key_id`, ring.ID()); err != nil {
			return err
		}
		for _, other := range ring.others {
			if other.ID() == ring.ID() {
				continue
			}
			for _, w := range []struct{ key, by *Key }{{ring, other}, {other, ring}} {
				sealed := w.by.with().seal([]byte(w.key.raw.Reveal()), boundKey(w.key.ID()))
				if _, err := tx.ExecContext(ctx, `INSERT INTO encryption_keys (key_id, by_id, sealed) VALUES (?, ?, ?)
					ON CONFLICT (key_id, by_id) DO UPDATE SET sealed = excluded.sealed`, w.key.ID(), w.by.ID(), sealed); err != nil {
					return err
				}
			}
		}
		return tx.audit(ctx, ring.ID(), "", "")
	})
}

// batch is what one transaction did. last is nil if there was nothing to do.
type batch struct {
	encrypted, discarded int64
	last                 any
}

// rotateBatch encrypts some texts after an id with the first key of a ring.
func (d *DB) rotateBatch(ctx context.Context, s *sealedTexts, ring *Key, after any, discard bool) (b batch, err error) {
	err = d.Write(ctx, func(tx *Tx) error {
		b = batch{}
		found, err := s.read(ctx, tx, ring, after)
		if err != nil {
			return err
		}
		for _, t := range found {
			b.last = t.id
			text, err := ring.open(t.sealed, t.bound)
			switch {
			case err == nil:
				b.encrypted++
				_, err = tx.ExecContext(ctx, `UPDATE `+s.table+` SET `+s.column+` = ? WHERE id = ? AND `+s.column+` = ?`,
					ring.seal(text, t.bound), t.id, t.sealed)
			case discard:
				b.discarded++
				_, err = tx.ExecContext(ctx, s.discard, t.id, t.sealed)
			default:
				err = unreadable([]string{fmt.Sprint(s.table, " ", t.id)})
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	return b, err
}

// refuseUnreadable fails if there is a text that no key of a ring opens: nothing is
// changed then.
func (d *DB) refuseUnreadable(ctx context.Context, ring *Key) error {
	var bad []string
	for _, s := range []*sealedTexts{&sealedSecrets, &sealedRows} {
		after := s.first
		for {
			found, err := s.read(ctx, d.Read(), ring, after)
			if err != nil {
				return d.failed("Cannot read the store", err)
			}
			for _, t := range found {
				after = t.id
				if _, err := ring.open(t.sealed, t.bound); err != nil && len(bad) < mostNamed {
					bad = append(bad, fmt.Sprint(s.table, " ", t.id))
				}
			}
			if len(found) < rotateBatch {
				break
			}
		}
	}
	if len(bad) > 0 {
		return unreadable(bad)
	}
	return nil
}

func unreadable(texts []string) error {
	return &jobs.Error{
		Code: jobs.CodeSecretUnreadable, Attribute: "encryption_key_file", Summary: "The present key does not open everything in the store",
		Detail: "These texts were encrypted with another key: " + strings.Join(texts, ", ") + ", and perhaps more.",
		Next: "Give the present key (" + KeyEnv + " or encryption_key_file); or give the tokens again and drop the rows of the quarantine; " +
			"or add --discard-unreadable, which removes them",
	}
}

// endRotation removes what the store keeps for the earlier key, unless a process that
// has that one is alive; it returns those.
func (d *DB) endRotation(ctx context.Context, keyID string) (waiting []Instance, err error) {
	err = d.Write(ctx, func(tx *Tx) error {
		if err := tx.Lock(ctx, keyLock); err != nil {
			return err
		}
		var one int
		err := tx.QueryRowContext(ctx, `SELECT 1 FROM encryption_keys LIMIT 1`).Scan(&one)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		if waiting, err = aliveWithOtherKey(ctx, tx, keyID); err != nil || len(waiting) > 0 {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM encryption_keys`)
		return err
	})
	return waiting, err
}

// aliveWithOtherKey lists the processes that are alive and have another key. A
// process without a key waits for none.
func aliveWithOtherKey(ctx context.Context, q Querier, keyID string) ([]Instance, error) {
	rows, err := q.QueryContext(ctx, `SELECT id, kind, host, version FROM instances
		WHERE heartbeat_at > `+now+` - ? AND key_id <> '' AND key_id <> ? ORDER BY kind DESC, id`, Lease.Microseconds(), keyID)
	if err != nil {
		return nil, err
	}
	return scanInstances(rows)
}
