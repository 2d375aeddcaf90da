package jobstest

import (
	"context"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

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
func (f *Fake) CreateField(ctx context.Context, v jobs.Field, owner jobs.Owner) (jobs.Field, error) {
	return register(ctx, f, "CreateField", []any{v, owner}, func(s *Store) (jobs.Field, error) {
		return create(ctx, f, s, s.Fields, jobs.KindField, v.ID, v, owner)
	})
}

// PutField implements jobs.Platform.
func (f *Fake) PutField(ctx context.Context, v jobs.Field, owner jobs.Owner) (jobs.Field, error) {
	return read(
		ctx,
		f,
		"PutField",
		[]any{v, owner},
		func(s *Store) (jobs.Field, error) { return put(s, s.Fields, jobs.KindField, v.ID, v, owner) },
	)
}

// Field implements jobs.Platform.
func (f *Fake) Field(ctx context.Context, id string) (jobs.Field, error) {
	return read(ctx, f, "Field", []any{id}, func(s *Store) (jobs.Field, error) { return get(s.Fields, "field", id) })
}

// DeleteField implements jobs.Platform.
func (f *Fake) DeleteField(ctx context.Context, id string, owner jobs.Owner) error {
	return change(ctx, f, "DeleteField", []any{id, owner}, func(s *Store) error {
		if err := s.refuseDelete(jobs.KindField, id, owner); err != nil {
			return err
		}
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
		delete(s.Owners, objectKey(jobs.KindField, id))
		return nil
	})
}

// CreateMapping implements jobs.Platform. A stream, a field and a guard have
// one mapping.
func (f *Fake) CreateMapping(ctx context.Context, v jobs.Mapping, owner jobs.Owner) (jobs.Mapping, error) {
	return register(ctx, f, "CreateMapping", []any{v, owner}, func(s *Store) (jobs.Mapping, error) {
		if _, err := get(s.Fields, "field", v.Field); err != nil {
			return v, jobs.Invalid("field", "There is no field "+v.Field, "The store was read and does not have it.", "Create it first.")
		}
		v.ID = mappingID(v)
		return create(ctx, f, s, s.Mappings, jobs.KindMapping, v.ID, v, owner)
	})
}

// PutMapping implements jobs.Platform.
func (f *Fake) PutMapping(ctx context.Context, v jobs.Mapping, owner jobs.Owner) (jobs.Mapping, error) {
	return read(
		ctx,
		f,
		"PutMapping",
		[]any{v, owner},
		func(s *Store) (jobs.Mapping, error) { return put(s, s.Mappings, jobs.KindMapping, v.ID, v, owner) },
	)
}

// Mapping implements jobs.Platform.
func (f *Fake) Mapping(ctx context.Context, id string) (jobs.Mapping, error) {
	return read(ctx, f, "Mapping", []any{id}, func(s *Store) (jobs.Mapping, error) { return get(s.Mappings, "mapping", id) })
}

// DeleteMapping implements jobs.Platform.
func (f *Fake) DeleteMapping(ctx context.Context, id string, owner jobs.Owner) error {
	return change(ctx, f, "DeleteMapping", []any{id, owner}, func(s *Store) error {
		if err := s.refuseDelete(jobs.KindMapping, id, owner); err != nil {
			return err
		}
		delete(s.Mappings, id)
		delete(s.Owners, objectKey(jobs.KindMapping, id))
		return nil
	})
}

// CreateAudience implements jobs.Platform.
func (f *Fake) CreateAudience(ctx context.Context, v jobs.Audience, owner jobs.Owner) (jobs.Audience, error) {
	return register(ctx, f, "CreateAudience", []any{v, owner}, func(s *Store) (jobs.Audience, error) {
		v.ID = audienceID(v)
		return create(ctx, f, s, s.Audiences, jobs.KindAudience, v.ID, v, owner)
	})
}

// PutAudience implements jobs.Platform.
func (f *Fake) PutAudience(ctx context.Context, v jobs.Audience, owner jobs.Owner) (jobs.Audience, error) {
	return read(
		ctx,
		f,
		"PutAudience",
		[]any{v, owner},
		func(s *Store) (jobs.Audience, error) { return put(s, s.Audiences, jobs.KindAudience, v.ID, v, owner) },
	)
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
func (f *Fake) DeleteAudience(ctx context.Context, id string, owner jobs.Owner) error {
	return change(ctx, f, "DeleteAudience", []any{id, owner}, func(s *Store) error {
		if err := s.refuseDelete(jobs.KindAudience, id, owner); err != nil {
			return err
		}
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
		delete(s.Owners, objectKey(jobs.KindAudience, id))
		return nil
	})
}

func mappingID(v jobs.Mapping) string {
	return strings.TrimSuffix(v.Stream+"/"+v.Field+"/"+v.GuardExpression, "/")
}

func audienceID(v jobs.Audience) string { return "aud-" + v.Slug }
