package embedded

import (
	"context"
	"encoding/json"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// generation is one set of profiles, built from one set of fields and mappings.
type generation struct {
	id int64
	// file is the name of a SQLite file, or the suffix of table names.
	file        string
	fingerprint string
	fields      []mappedField
	current     bool
}

func listGenerations(ctx context.Context, q queryer, clause string) ([]generation, error) {
	rows, err := q.QueryContext(ctx, `SELECT id, file, fingerprint, fields, current FROM profile_generations `+clause)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var list []generation
	for rows.Next() {
		var g generation
		var text string
		var fields []jobs.Field
		if err := rows.Scan(&g.id, &g.file, &g.fingerprint, &text, &g.current); err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(text), &fields); err != nil {
			return nil, err
		}
		if g.fields, err = withRules(fields); err != nil {
			return nil, err
		}
		list = append(list, g)
	}
	return list, rows.Err()
}

// currentGeneration returns the generation that audiences read; ok is false before
// the first build.
func currentGeneration(ctx context.Context, q queryer) (g generation, ok bool, err error) {
	list, err := listGenerations(ctx, q, `WHERE current = 1`)
	if err != nil || len(list) == 0 {
		return generation{}, false, err
	}
	return list[0], true, nil
}

// newGeneration records a generation before it is built.
func (p *Platform) newGeneration(ctx context.Context, lock buildLock, pl *mappingPlan) (generation, error) {
	g := generation{file: p.profiles.newName(), fingerprint: pl.fingerprint, fields: pl.fields}
	text, err := encodeFields(pl.fields)
	if err != nil {
		return g, err
	}
	err = p.buildWrite(ctx, lock, func(tx *store.Tx) error {
		return tx.QueryRowContext(ctx,
			`INSERT INTO profile_generations (file, fingerprint, fields, current, created_at) VALUES (?, ?, ?, 0, ?) RETURNING id`,
			g.file, g.fingerprint, text, p.now().UnixMicro()).Scan(&g.id)
	})
	return g, err
}

func encodeFields(fields []mappedField) (string, error) {
	plain := make([]jobs.Field, len(fields))
	for i, f := range fields {
		plain[i] = f.Field
	}
	text, err := json.Marshal(plain)
	return string(text), err
}

// makeCurrent replaces the current generation by g, or by none if g is zero.
func (p *Platform) makeCurrent(ctx context.Context, lock buildLock, g generation) error {
	return p.buildWrite(ctx, lock, func(tx *store.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM profile_generations WHERE id <> ?`, g.id); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE profile_generations SET current = 1 WHERE id = ?`, g.id)
		return err
	})
}

// sweepGenerations removes the profiles of generations that are no longer in the
// table profile_generations.
func (p *Platform) sweepGenerations(ctx context.Context, lock buildLock) error {
	list, err := listGenerations(ctx, p.db.Read(), ``)
	if err != nil {
		return err
	}
	return lock.removeExcept(ctx, list)
}
