package embedded

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// queryer is a transaction, a snapshot, or the pool of readers.
type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

const fieldColumns = `id, description, type, is_identifier, is_pii, merge_operation, capacity, keep_days`

func scanField(scan func(...any) error) (f jobs.Field, err error) {
	err = scan(&f.ID, &f.Description, &f.Type, &f.IsIdentifier, &f.IsPII, &f.MergeOperation, &f.Capacity, &f.KeepDays)
	return f, err
}

// fieldIgnoringCase returns the field whose id equals id when case is ignored; ok is
// false if there is none.
func fieldIgnoringCase(ctx context.Context, q queryer, id string) (f jobs.Field, ok bool, err error) {
	f, err = scanField(q.QueryRowContext(ctx, `SELECT `+fieldColumns+` FROM fields WHERE lower(id) = lower(?)`, id).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return f, false, nil
	}
	return f, err == nil, err
}

func listFields(ctx context.Context, q queryer) ([]jobs.Field, error) {
	rows, err := q.QueryContext(ctx, `SELECT `+fieldColumns+` FROM fields`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var list []jobs.Field
	for rows.Next() {
		f, err := scanField(rows.Scan)
		if err != nil {
			return nil, err
		}
		list = append(list, f)
	}
	slices.SortFunc(list, func(a, b jobs.Field) int { return strings.Compare(a.ID, b.ID) })
	return list, rows.Err()
}

// CreateField defines a field. It refuses an id that is taken.
func (p *Platform) CreateField(ctx context.Context, f jobs.Field) (jobs.Field, error) {
	if err := platform.ValidateField(f); err != nil {
		return jobs.Field{}, err
	}
	f = platform.NormalizeField(f)
	err := p.write(ctx, "Cannot create field "+f.ID, func(tx *store.Tx) error {
		old, ok, err := fieldIgnoringCase(ctx, tx, f.ID)
		if err != nil {
			return err
		}
		if ok && old.ID != f.ID {
			return &jobs.Error{
				Code: jobs.CodeConflict, Attribute: "id", Summary: fmt.Sprintf("Field %q cannot be created beside field %q", f.ID, old.ID),
				Detail: "ids are column names of exported tables, where names that differ only by case are the same column",
				Next:   "Choose another id",
			}
		}
		if ok {
			return platform.FieldExists(old)
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO fields (`+fieldColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
			f.ID, f.Description, f.Type, f.IsIdentifier, f.IsPII, f.MergeOperation, f.Capacity, f.KeepDays)
		return err
	})
	return f, err
}

// PutField changes the definition of a field. The next build applies it to the
// profiles.
func (p *Platform) PutField(ctx context.Context, f jobs.Field) (jobs.Field, error) {
	if err := platform.ValidateField(f); err != nil {
		return jobs.Field{}, err
	}
	f = platform.NormalizeField(f)
	err := p.write(ctx, "Cannot change field "+f.ID, func(tx *store.Tx) error {
		old, ok, err := fieldIgnoringCase(ctx, tx, f.ID)
		if err != nil {
			return err
		}
		if !ok || old.ID != f.ID {
			return notFound("field", f.ID)
		}
		mappings, err := listMappings(ctx, tx, `WHERE field = ?`, f.ID)
		if err != nil {
			return err
		}
		for _, m := range mappings {
			if err := platform.ValidateExpressionType(m.Expression, f); err != nil {
				return jobs.Invalid("type", fmt.Sprintf("Field %q cannot become %s", f.ID, f.Type),
					fmt.Sprintf("mapping %s from stream %s feeds it %s: %v", m.ID, m.Stream, m.Expression, err), "Change the mapping first")
			}
		}
		_, err = tx.ExecContext(ctx, `
			UPDATE fields SET description = ?, type = ?, is_identifier = ?, is_pii = ?, merge_operation = ?, capacity = ?, keep_days = ?
			WHERE id = ?`, f.Description, f.Type, f.IsIdentifier, f.IsPII, f.MergeOperation, f.Capacity, f.KeepDays, f.ID)
		return err
	})
	return f, err
}

// Field returns a field by its id.
func (p *Platform) Field(ctx context.Context, id string) (jobs.Field, error) {
	f, ok, err := fieldIgnoringCase(ctx, p.db.Read(), id)
	if err != nil {
		return f, p.storageError("Cannot read field "+id, err)
	}
	if !ok || f.ID != id {
		return jobs.Field{}, notFound("field", id)
	}
	return f, nil
}

// Fields lists all fields by id.
func (p *Platform) Fields(ctx context.Context) ([]jobs.Field, error) {
	list, err := listFields(ctx, p.db.Read())
	if err != nil {
		return nil, p.storageError("Cannot read the fields", err)
	}
	return list, nil
}

// DeleteField deletes a field if it exists. It fails with CodeInUse while mappings
// feed the field.
func (p *Platform) DeleteField(ctx context.Context, id string) error {
	return p.write(ctx, "Cannot delete field "+id, func(tx *store.Tx) error {
		mappings, err := listMappings(ctx, tx, `WHERE field = ?`, id)
		if err != nil {
			return err
		}
		if len(mappings) > 0 {
			names := make([]string, len(mappings))
			for i, m := range mappings {
				names[i] = fmt.Sprintf("%s (stream %s)", m.ID, m.Stream)
			}
			return &jobs.Error{
				Code: jobs.CodeInUse, Summary: fmt.Sprintf("Field %q cannot be deleted", id),
				Detail: "mappings feed it: " + strings.Join(names, ", "), Next: "Delete the mappings first",
			}
		}
		f, ok, err := fieldIgnoringCase(ctx, tx, id)
		if err != nil || !ok || f.ID != id {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM fields WHERE id = ?`, id)
		return err
	})
}

// write changes the definitions in a transaction that excludes other changes of
// definitions. summary is the summary of the error.
func (p *Platform) write(ctx context.Context, summary string, f func(tx *store.Tx) error) error {
	err := p.db.WriteCommitted(ctx, func(tx *store.Tx) error {
		if err := tx.Lock(ctx, "definitions"); err != nil {
			return err
		}
		return f(tx)
	})
	if err != nil {
		return p.storageError(summary, err)
	}
	return nil
}
