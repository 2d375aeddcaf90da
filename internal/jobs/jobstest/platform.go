package jobstest

import (
	"context"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// adopt stores v, or returns a conflict if the object exists with another
// definition.
func adopt[T comparable](m map[string]T, id string, v T) (T, error) {
	if was, ok := m[id]; ok && was != v {
		return was, &jobs.Error{
			Code:    jobs.CodeConflict,
			Summary: id + " exists with another definition",
			Detail:  "The existing definition differs from the new one.",
			Next:    "Import it.",
		}
	}
	m[id] = v
	return v, nil
}

// put changes an existing object.
func put[T any](m map[string]T, kind, id string, v T) (T, error) {
	_, err := get(m, kind, id)
	if err == nil {
		m[id] = v
	}
	return v, err
}

// JudgeDraft implements jobs.Judge.
func (f *Fake) JudgeDraft(ctx context.Context, d jobs.Draft) (jobs.Judgement, error) {
	return answer(ctx, f, "JudgeDraft", []any{d}, func() (jobs.Judgement, error) {
		if f.env.Judge != nil {
			return f.env.Judge(d)
		}
		j := jobs.Judgement{Arbiter: jobs.ArbiterEmbedded}
		switch {
		case !slices.Contains([]string{"filter", "expression", "guard_expression"}, d.Attribute):
			return j, jobs.Invalid("attribute", "No language is known for "+d.Attribute, "It holds no text that is checked.", "Name another.")
		case strings.Count(d.Text, "(") > strings.Count(d.Text, ")"):
			j.Refusal = jobs.FailureOf(jobs.Invalid(d.Attribute, "The text cannot be read", "A parenthesis is not closed.", "Close it."))
		}
		return j, nil
	})
}

// CreateField implements jobs.Platform.
func (f *Fake) CreateField(ctx context.Context, v jobs.Field) (jobs.Field, error) {
	return register(ctx, f, "CreateField", []any{v}, func(s *Store) (jobs.Field, error) { return adopt(s.Fields, v.ID, v) })
}

// PutField implements jobs.Platform.
func (f *Fake) PutField(ctx context.Context, v jobs.Field) (jobs.Field, error) {
	return read(ctx, f, "PutField", []any{v}, func(s *Store) (jobs.Field, error) { return put(s.Fields, "field", v.ID, v) })
}

// Field implements jobs.Platform.
func (f *Fake) Field(ctx context.Context, id string) (jobs.Field, error) {
	return read(ctx, f, "Field", []any{id}, func(s *Store) (jobs.Field, error) { return get(s.Fields, "field", id) })
}

// DeleteField implements jobs.Platform.
func (f *Fake) DeleteField(ctx context.Context, id string) error {
	return change(ctx, f, "DeleteField", []any{id}, func(s *Store) error {
		for _, m := range s.Mappings {
			if m.Field == id {
				return &jobs.Error{
					Code:    jobs.CodeInUse,
					Summary: "The field " + id + " is in use",
					Detail:  "Mapping " + m.ID + " feeds it.",
					Next:    "Delete it first",
				}
			}
		}
		delete(s.Fields, id)
		return nil
	})
}

// CreateMapping implements jobs.Platform. A stream, a field and a guard have
// one mapping.
func (f *Fake) CreateMapping(ctx context.Context, v jobs.Mapping) (jobs.Mapping, error) {
	return register(ctx, f, "CreateMapping", []any{v}, func(s *Store) (jobs.Mapping, error) {
		if _, err := get(s.Fields, "field", v.Field); err != nil {
			return v, jobs.Invalid("field", "There is no field "+v.Field, "The store was read and does not have it.", "Create it first.")
		}
		v.ID = strings.TrimSuffix(v.Stream+"/"+v.Field+"/"+v.GuardExpression, "/")
		return adopt(s.Mappings, v.ID, v)
	})
}

// PutMapping implements jobs.Platform.
func (f *Fake) PutMapping(ctx context.Context, v jobs.Mapping) (jobs.Mapping, error) {
	return read(ctx, f, "PutMapping", []any{v}, func(s *Store) (jobs.Mapping, error) { return put(s.Mappings, "mapping", v.ID, v) })
}

// Mapping implements jobs.Platform.
func (f *Fake) Mapping(ctx context.Context, id string) (jobs.Mapping, error) {
	return read(ctx, f, "Mapping", []any{id}, func(s *Store) (jobs.Mapping, error) { return get(s.Mappings, "mapping", id) })
}

// DeleteMapping implements jobs.Platform.
func (f *Fake) DeleteMapping(ctx context.Context, id string) error {
	return change(ctx, f, "DeleteMapping", []any{id}, func(s *Store) error {
		delete(s.Mappings, id)
		return nil
	})
}

// CreateAudience implements jobs.Platform.
func (f *Fake) CreateAudience(ctx context.Context, v jobs.Audience) (jobs.Audience, error) {
	return register(ctx, f, "CreateAudience", []any{v}, func(s *Store) (jobs.Audience, error) {
		v.ID = "aud-" + v.Slug
		return adopt(s.Audiences, v.ID, v)
	})
}

// PutAudience implements jobs.Platform.
func (f *Fake) PutAudience(ctx context.Context, v jobs.Audience) (jobs.Audience, error) {
	return read(ctx, f, "PutAudience", []any{v}, func(s *Store) (jobs.Audience, error) { return put(s.Audiences, "audience", v.ID, v) })
}

// Audience implements jobs.Platform.
func (f *Fake) Audience(ctx context.Context, idOrSlug string) (jobs.Audience, error) {
	return read(ctx, f, "Audience", []any{idOrSlug}, func(s *Store) (jobs.Audience, error) { return s.audience(idOrSlug) })
}

func (s *Store) audience(idOrSlug string) (jobs.Audience, error) {
	for _, v := range s.Audiences {
		if v.ID == idOrSlug || v.Slug == idOrSlug {
			return v, nil
		}
	}
	return jobs.Audience{}, missing("audience", idOrSlug)
}

// DeleteAudience implements jobs.Platform.
func (f *Fake) DeleteAudience(ctx context.Context, id string) error {
	return change(ctx, f, "DeleteAudience", []any{id}, func(s *Store) error {
		names := []string{id, s.Audiences[id].Slug}
		for _, j := range s.Jobs {
			if j.Export != nil && slices.Contains(names, j.Export.AudienceID) {
				return &jobs.Error{
					Code:    jobs.CodeInUse,
					Summary: "The audience " + id + " is in use",
					Detail:  j.Label + " exports it.",
					Next:    "Destroy the export first",
				}
			}
		}
		delete(s.Audiences, id)
		return nil
	})
}
