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
		all(a.Fields, fieldOf))
	register(api, route{http.MethodPost, "/fields", "create-field", "Create a field"}, put(a.CreateField, field, fieldOf))
	register(api, route{http.MethodPut, "/fields", "put-field", "Create or change a field"}, put(a.PutField, field, fieldOf))
	register(api, route{http.MethodGet, "/fields/{id}", "get-field", "Read a field"}, get(a.Field, fieldOf))
	register(api, route{http.MethodDelete, "/fields/{id}", "delete-field", "Delete a field"}, actionByID(a.DeleteField))

	register(api, route{http.MethodPost, "/mappings", "create-mapping", "Create a mapping"}, put(a.CreateMapping, mapping, mappingOf))
	register(api, route{http.MethodPut, "/mappings", "put-mapping", "Create or change a mapping"}, put(a.PutMapping, mapping, mappingOf))
	register(api, route{http.MethodGet, "/mappings/{id}", "get-mapping", "Read a mapping"}, get(a.Mapping, mappingOf))
	register(api, route{http.MethodDelete, "/mappings/{id}", "delete-mapping", "Delete a mapping"}, actionByID(a.DeleteMapping))

	register(api, route{http.MethodGet, "/audiences", "list-audiences", "List the audiences"}, all(a.Audiences, audienceOf))
	register(api, route{http.MethodPost, "/audiences", "create-audience", "Create an audience"}, put(a.CreateAudience, audience, audienceOf))
	register(
		api,
		route{http.MethodPut, "/audiences", "put-audience", "Create or change an audience"},
		put(a.PutAudience, audience, audienceOf),
	)
	register(api, route{http.MethodGet, "/audiences/{id}", "get-audience", "Read an audience, by id or slug"}, get(a.Audience, audienceOf))
	register(api, route{http.MethodDelete, "/audiences/{id}", "delete-audience", "Delete an audience"}, actionByID(a.DeleteAudience))
	register(api, route{http.MethodGet, "/audiences/{id}/size", "get-audience-size", "Count the profiles of an audience, by id or slug"},
		get(a.AudienceSize, itself))

	register(api, route{http.MethodGet, "/streams", "list-streams", "List the streams"},
		all(a.Streams, func(v jobs.StreamInfo) protocol.StreamInfo { return protocol.StreamInfo(v) }))
}

// all adapts a call that returns a list.
func all[T, W any](call func(context.Context) ([]T, error), convert func(T) W) func(context.Context, *none) (*answer[[]W], error) {
	return func(ctx context.Context, _ *none) (*answer[[]W], error) {
		v, err := call(ctx)
		return &answer[[]W]{list(v, convert)}, err
	}
}
