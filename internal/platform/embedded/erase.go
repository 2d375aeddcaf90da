package embedded

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/gofrs/flock"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// Erase removes the user that has an identity: all events that hold one of the
// user's identities, and the profile. The identities go on a list, as keyed
// hashes, by which later imports and rebuilds leave the user out. Cursors stay,
// so that nothing is imported again.
//
// The list is what is committed first. All else follows from it: killed at any
// moment, the next build or the next Erase does the rest.
func (p *Platform) Erase(ctx context.Context, id jobs.Identity, dryRun bool) (jobs.Erasure, error) {
	summary := "Cannot erase the user of that " + id.Field
	l := flock.New(filepath.Join(p.db.Dir(), profilesLock), flock.SetPermissions(0o600))
	if _, err := l.TryLockContext(ctx, lockRetry); err != nil {
		return jobs.Erasure{}, p.failed(summary, err)
	}
	defer func() { _ = l.Unlock() }()
	e, err := p.erase(ctx, id, dryRun)
	if err != nil {
		return jobs.Erasure{}, p.failed(summary, err)
	}
	return e, nil
}

func (p *Platform) erase(ctx context.Context, id jobs.Identity, dryRun bool) (jobs.Erasure, error) {
	if _, err := p.build(ctx, nil); err != nil {
		return jobs.Erasure{}, err
	}
	pl, err := p.plan(ctx)
	if err != nil {
		return jobs.Erasure{}, err
	}
	g, pr, err := p.erasedProfile(ctx, pl, id)
	if err != nil {
		return jobs.Erasure{}, err
	}
	e := jobs.Erasure{Identities: []jobs.Identity{id}, Streams: []jobs.ErasedEvents{}}
	who := map[identity]struct{}{}
	if pr != nil {
		e.Found, e.Identities = true, nil
		for _, i := range pr.identities {
			e.Identities = append(e.Identities, jobs.Identity{Field: pl.fields[i.field].ID, Value: i.value})
			who[i] = struct{}{}
		}
	}
	list, err := p.erased(ctx)
	if err != nil {
		return jobs.Erasure{}, err
	}
	for _, s := range pl.streams {
		n, err := p.countErased(ctx, s.name, newRecognizer(pl, s.name, list, who))
		if err != nil {
			return jobs.Erasure{}, err
		}
		if n > 0 {
			e.Streams = append(e.Streams, jobs.ErasedEvents{Stream: s.name, Events: n})
		}
	}
	if dryRun {
		return e, nil
	}
	err = p.db.Write(ctx, func(tx *store.Tx) error {
		if pr != nil {
			if _, err := tx.ExecContext(ctx, `INSERT INTO erased_profiles (generation, profile) VALUES (?, ?) ON CONFLICT DO NOTHING`, g.id, pr.id); err != nil {
				return err
			}
		}
		return addErased(ctx, tx, e.Identities, p.now().UnixMicro())
	})
	if err != nil {
		return jobs.Erasure{}, err
	}
	e.Done = true
	_, err = p.finishErasure(ctx, g)
	return e, err
}

// erasedProfile gives the profile to erase and its generation; nil when there is
// none.
func (p *Platform) erasedProfile(ctx context.Context, pl *plan, id jobs.Identity) (generation, *profile, error) {
	place, err := p.identifier(ctx, pl.fields, id)
	if err != nil {
		return generation{}, nil, err
	}
	g, built, err := currentGeneration(ctx, p.db.Read())
	if err != nil || !built || place < 0 {
		return g, nil, err
	}
	if g.fingerprint != pl.fingerprint {
		return g, nil, errors.New("fields or mappings were changed at the same time; run it again")
	}
	db, err := openForReading(filepath.Join(p.db.Dir(), g.file))
	if err != nil {
		return g, nil, err
	}
	defer func() { _ = db.Close() }()
	pr, err := loadByIdentity(ctx, db, pl.fields, identity{place, id.Value})
	if err == nil && pr != nil && pr.conflict {
		return g, nil, &jobs.Error{
			Code: jobs.CodeFailed, Attribute: "identifier", Summary: "Whose identifier that is cannot be told",
			Detail: "it is joined with more identities than one user has: a placeholder stands in an identifier, and joins users who are not the same",
			Next:   "Keep the placeholder out by a guard_expression, run an import so that profiles are built again, and erase then",
		}
	}
	return g, pr, err
}

// finishErasure removes what there is of users on the list. The caller holds the
// lock of builds, and the generation is built up to the streams. It tells how
// many profiles were removed.
func (p *Platform) finishErasure(ctx context.Context, g generation) (removed int64, err error) {
	pl, err := p.plan(ctx)
	if err != nil {
		return 0, err
	}
	list, err := p.erased(ctx)
	if err != nil {
		return 0, err
	}
	if removed, err = p.removeErasedProfiles(ctx, g); err != nil {
		return 0, err
	}
	for _, s := range pl.streams {
		// What a killed rewriting left behind is a copy of other users' events.
		if err := p.sweepStream(ctx, s.name, streamDir(s.name)); err != nil {
			return 0, err
		}
		if err := p.rewriteStream(ctx, s.name, newRecognizer(pl, s.name, list, nil)); err != nil {
			return 0, err
		}
	}
	if err := p.removeReplaced(ctx); err != nil {
		return 0, err
	}
	return removed, p.db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE erasure SET pending = 0 WHERE ? = (`+listVersion+`)`, list.version)
		return err
	})
}

// removeErasedProfiles removes profiles from the current generation's file, and
// makes its positions such that the extents before them may shrink. Other
// generations are forgotten: theirs are not.
func (p *Platform) removeErasedProfiles(ctx context.Context, g generation) (removed int64, err error) {
	if g.id == 0 {
		return 0, nil
	}
	rows, err := p.db.Read().QueryContext(ctx, `SELECT profile FROM erased_profiles WHERE generation = ?`, g.id)
	if err != nil {
		return 0, err
	}
	profiles, err := scanAll[int64](rows)
	if err != nil {
		return 0, err
	}
	db, err := openForBuilding(ctx, filepath.Join(p.db.Dir(), g.file))
	if err != nil {
		return 0, err
	}
	removed, err = removeProfiles(ctx, db, g.fields, profiles)
	if err = errors.Join(err, db.Close()); err != nil {
		return 0, err
	}
	return removed, p.db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM erased_profiles`)
		if err == nil {
			_, err = tx.ExecContext(ctx, `DELETE FROM profile_generations WHERE current = 0`)
		}
		return err
	})
}

func removeProfiles(ctx context.Context, db *sql.DB, fields []mappedField, profiles []int64) (removed int64, err error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer func() { _ = tx.Rollback() }()
	for _, id := range profiles {
		ok, err := removeProfile(ctx, tx, fields, id)
		if err != nil {
			return 0, err
		}
		if ok {
			removed++
		}
	}
	if _, err := tx.ExecContext(ctx, `UPDATE counters SET n = n - ? WHERE name = 'profiles'`, removed); err != nil {
		return 0, err
	}
	// A position at the end of an extent is also one after it, which does not
	// say how long the extent is.
	if _, err := tx.ExecContext(ctx, `UPDATE positions SET offset = 0, events = 0, checksum = 0`); err != nil {
		return 0, err
	}
	if err := tx.Commit(); err != nil {
		return 0, err
	}
	// The log still has the pages as they were.
	_, err = db.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
	return removed, err
}

// removeProfile is false when the profile is gone already.
func removeProfile(ctx context.Context, tx *sql.Tx, fields []mappedField, id int64) (bool, error) {
	var blob []byte
	err := tx.QueryRowContext(ctx, `DELETE FROM profiles WHERE id = ? RETURNING state`, id).Scan(&blob)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	pr, err := readProfile(blob, fields, make([]bool, len(fields)))
	if err != nil {
		return false, err
	}
	for _, i := range pr.identities {
		if _, err := tx.ExecContext(ctx, `DELETE FROM identities WHERE field = ? AND value = ?`, i.field, i.value); err != nil {
			return false, err
		}
	}
	return true, nil
}

// removeReplaced removes the segment files that were written again.
func (p *Platform) removeReplaced(ctx context.Context) error {
	rows, err := p.db.Read().QueryContext(ctx, `SELECT file FROM replaced_segments`)
	if err != nil {
		return err
	}
	files, err := scanAll[string](rows)
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := os.Remove(filepath.Join(p.db.Dir(), filepath.FromSlash(f))); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("a file with erased events cannot be removed, perhaps because another program has it open: %w", err)
		}
		err := p.db.Write(ctx, func(tx *store.Tx) error {
			_, err := tx.ExecContext(ctx, `DELETE FROM replaced_segments WHERE file = ?`, f)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// scanAll reads rows of one column.
func scanAll[T any](rows *sql.Rows) ([]T, error) {
	defer func() { _ = rows.Close() }()
	var all []T
	for rows.Next() {
		var v T
		if err := rows.Scan(&v); err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return slices.Clip(all), rows.Err()
}
