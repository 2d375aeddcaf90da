package engine

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform"
)

var ownedFields = ownedKind[jobs.Field]{
	kind:      jobs.KindField,
	normalize: platform.NormalizeField,
	place:     func(f jobs.Field) string { return f.ID },
	find: func(ctx context.Context, p Platform, want jobs.Field) (jobs.Field, bool, error) {
		return foundObject(p.Field(ctx, want.ID))
	},
	id:     func(f jobs.Field) string { return f.ID },
	withID: func(f jobs.Field, _ string) jobs.Field { return f },
	same:   func(have, definition jobs.Field) bool { return have == definition },
	exists: func(_, have jobs.Field) error { return platform.FieldExists(have) },
	create: Platform.CreateField,
	put:    Platform.PutField,
}

var ownedMappings = ownedKind[jobs.Mapping]{
	kind: jobs.KindMapping,
	normalize: func(m jobs.Mapping) jobs.Mapping {
		m.ID = ""
		return m
	},
	place: func(m jobs.Mapping) string {
		// Strings always encode.
		text, _ := json.Marshal([]string{m.Stream, m.Field, m.GuardExpression})
		return string(text)
	},
	find: func(ctx context.Context, p Platform, want jobs.Mapping) (jobs.Mapping, bool, error) {
		all, err := p.Mappings(ctx)
		for _, m := range all {
			if m.Stream == want.Stream && m.Field == want.Field && platform.SameText(m.GuardExpression, want.GuardExpression) {
				return m, true, nil
			}
		}
		return jobs.Mapping{}, false, err
	},
	id: func(m jobs.Mapping) string { return m.ID },
	withID: func(m jobs.Mapping, id string) jobs.Mapping {
		m.ID = id
		return m
	},
	same: func(have, definition jobs.Mapping) bool {
		return platform.SameText(have.Expression, definition.Expression)
	},
	exists: func(_, have jobs.Mapping) error { return platform.MappingExists(have) },
	create: Platform.CreateMapping,
	put:    Platform.PutMapping,
}

var ownedAudiences = ownedKind[jobs.Audience]{
	kind:      jobs.KindAudience,
	normalize: platform.NormalizeAudience,
	place:     func(a jobs.Audience) string { return a.Slug },
	find: func(ctx context.Context, p Platform, want jobs.Audience) (jobs.Audience, bool, error) {
		if want.Slug == "" {
			// The platform says what is wrong with it.
			return jobs.Audience{}, false, nil
		}
		have, ok, err := foundObject(p.Audience(ctx, want.Slug))
		return have, ok && have.Slug == want.Slug, err
	},
	id: func(a jobs.Audience) string { return a.ID },
	withID: func(a jobs.Audience, id string) jobs.Audience {
		a.ID = id
		return a
	},
	same: func(have, definition jobs.Audience) bool {
		// Lytics adds clauses to a filter.
		filter := strings.TrimSpace(definition.Filter)
		if len(filter) > len("FILTER") && strings.EqualFold(filter[:len("FILTER")], "FILTER") {
			filter = filter[len("FILTER"):]
		}
		return have.Name == definition.Name && have.Description == definition.Description &&
			strings.Contains(platform.WithoutSpace(have.Filter), platform.WithoutSpace(filter))
	},
	exists: platform.AudienceExists,
	create: Platform.CreateAudience,
	put:    Platform.PutAudience,
}

// foundObject turns "not found" into false.
func foundObject[T any](have T, err error) (T, bool, error) {
	if jobs.IsCode(err, jobs.CodeNotFound) {
		return have, false, nil
	}
	return have, err == nil, err
}
