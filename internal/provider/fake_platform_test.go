package provider_test

import (
	"context"
	"path"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

func (s *fakeStore) audience(idOrSlug string) (jobs.Audience, error) {
	for _, v := range s.audiences {
		if v.ID == idOrSlug || v.Slug == idOrSlug {
			return v, nil
		}
	}
	return jobs.Audience{}, missing("audience", idOrSlug)
}

// create refuses an object that exists with another definition.
func create[T comparable](m map[string]T, id string, v T) (T, error) {
	if was, ok := m[id]; ok && was != v {
		return was, &jobs.Error{Code: jobs.CodeConflict, Summary: id + " exists with another definition", Next: "Import it."}
	}
	m[id] = v
	return v, nil
}

func remove[T any](m map[string]T) func(string) {
	return func(id string) { delete(m, id) }
}

func (a *fakeAPI) drop(id string, f func(*fakeStore) (func(string), error)) error {
	_, err := in(a, func(s *fakeStore) (struct{}, error) {
		del, err := f(s)
		if err == nil {
			del(id)
		}
		return struct{}{}, err
	})
	return err
}

func (a *fakeAPI) CreateField(_ context.Context, f jobs.Field) (jobs.Field, error) {
	return in(a, func(s *fakeStore) (jobs.Field, error) { return create(s.fields, f.ID, f) })
}

func (a *fakeAPI) PutField(_ context.Context, f jobs.Field) (jobs.Field, error) {
	return in(a, func(s *fakeStore) (jobs.Field, error) {
		_, err := get(s.fields, "field", f.ID)
		if err == nil {
			s.fields[f.ID] = f
		}
		return f, err
	})
}

func (a *fakeAPI) Field(_ context.Context, id string) (jobs.Field, error) {
	return in(a, func(s *fakeStore) (jobs.Field, error) { return get(s.fields, "field", id) })
}

func (a *fakeAPI) DeleteField(_ context.Context, id string) error {
	return a.drop(id, func(s *fakeStore) (func(string), error) {
		for _, m := range s.mappings {
			if m.Field == id {
				return nil, &jobs.Error{Code: jobs.CodeInUse, Summary: "The field " + id + " is in use", Detail: "Mapping " + m.ID + " feeds it."}
			}
		}
		return remove(s.fields), nil
	})
}

func (a *fakeAPI) CreateMapping(_ context.Context, m jobs.Mapping) (jobs.Mapping, error) {
	return in(a, func(s *fakeStore) (jobs.Mapping, error) {
		if _, err := get(s.fields, "field", m.Field); err != nil {
			return m, jobs.Invalid("field", "There is no field "+m.Field, "", "Create it first.")
		}
		m.ID = m.Stream + "/" + m.Field
		return create(s.mappings, m.ID, m)
	})
}

func (a *fakeAPI) PutMapping(_ context.Context, m jobs.Mapping) (jobs.Mapping, error) {
	return in(a, func(s *fakeStore) (jobs.Mapping, error) {
		_, err := get(s.mappings, "mapping", m.ID)
		if err == nil {
			s.mappings[m.ID] = m
		}
		return m, err
	})
}

func (a *fakeAPI) Mapping(_ context.Context, id string) (jobs.Mapping, error) {
	return in(a, func(s *fakeStore) (jobs.Mapping, error) { return get(s.mappings, "mapping", id) })
}

func (a *fakeAPI) DeleteMapping(_ context.Context, id string) error {
	return a.drop(id, func(s *fakeStore) (func(string), error) { return remove(s.mappings), nil })
}

func (a *fakeAPI) CreateAudience(_ context.Context, v jobs.Audience) (jobs.Audience, error) {
	return in(a, func(s *fakeStore) (jobs.Audience, error) {
		v.ID = "aud-" + v.Slug
		return create(s.audiences, v.ID, v)
	})
}

func (a *fakeAPI) PutAudience(_ context.Context, v jobs.Audience) (jobs.Audience, error) {
	return in(a, func(s *fakeStore) (jobs.Audience, error) {
		_, err := get(s.audiences, "audience", v.ID)
		if err == nil {
			s.audiences[v.ID] = v
		}
		return v, err
	})
}

func (a *fakeAPI) Audience(_ context.Context, idOrSlug string) (jobs.Audience, error) {
	return in(a, func(s *fakeStore) (jobs.Audience, error) { return s.audience(idOrSlug) })
}

func (a *fakeAPI) DeleteAudience(_ context.Context, id string) error {
	return a.drop(id, func(s *fakeStore) (func(string), error) {
		for _, j := range s.jobs {
			if j.Export != nil && j.Export.AudienceID == id {
				return nil, &jobs.Error{Code: jobs.CodeInUse, Summary: "The audience " + id + " is in use", Detail: j.Label + " exports it."}
			}
		}
		return remove(s.audiences), nil
	})
}

// The warehouse's catalog: main.sales.customers and main.sales.orders.

func like(pattern, name string) bool {
	return pattern == "" || slices.ContainsFunc(strings.Split(pattern, "|"), func(p string) bool {
		ok, _ := path.Match(p, name)
		return ok
	})
}

func (a *fakeAPI) warehouse(id string) error {
	_, err := in(a, func(s *fakeStore) (jobs.Authorization, error) {
		return get(s.authorizations, "authorization", id)
	})
	return err
}

func (a *fakeAPI) Catalogs(_ context.Context, id, pattern string) ([]jobs.CatalogInfo, error) {
	return filter([]jobs.CatalogInfo{{Name: "hive_metastore"}, {Name: "main", Comment: "ours"}}, pattern,
		func(c jobs.CatalogInfo) string { return c.Name }), a.warehouse(id)
}

func (a *fakeAPI) Databases(_ context.Context, id, catalog, pattern string) ([]jobs.DatabaseInfo, error) {
	if catalog != "main" {
		return nil, jobs.Invalid("catalog", "There is no catalog "+catalog, "", "Use main.")
	}
	return filter([]jobs.DatabaseInfo{{Catalog: catalog, Name: "sales"}}, pattern,
		func(d jobs.DatabaseInfo) string { return d.Name }), a.warehouse(id)
}

func (a *fakeAPI) Tables(_ context.Context, id, _, _, pattern string) ([]jobs.TableInfo, error) {
	return filter([]jobs.TableInfo{{Name: "customers", Type: "MANAGED", Comment: "who buys"}, {Name: "orders", Type: "VIEW"}}, pattern,
		func(t jobs.TableInfo) string { return t.Name }), a.warehouse(id)
}

func (a *fakeAPI) Columns(_ context.Context, id string, _ jobs.TableName, pattern string) ([]jobs.ColumnInfo, error) {
	return filter([]jobs.ColumnInfo{{Name: "id", Type: "bigint", Position: 1}, {Name: "updated_at", Type: "timestamp", Nullable: true, Comment: "when", Position: 2}}, pattern,
		func(c jobs.ColumnInfo) string { return c.Name }), a.warehouse(id)
}

func filter[T any](all []T, pattern string, name func(T) string) []T {
	return slices.DeleteFunc(all, func(v T) bool { return !like(pattern, name(v)) })
}
