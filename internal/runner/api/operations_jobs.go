package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/api/protocol"
)

func itself[T any](v T) T { return v }

func (s *Server) describeStore(api huma.API) {
	a := s.config.API
	store := func(create bool) func(context.Context, *none) (*answer[protocol.StoreInfo], error) {
		return func(ctx context.Context, _ *none) (*answer[protocol.StoreInfo], error) {
			info, err := a.Store(ctx, create)
			return &answer[protocol.StoreInfo]{protocol.StoreInfo(info)}, err
		}
	}
	register(api, route{http.MethodGet, "/store", "get-store", "Describe the store"}, store(false))
	register(api, route{http.MethodPut, "/store", "make-store", "Describe the store, and create it if there is none"}, store(true))

	presence, _ := a.(jobs.Presence)
	type retire struct {
		ID         string   `path:"id"`
		Unanswered []string `query:"unanswered,explode" doc:"An object that the client created without knowing that a state file holds it: the id of an authorization or a job, or KIND/ID of an object of the platform. It stays unconfirmed."`
	}
	register(
		api,
		route{
			http.MethodPut,
			"/clients/{id}",
			"client-is-alive",
			"Report that a client is alive: no other client adopts its unconfirmed objects",
		},
		func(ctx context.Context, in *byID) (*none, error) {
			if presence == nil {
				return &none{}, nil
			}
			return &none{}, presence.Beat(ctx, in.ID)
		},
	)
	register(
		api,
		route{http.MethodDelete, "/clients/{id}", "client-is-done", "Report that a client ended normally"},
		func(ctx context.Context, in *retire) (*none, error) {
			if presence == nil {
				return &none{}, nil
			}
			return &none{}, presence.Retire(ctx, in.ID, in.Unanswered)
		},
	)
}

func (s *Server) describeAuthorizations(api huma.API) {
	a := s.config.API
	type create struct{ Body protocol.AuthorizationChange }
	type update struct {
		ID   string `path:"id"`
		Body protocol.AuthorizationChange
	}
	register(api, route{http.MethodPost, "/authorizations", "create-authorization", "Create an authorization"},
		func(ctx context.Context, in *create) (*answer[protocol.Authorization], error) {
			v, err := a.CreateAuthorization(ctx, in.Body.Jobs())
			return &answer[protocol.Authorization]{protocol.AuthorizationOf(v)}, err
		})
	register(api, route{http.MethodPut, "/authorizations/{id}", "update-authorization", "Update an authorization"},
		func(ctx context.Context, in *update) (*answer[protocol.Authorization], error) {
			v, err := a.UpdateAuthorization(ctx, in.ID, in.Body.Jobs())
			return &answer[protocol.Authorization]{protocol.AuthorizationOf(v)}, err
		})
	register(api, route{http.MethodGet, "/authorizations/{id}", "get-authorization", "Read an authorization"},
		get(a.Authorization, protocol.AuthorizationOf))
	register(api,
		route{http.MethodGet, "/authorizations", "list-authorizations", "List the authorizations, without what Lytics knows of them"},
		all(a.ListAuthorizations, protocol.AuthorizationOf, func(v protocol.Authorization) string { return v.ID }))
	register(
		api,
		route{http.MethodDelete, "/authorizations/{id}", "delete-authorization", "Delete an authorization"},
		actionByID(a.DeleteAuthorization),
	)
	register(
		api,
		route{http.MethodPut, "/objects/{id}/confirmed", "confirm", "Record that a state file holds an object"},
		actionByID(a.Confirm),
	)
}

func (s *Server) describeJobs(api huma.API) {
	a := s.config.API
	type create struct{ Body jobs.JobSpec }
	type update struct {
		ID   string `path:"id"`
		Body jobs.JobSpec
	}
	type pause struct {
		ID   string `path:"id"`
		Body struct {
			Paused bool `json:"paused"`
		}
	}
	register(api, route{http.MethodGet, "/jobs", "list-jobs", "List the jobs"},
		all(a.Jobs, itself, func(j jobs.Job) string { return j.ID }))
	register(api, route{http.MethodPost, "/jobs", "create-job", "Create a job"},
		func(ctx context.Context, in *create) (*answer[jobs.Job], error) {
			v, err := a.CreateJob(ctx, in.Body)
			return &answer[jobs.Job]{v}, err
		})
	register(api, route{http.MethodPut, "/jobs/check", "check-job", "Check that a job can be created"},
		func(ctx context.Context, in *create) (*none, error) { return &none{}, a.CheckCreateJob(ctx, in.Body) })
	register(api, route{http.MethodGet, "/jobs/{id}", "get-job", "Read a job"}, get(a.Job, itself))
	register(api, route{http.MethodGet, "/jobs/{id}/log", "get-job-log", "Read Lytics' log of a job that Lytics executes"},
		logLines(a.JobLog))
	register(api, route{http.MethodPut, "/jobs/{id}", "update-job", "Update a job"},
		func(ctx context.Context, in *update) (*answer[jobs.Job], error) {
			v, err := a.UpdateJob(ctx, in.ID, in.Body)
			return &answer[jobs.Job]{v}, err
		})
	register(api, route{http.MethodDelete, "/jobs/{id}", "delete-job", "Delete a job; the moved data stays"}, actionByID(a.DeleteJob))
	register(api, route{http.MethodPut, "/jobs/{id}/paused", "pause-job", "Pause a job's schedule, or resume it"},
		func(ctx context.Context, in *pause) (*answer[jobs.Job], error) {
			v, err := a.PauseJob(ctx, in.ID, in.Body.Paused)
			return &answer[jobs.Job]{v}, err
		})
}
