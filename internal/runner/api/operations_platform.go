package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/api/protocol"
)

func fieldOf(f jobs.Field) protocol.Field          { return protocol.Field(f) }
func mappingOf(m jobs.Mapping) protocol.Mapping    { return protocol.Mapping(m) }
func audienceOf(a jobs.Audience) protocol.Audience { return protocol.Audience(a) }

func (s *Server) describePlatform(api huma.API) {
	a := s.config.API
	field := func(f protocol.Field) jobs.Field { return jobs.Field(f) }
	mapping := func(m protocol.Mapping) jobs.Mapping { return jobs.Mapping(m) }
	audience := func(v protocol.Audience) jobs.Audience { return jobs.Audience(v) }

	register(api, route{http.MethodPost, "/judgements", "judge-text", "Check a filter or an expression, and store nothing"},
		func(ctx context.Context, in *answer[jobs.Draft]) (*answer[jobs.Judgement], error) {
			j, err := a.JudgeDraft(ctx, in.Body)
			return &answer[jobs.Judgement]{j}, err
		})

	register(api, route{http.MethodGet, "/fields", "list-fields", "List the user fields"},
		all(a.Fields, fieldOf, func(v protocol.Field) string { return v.ID }))
	register(api, route{http.MethodPost, "/fields", "create-field", "Create a field"}, putOwned(a.CreateField, field, fieldOf))
	register(api, route{http.MethodPut, "/fields", "put-field", "Create or change a field"}, putOwned(a.PutField, field, fieldOf))
	register(api, route{http.MethodGet, "/fields/{id}", "get-field", "Read a field"}, get(a.Field, fieldOf))
	register(api, route{http.MethodDelete, "/fields/{id}", "delete-field", "Delete a field"}, deleteOwned(a.DeleteField))

	register(api, route{http.MethodGet, "/mappings", "list-mappings", "List the mappings"},
		all(a.Mappings, mappingOf, func(v protocol.Mapping) string { return v.ID }))
	register(api, route{http.MethodPost, "/mappings", "create-mapping", "Create a mapping"}, putOwned(a.CreateMapping, mapping, mappingOf))
	register(api, route{http.MethodPut, "/mappings", "put-mapping", "Create or change a mapping"}, putOwned(a.PutMapping, mapping, mappingOf))
	register(api, route{http.MethodGet, "/mappings/{id}", "get-mapping", "Read a mapping"}, get(a.Mapping, mappingOf))
	register(api, route{http.MethodDelete, "/mappings/{id}", "delete-mapping", "Delete a mapping"}, deleteOwned(a.DeleteMapping))

	register(api, route{http.MethodGet, "/audiences", "list-audiences", "List the audiences"},
		all(a.Audiences, audienceOf, func(v protocol.Audience) string { return v.ID }))
	register(
		api,
		route{http.MethodPost, "/audiences", "create-audience", "Create an audience"},
		putOwned(a.CreateAudience, audience, audienceOf),
	)
	register(
		api,
		route{http.MethodPut, "/audiences", "put-audience", "Create or change an audience"},
		putOwned(a.PutAudience, audience, audienceOf),
	)
	register(api, route{http.MethodGet, "/audiences/{id}", "get-audience", "Read an audience, by id or slug"}, get(a.Audience, audienceOf))
	register(api, route{http.MethodDelete, "/audiences/{id}", "delete-audience", "Delete an audience"}, deleteOwned(a.DeleteAudience))
	register(api, route{http.MethodGet, "/audiences/{id}/size", "get-audience-size", "Count the profiles of an audience, by id or slug"},
		get(a.AudienceSize, itself))

	type check struct{ Body protocol.Object }
	type claim struct{ Body jobs.Claim }
	register(api, route{http.MethodPut, "/objects/check", "check-object", "Check that a field, mapping or audience can be created"},
		func(ctx context.Context, in *check) (*none, error) {
			return &none{}, a.CheckCreate(ctx, in.Body.Jobs())
		})
	register(api, route{http.MethodPut, "/objects/owner", "claim-object", "Ask to whom a field, mapping or audience belongs"},
		func(ctx context.Context, in *claim) (*answer[jobs.Ownership], error) {
			v, err := a.Claim(ctx, in.Body)
			return &answer[jobs.Ownership]{v}, err
		})

	register(api, route{http.MethodGet, "/streams", "list-streams", "List the streams"},
		all(a.Streams, func(v jobs.StreamInfo) protocol.StreamInfo { return protocol.StreamInfo(v) },
			func(v protocol.StreamInfo) string { return v.Name }))
}

// all adapts a call that returns a list. key is the id or the name of an object.
func all[T, W any](
	call func(context.Context) ([]T, error), convert func(T) W, key func(W) string,
) func(context.Context, *Paging) (*onePage[[]W], error) {
	return func(ctx context.Context, in *Paging) (*onePage[[]W], error) {
		v, err := call(ctx)
		if err != nil {
			return nil, err
		}
		return pageOf(*in, list(v, convert), func(_ int, v W) string { return key(v) })
	}
}

// owned is the input of an operation that changes an object for its owner.
type owned[W any] struct {
	Owner jobs.Owner `query:"owner" doc:"The resource that the change is made for. Without it, as earlier releases call, only what belongs to no resource is changed."`
	Body  W
}

// ownedByID is owned for an operation on an id.
type ownedByID struct {
	ID    string     `path:"id"`
	Owner jobs.Owner `query:"owner" doc:"The resource that the change is made for. Without it, as earlier releases call, only what belongs to no resource is changed."`
}

// putOwned adapts a call that takes a value for an owner and gives it back as it is
// kept.
func putOwned[T, W any](
	call func(context.Context, T, jobs.Owner) (T, error),
	in func(W) T,
	out func(T) W,
) func(context.Context, *owned[W]) (*answer[W], error) {
	return func(ctx context.Context, request *owned[W]) (*answer[W], error) {
		v, err := call(ctx, in(request.Body), request.Owner)
		return &answer[W]{out(v)}, err
	}
}

// deleteOwned adapts a call that deletes an object of an owner.
func deleteOwned(call func(context.Context, string, jobs.Owner) error) func(context.Context, *ownedByID) (*none, error) {
	return func(ctx context.Context, in *ownedByID) (*none, error) { return &none{}, call(ctx, in.ID, in.Owner) }
}
