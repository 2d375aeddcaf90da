package provider_test

import (
	"context"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

func sorted[T any](m map[string]T) []T {
	var list []T
	for _, k := range slices.Sorted(maps.Keys(m)) {
		list = append(list, m[k])
	}
	return list
}

func (a *fakeAPI) Fields(context.Context) ([]jobs.Field, error) {
	return in(a, func(s *fakeStore) ([]jobs.Field, error) { return sorted(s.fields), nil })
}

func (a *fakeAPI) Streams(context.Context) ([]jobs.StreamInfo, error) {
	return in(a, func(s *fakeStore) ([]jobs.StreamInfo, error) {
		var list []jobs.StreamInfo
		first, last := time.Unix(1700000000, 1000), time.Unix(1700000060, 0)
		for _, name := range slices.Sorted(maps.Keys(s.streams)) {
			list = append(list, jobs.StreamInfo{Name: name, Events: int64(s.streams[name]), Bytes: 1 << 33, FirstTime: &first, LastTime: &last})
		}
		return list, nil
	})
}

func (a *fakeAPI) Audiences(context.Context) ([]jobs.Audience, error) {
	return in(a, func(s *fakeStore) ([]jobs.Audience, error) { return sorted(s.audiences), nil })
}

func (a *fakeAPI) AudienceSize(_ context.Context, idOrSlug string) (int64, error) {
	return in(a, func(s *fakeStore) (int64, error) {
		_, err := s.audience(idOrSlug)
		return 7, err
	})
}

// Profile knows Ann.
func (a *fakeAPI) Profile(_ context.Context, id jobs.Identity) (jobs.Profile, error) {
	return in(a, func(s *fakeStore) (jobs.Profile, error) {
		if f, err := get(s.fields, "field", id.Field); err != nil || !f.IsIdentifier {
			return nil, jobs.Invalid("field", "Field "+id.Field+" identifies nobody", "", "Name an identifier.")
		}
		if id.Value != "ann@example.com" {
			return nil, &jobs.Error{Code: jobs.CodeNotFound, Attribute: "value", Summary: "There is no profile of that " + id.Field}
		}
		return jobs.Profile{"email": {Text: id.Value}, "lifetime_value": {Text: "0.10"}, "city": {Null: true}}, nil
	})
}

// What Terraform never asks for.

func (a *fakeAPI) Events(context.Context, string) iter.Seq2[jobs.Event, error] { return nil }

func (a *fakeAPI) Scan(context.Context, string, []string) ([]jobs.Field, iter.Seq2[[]jobs.Value, error], error) {
	return nil, nil, nil
}

func (a *fakeAPI) Erase(context.Context, jobs.Identity, bool) (jobs.Erasure, error) {
	return jobs.Erasure{}, nil
}
