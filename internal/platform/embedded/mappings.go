package embedded

import (
	"context"
	"fmt"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

const mappingColumns = `id, stream, field, expression, guard_expression`

func listMappings(ctx context.Context, q queryer, clause string, args ...any) ([]jobs.Mapping, error) {
	rows, err := q.QueryContext(ctx, `SELECT `+mappingColumns+` FROM mappings `+clause+` ORDER BY stream, field, guard_expression`, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var list []jobs.Mapping
	for rows.Next() {
		var m jobs.Mapping
		if err := rows.Scan(&m.ID, &m.Stream, &m.Field, &m.Expression, &m.GuardExpression); err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	return list, rows.Err()
}

// checkMapping validates a mapping against its field. holder is the existing mapping
// with the same stream, field and guard, or nil; these three are unique.
func checkMapping(ctx context.Context, tx *store.Tx, m jobs.Mapping) (holder *jobs.Mapping, err error) {
	f, ok, err := fieldIgnoringCase(ctx, tx, m.Field)
	if err != nil {
		return nil, err
	}
	if !ok || f.ID != m.Field {
		return nil, jobs.Invalid("field", fmt.Sprintf("The mapping from stream %s cannot feed field %q", m.Stream, m.Field),
			"the field does not exist", "Create the field first, and refer to it as lytics_field.NAME.id")
	}
	if err := platform.ValidateExpressionType(m.Expression, f); err != nil {
		return nil, err
	}
	same, err := listMappings(ctx, tx, `WHERE stream = ? AND field = ? AND guard_expression = ?`, m.Stream, m.Field, m.GuardExpression)
	if err != nil || len(same) == 0 {
		return nil, err
	}
	return &same[0], nil
}

// CreateMapping defines a mapping. There is one for a stream, a field and a guard.
func (p *Platform) CreateMapping(ctx context.Context, m jobs.Mapping) (jobs.Mapping, error) {
	if err := platform.ValidateMapping(m); err != nil {
		return jobs.Mapping{}, err
	}
	err := p.write(ctx, "Cannot create the mapping for field "+m.Field, func(tx *store.Tx) error {
		holder, err := checkMapping(ctx, tx, m)
		if err != nil {
			return err
		}
		if holder != nil {
			return platform.MappingExists(*holder)
		}
		m.ID = store.NewID("map")
		_, err = tx.ExecContext(ctx, `INSERT INTO mappings (`+mappingColumns+`) VALUES (?, ?, ?, ?, ?)`,
			m.ID, m.Stream, m.Field, m.Expression, m.GuardExpression)
		return err
	})
	return m, err
}

// PutMapping changes a mapping. The next build rebuilds all profiles.
func (p *Platform) PutMapping(ctx context.Context, m jobs.Mapping) (jobs.Mapping, error) {
	if err := platform.ValidateMapping(m); err != nil {
		return jobs.Mapping{}, err
	}
	err := p.write(ctx, "Cannot change mapping "+m.ID, func(tx *store.Tx) error {
		holder, err := checkMapping(ctx, tx, m)
		if err != nil {
			return err
		}
		if holder != nil && holder.ID != m.ID {
			return platform.MappingTaken(*holder)
		}
		r, err := tx.ExecContext(ctx, `UPDATE mappings SET stream = ?, field = ?, expression = ?, guard_expression = ? WHERE id = ?`,
			m.Stream, m.Field, m.Expression, m.GuardExpression, m.ID)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			return errOr(err, notFound("mapping", m.ID))
		}
		return nil
	})
	return m, err
}

// Mapping returns a mapping by its id.
func (p *Platform) Mapping(ctx context.Context, id string) (jobs.Mapping, error) {
	list, err := listMappings(ctx, p.db.Read(), `WHERE id = ?`, id)
	if err != nil {
		return jobs.Mapping{}, p.storageError("Cannot read mapping "+id, err)
	}
	if len(list) == 0 {
		return jobs.Mapping{}, notFound("mapping", id)
	}
	return list[0], nil
}

// Mappings lists all mappings by stream, field and guard.
func (p *Platform) Mappings(ctx context.Context) ([]jobs.Mapping, error) {
	list, err := listMappings(ctx, p.db.Read(), ``)
	if err != nil {
		return nil, p.storageError("Cannot read the mappings", err)
	}
	return list, nil
}

// DeleteMapping deletes a mapping if it exists.
func (p *Platform) DeleteMapping(ctx context.Context, id string) error {
	return p.write(ctx, "Cannot delete mapping "+id, func(tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM mappings WHERE id = ?`, id)
		return err
	})
}
