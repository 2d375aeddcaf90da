package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/api/protocol"
)

func (s *Server) describeAccess(api huma.API) {
	a := s.config.API
	type create struct{ Body jobs.TokenSpec }
	type rotate struct {
		ID   string `path:"id" doc:"The token's name."`
		Body struct {
			KeepSeconds int64 `json:"keep_seconds" minimum:"0" doc:"How much longer the earlier tokens of the name are valid."`
		}
	}
	type revoke struct {
		ID string `path:"id" doc:"The name, for all tokens that have it, or the id of one."`
	}
	type revoked struct {
		Revoked int64 `json:"revoked" doc:"How many tokens were removed."`
	}
	type filter struct {
		Actor  string    `query:"actor" doc:"Only changes by this token or user."`
		Object string    `query:"object" doc:"Only changes of the object with this id."`
		Action string    `query:"action" doc:"Only changes by this operation."`
		Since  time.Time `query:"since" doc:"Only changes since this time."`
		Before int64     `query:"before" minimum:"0" doc:"Only entries with smaller ids: next of the last page."`
		Limit  int       `query:"limit" minimum:"0" doc:"The most entries to give, at most 1000; 0 means 100."`
	}
	register(api, route{http.MethodGet, "/tokens", "list-tokens", "List the named tokens, without their texts"},
		all(a.Tokens, itself, func(t jobs.Token) string { return t.ID }))
	register(api, route{http.MethodPost, "/tokens", "create-token", "Create a named token with a role"},
		func(ctx context.Context, in *create) (*answer[protocol.NewToken], error) {
			t, err := a.CreateToken(ctx, in.Body)
			return &answer[protocol.NewToken]{protocol.NewTokenOf(t)}, err
		})
	register(api, route{http.MethodPost, "/tokens/{id}/rotations", "rotate-token", "Create a further token of a name, and let the " +
		"earlier ones expire"},
		func(ctx context.Context, in *rotate) (*answer[protocol.NewToken], error) {
			t, err := a.RotateToken(ctx, in.ID, in.Body.KeepSeconds)
			return &answer[protocol.NewToken]{protocol.NewTokenOf(t)}, err
		})
	register(api, route{http.MethodDelete, "/tokens/{id}", "revoke-token", "Revoke the tokens of a name, or one by its id"},
		func(ctx context.Context, in *revoke) (*answer[revoked], error) {
			n, err := a.RevokeToken(ctx, in.ID)
			return &answer[revoked]{revoked{n}}, err
		})
	register(api, route{http.MethodPost, "/sign-in-codes", "create-sign-in-code", "Create a code that signs in to the page once, with the " +
		"token of the request"},
		func(ctx context.Context, _ *none) (*answer[protocol.SignInCode], error) {
			c, err := a.CreateSignInCode(ctx)
			return &answer[protocol.SignInCode]{protocol.SignInCodeOf(c)}, err
		})
	register(api, route{http.MethodGet, "/audit", "list-audit", "List who changed what, the newest change first"},
		func(ctx context.Context, in *filter) (*answer[jobs.AuditPage], error) {
			page, err := a.AuditLog(ctx, jobs.AuditFilter(*in))
			page.Entries = list(page.Entries, itself)
			return &answer[jobs.AuditPage]{page}, err
		})
}
