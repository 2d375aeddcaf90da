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
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/filterql"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

const audienceColumns = `id, name, slug, description, filter`

// findAudience returns the audience with an id or a slug; ok is false if there is
// none.
func findAudience(ctx context.Context, q queryer, idOrSlug string) (a jobs.Audience, ok bool, err error) {
	err = q.QueryRowContext(ctx, `SELECT `+audienceColumns+` FROM audiences WHERE id = ? OR slug = ? ORDER BY id = ? DESC LIMIT 1`,
		idOrSlug, idOrSlug, idOrSlug).Scan(&a.ID, &a.Name, &a.Slug, &a.Description, &a.Filter)
	if errors.Is(err, sql.ErrNoRows) {
		return a, false, nil
	}
	return a, err == nil, err
}

func listAudiences(ctx context.Context, q queryer) ([]jobs.Audience, error) {
	rows, err := q.QueryContext(ctx, `SELECT `+audienceColumns+` FROM audiences ORDER BY slug`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var list []jobs.Audience
	for rows.Next() {
		var a jobs.Audience
		if err := rows.Scan(&a.ID, &a.Name, &a.Slug, &a.Description, &a.Filter); err != nil {
			return nil, err
		}
		list = append(list, a)
	}
	return list, rows.Err()
}

// includeResolver returns a function that finds the filter of an INCLUDE.
func includeResolver(ctx context.Context, q queryer) func(string) (*filterql.Filter, error) {
	return func(name string) (*filterql.Filter, error) {
		a, ok, err := findAudience(ctx, q, name)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, &filterql.Error{Reason: fmt.Sprintf("there is no audience %q to include", name)}
		}
		return filterql.Parse(a.Filter)
	}
}

// checkFilter compiles a filter against the defined fields. It accepts a field that is
// not defined, because the field may be created after the audience; until then, scans
// of the audience fail.
func (p *Platform) checkFilter(ctx context.Context, q queryer, a jobs.Audience) error {
	f, err := platform.ParseFilter(a.Filter)
	if err != nil {
		return err
	}
	if f.From != "user" {
		return platform.FilterError(fmt.Sprintf("The filter of audience %q cannot work", a.Name),
			&filterql.Error{Reason: fmt.Sprintf("the embedded platform has profiles of users only, not of %s; write FROM user", f.From)})
	}
	fields, err := listFields(ctx, q)
	if err != nil {
		return err
	}
	types := map[string]value.Type{}
	for _, field := range fields {
		types[field.ID], _ = value.ParseType(field.Type)
	}
	err = f.CheckTypes(func(name string) (value.Type, bool) {
		t, ok := types[name]
		return t, ok
	})
	if err != nil {
		return platform.FilterError(fmt.Sprintf("The filter of audience %q cannot work", a.Name), err)
	}
	include := includeResolver(ctx, q)
	_, err = f.Compile(filterql.Environment{
		Now: p.now(),
		Field: func(name string) (int, value.Type, bool) {
			return 0, types[name], true
		},
		// An INCLUDE of this audience, direct or through others, means its new
		// definition.
		Include: func(name string) (*filterql.Filter, error) {
			if name == a.ID || name == a.Slug {
				return f, nil
			}
			return include(name)
		},
	})
	if _, ok := errors.AsType[*filterql.Error](err); ok {
		return platform.FilterError(fmt.Sprintf("The filter of audience %q cannot work", a.Name), err)
	}
	return err
}

// CreateAudience defines an audience. It refuses a slug that is taken.
func (p *Platform) CreateAudience(ctx context.Context, a jobs.Audience) (jobs.Audience, error) {
	if err := platform.ValidateAudience(a); err != nil {
		return jobs.Audience{}, err
	}
	a = platform.NormalizeAudience(a)
	err := p.write(ctx, "Cannot create audience "+a.Slug, func(tx *store.Tx) error {
		old, ok, err := findAudience(ctx, tx, a.Slug)
		if err != nil {
			return err
		}
		if ok {
			return platform.AudienceExists(a, old)
		}
		if err := p.checkFilter(ctx, tx, a); err != nil {
			return err
		}
		a.ID = store.NewID("aud")
		_, err = tx.ExecContext(ctx, `INSERT INTO audiences (`+audienceColumns+`) VALUES (?, ?, ?, ?, ?)`,
			a.ID, a.Name, a.Slug, a.Description, a.Filter)
		return err
	})
	return a, err
}

// PutAudience changes an audience. An empty slug is derived from the name again.
func (p *Platform) PutAudience(ctx context.Context, a jobs.Audience) (jobs.Audience, error) {
	if err := platform.ValidateAudience(a); err != nil {
		return jobs.Audience{}, err
	}
	a = platform.NormalizeAudience(a)
	err := p.write(ctx, "Cannot change audience "+a.ID, func(tx *store.Tx) error {
		old, ok, err := findAudience(ctx, tx, a.ID)
		if err != nil {
			return err
		}
		if !ok || old.ID != a.ID {
			return notFound("audience", a.ID)
		}
		if holder, ok, err := findAudience(ctx, tx, a.Slug); err != nil || ok && holder.ID != a.ID {
			return errOr(err, platform.SlugTaken(a, holder))
		}
		if old.Slug != a.Slug {
			summary := fmt.Sprintf("The slug of audience %q cannot change", old.Name)
			if err := refuseWhileIncluded(ctx, tx, a.ID, summary, old.Slug); err != nil {
				return err
			}
		}
		if err := p.checkFilter(ctx, tx, a); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE audiences SET name = ?, slug = ?, description = ?, filter = ? WHERE id = ?`,
			a.Name, a.Slug, a.Description, a.Filter, a.ID)
		return err
	})
	return a, err
}

// errOr returns err, or otherwise if err is nil.
func errOr(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// refuseWhileIncluded fails with CodeInUse if another audience includes one of
// these names.
func refuseWhileIncluded(ctx context.Context, tx *store.Tx, id, summary string, names ...string) error {
	list, err := listAudiences(ctx, tx)
	if err != nil {
		return err
	}
	var users []string
	for _, a := range list {
		f, err := filterql.Parse(a.Filter)
		if err != nil || a.ID == id {
			continue
		}
		if slices.ContainsFunc(f.Includes(), func(n string) bool { return slices.Contains(names, n) }) {
			users = append(users, a.Slug)
		}
	}
	if len(users) == 0 {
		return nil
	}
	return &jobs.Error{
		Code: jobs.CodeInUse, Attribute: "slug", Summary: summary,
		Detail: "it is included by the audiences " + strings.Join(users, ", "), Next: "Change those first",
	}
}

// Audience returns an audience by its id or slug.
func (p *Platform) Audience(ctx context.Context, idOrSlug string) (jobs.Audience, error) {
	a, ok, err := findAudience(ctx, p.db.Read(), idOrSlug)
	if err != nil {
		return a, p.storageError("Cannot read audience "+idOrSlug, err)
	}
	if !ok {
		return a, notFound("audience", idOrSlug)
	}
	return a, nil
}

// Audiences lists all audiences by slug.
func (p *Platform) Audiences(ctx context.Context) ([]jobs.Audience, error) {
	list, err := listAudiences(ctx, p.db.Read())
	if err != nil {
		return nil, p.storageError("Cannot read the audiences", err)
	}
	return list, nil
}

// DeleteAudience deletes an audience if it exists. It fails with CodeInUse while other
// audiences include the audience. The caller checks whether exports read it.
func (p *Platform) DeleteAudience(ctx context.Context, id string) error {
	return p.write(ctx, "Cannot delete audience "+id, func(tx *store.Tx) error {
		a, ok, err := findAudience(ctx, tx, id)
		if err != nil || !ok || a.ID != id {
			return err
		}
		if err := refuseWhileIncluded(ctx, tx, id, fmt.Sprintf("Audience %q cannot be deleted", a.Name), a.ID, a.Slug); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM audiences WHERE id = ?`, id)
		return err
	})
}
