package embedded

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// Erase removes the user that has an identity: all events that contain one of the
// user's identities, and the profile. Keyed hashes of the identities are added to a
// list, by which later imports and rebuilds leave the user out. Cursors stay, so that
// no event is imported again.
//
// The list is committed first. If the process is killed afterwards, the next
// build or the next Erase finishes the erasure from the list.
func (p *Platform) Erase(ctx context.Context, id jobs.Identity, dryRun bool) (jobs.Erasure, error) {
	summary := "Cannot erase the user of that " + id.Field
	lock, err := p.profiles.lock(ctx)
	if err != nil {
		return jobs.Erasure{}, p.storageError(summary, err)
	}
	e, err := p.erase(ctx, lock, id, dryRun)
	if err = errors.Join(err, lock.release()); err != nil {
		return jobs.Erasure{}, p.storageError(summary, err)
	}
	return e, nil
}

func (p *Platform) erase(ctx context.Context, lock buildLock, id jobs.Identity, dryRun bool) (jobs.Erasure, error) {
	if _, err := p.build(ctx, lock, nil); err != nil {
		return jobs.Erasure{}, err
	}
	pl, err := p.mappingPlan(ctx)
	if err != nil {
		return jobs.Erasure{}, err
	}
	g, pr, err := p.erasedProfile(ctx, pl, id)
	if err != nil {
		return jobs.Erasure{}, err
	}
	e := jobs.Erasure{Identities: []jobs.Identity{id}, Streams: []jobs.ErasedEvents{}}
	erased := map[identity]struct{}{}
	if pr != nil {
		e.Found, e.Identities = true, nil
		for _, i := range pr.identities {
			e.Identities = append(e.Identities, jobs.Identity{Field: pl.fields[i.field].ID, Value: i.value})
			erased[i] = struct{}{}
		}
	}
	list, err := p.erased(ctx)
	if err != nil {
		return jobs.Erasure{}, err
	}
	for _, s := range pl.streams {
		n, err := p.countErased(ctx, s.name, newErasedMatcher(pl, s.name, list, erased))
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
	err = p.buildWrite(ctx, lock, func(tx *store.Tx) error {
		if pr != nil {
			_, err := tx.ExecContext(ctx,
				`INSERT INTO erased_profiles (generation, profile) VALUES (?, ?) ON CONFLICT DO NOTHING`, g.id, pr.id)
			if err != nil {
				return err
			}
		}
		return addErased(ctx, tx, e.Identities, p.now().UnixMicro())
	})
	if err != nil {
		return jobs.Erasure{}, err
	}
	e.Done = true
	_, err = p.finishErasure(ctx, lock, g)
	return e, err
}

// erasedProfile returns the profile to erase, nil if there is none, and its
// generation.
func (p *Platform) erasedProfile(ctx context.Context, pl *mappingPlan, id jobs.Identity) (generation, *profile, error) {
	index, err := p.identifierIndex(ctx, pl.fields, id)
	if err != nil {
		return generation{}, nil, err
	}
	g, built, err := currentGeneration(ctx, p.db.Read())
	if err != nil || !built || index < 0 {
		return g, nil, err
	}
	if g.fingerprint != pl.fingerprint {
		return g, nil, errors.New("fields or mappings were changed at the same time; run it again")
	}
	pr, err := p.ownerOf(ctx, g, identity{index, id.Value})
	if err == nil && pr != nil && pr.conflict {
		return g, nil, &jobs.Error{
			Code:      jobs.CodeFailed,
			Attribute: "identifier",
			Summary:   "The identifier does not belong to one user",
			Detail: "It is joined with more identities than one user has: " +
				"a placeholder value in an identifier joins users who are not the same.",
			Next: "Add the placeholder to platform.embedded.placeholder_identifiers, or exclude it with the guard_expression of the mapping; " +
				"run an import so that the profiles are rebuilt, then erase again",
		}
	}
	return g, pr, err
}

// finishErasure removes the events and profiles of all users on the list, and returns
// the number of profiles that it removed. The caller holds the build lock, and has
// built the generation up to the ends of the streams.
func (p *Platform) finishErasure(ctx context.Context, lock buildLock, g generation) (removed int64, err error) {
	pl, err := p.mappingPlan(ctx)
	if err != nil {
		return 0, err
	}
	list, err := p.erased(ctx)
	if err != nil {
		return 0, err
	}
	if removed, err = p.removeErasedProfiles(ctx, lock, g); err != nil {
		return 0, err
	}
	for _, s := range pl.streams {
		// A process that was killed while it rewrote a segment may have left a copy
		// of erased events.
		if err := p.segments.sweep(ctx, s.name, sweepUncommitted); err != nil {
			return 0, err
		}
		if err := p.rewriteStream(ctx, lock, s.name, newErasedMatcher(pl, s.name, list, nil)); err != nil {
			return 0, err
		}
	}
	if err := p.removeReplaced(ctx); err != nil {
		return 0, err
	}
	return removed, p.buildWrite(ctx, lock, func(tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE erasure SET pending = 0 WHERE ? = (`+listVersion+`)`, list.version)
		return err
	})
}

// removeErasedProfiles removes the profiles to erase from the current generation, and
// makes its positions independent of the lengths of the extents. It deletes the rows
// of all other generations, because their positions still depend on these lengths.
func (p *Platform) removeErasedProfiles(ctx context.Context, lock buildLock, g generation) (removed int64, err error) {
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
	w, err := lock.open(ctx, g)
	if err != nil {
		return 0, err
	}
	removed, err = w.erase(ctx, g.fields, profiles)
	if err = errors.Join(err, w.close()); err != nil {
		return 0, err
	}
	return removed, p.buildWrite(ctx, lock, func(tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM erased_profiles`)
		if err == nil {
			_, err = tx.ExecContext(ctx, `DELETE FROM profile_generations WHERE current = 0`)
		}
		return err
	})
}

// removeReplaced removes the segments that were replaced by rewritten ones.
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
		if err := p.segments.remove(ctx, f); err != nil {
			return fmt.Errorf("segment %s still contains erased events: %w", f, err)
		}
		err := p.db.WriteCommitted(ctx, func(tx *store.Tx) error {
			_, err := tx.ExecContext(ctx, `DELETE FROM replaced_segments WHERE file = ?`, f)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// scanAll reads all rows of a query with one column.
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
