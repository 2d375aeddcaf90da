package embedded

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// Profile returns the profile that has an identity, as of the last build.
func (p *Platform) Profile(ctx context.Context, id jobs.Identity) (jobs.Profile, error) {
	for try := 1; ; try++ {
		found, err := p.profile(ctx, id)
		if errors.Is(err, fs.ErrNotExist) && try < replacedRetries {
			continue
		}
		if err != nil {
			return nil, p.storageError("Cannot look up a profile by "+id.Field, err)
		}
		return found, nil
	}
}

func (p *Platform) profile(ctx context.Context, id jobs.Identity) (jobs.Profile, error) {
	g, built, err := currentGeneration(ctx, p.db.Read())
	if err != nil {
		return nil, err
	}
	index, err := p.identifierIndex(ctx, g.fields, id)
	if err != nil {
		return nil, err
	}
	if !built || index < 0 {
		return nil, noProfile(id, "No event with an identifier has been imported yet")
	}
	pr, err := p.ownerOf(ctx, g, identity{index, id.Value})
	if err != nil {
		return nil, err
	}
	if pr == nil {
		return nil, noProfile(id, "The value is compared with the values that the mappings computed, not with those of the source table")
	}
	if pr.conflict {
		return nil, noProfile(id, "It is joined with more identities than one user has, so its events are in no profile")
	}
	values, now := jobs.Profile{}, p.now().UTC()
	for i, s := range pr.states {
		if s == nil {
			continue
		}
		if v := s.Value(now); !v.IsNull() {
			values[g.fields[i].ID] = jobs.Value{Text: v.Text()}
		}
	}
	return values, nil
}

// ownerOf returns the profile that has an identity; nil if there is none.
func (p *Platform) ownerOf(ctx context.Context, g generation, i identity) (*profile, error) {
	r, err := p.profiles.read(ctx, g)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.close() }()
	id, blob, ok, err := r.owner(ctx, i)
	if err != nil || !ok {
		return nil, err
	}
	pr, err := readProfile(blob, g.fields, nil)
	if err != nil {
		return nil, fmt.Errorf("profile %d: %w; %s to build all profiles again", id, err, p.profiles.rebuildHint())
	}
	pr.id = id
	return pr, nil
}

// identifierIndex returns the index of an identity's field in the mapped fields, or -1
// if no mapping feeds the field. It fails if the field is not an identifier.
func (p *Platform) identifierIndex(ctx context.Context, fields []mappedField, id jobs.Identity) (int, error) {
	index := slices.IndexFunc(fields, func(f mappedField) bool { return f.ID == id.Field })
	if index >= 0 && fields[index].IsIdentifier {
		return index, nil
	}
	defined, err := listFields(ctx, p.db.Read())
	if err != nil {
		return -1, err
	}
	var identifiers []jobs.Field
	for _, f := range defined {
		if f.IsIdentifier {
			identifiers = append(identifiers, f)
		}
	}
	if !slices.ContainsFunc(identifiers, func(f jobs.Field) bool { return f.ID == id.Field }) {
		return -1, jobs.Invalid("field", fmt.Sprintf("Field %q is not an identifier", id.Field),
			fmt.Sprintf("The identifiers are %q.", fieldIDs(identifiers)), "Name one of them")
	}
	return -1, nil
}

// noProfile leaves out the value, because it is personal data.
func noProfile(id jobs.Identity, why string) error {
	return &jobs.Error{
		Code: jobs.CodeNotFound, Attribute: "value", Summary: fmt.Sprintf("There is no profile of that %s", id.Field),
		Detail: why, Next: "Check the value",
	}
}
