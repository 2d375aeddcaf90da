package api

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/api/protocol"
)

// roles has the role that each operation needs, by the operation's id. An operation
// that is not here cannot be registered.
var roles = map[string]jobs.Role{
	"get-store": jobs.RoleRead, "make-store": jobs.RoleAdmin,
	"client-is-alive": jobs.RoleAdmin, "client-is-done": jobs.RoleAdmin,

	"get-authorization": jobs.RoleRead, "list-authorizations": jobs.RoleRead,
	"create-authorization": jobs.RoleAdmin, "update-authorization": jobs.RoleAdmin, "delete-authorization": jobs.RoleAdmin,
	"list-catalogs": jobs.RoleRead, "list-databases": jobs.RoleRead, "list-tables": jobs.RoleRead, "list-columns": jobs.RoleRead,
	// It names a host and a variable of the runner, as a new authorization does.
	"list-catalog": jobs.RoleAdmin, "dry-run-definition": jobs.RoleAdmin,

	"list-jobs": jobs.RoleRead, "get-job": jobs.RoleRead, "get-job-log": jobs.RoleRead,
	"create-job": jobs.RoleAdmin, "update-job": jobs.RoleAdmin, "delete-job": jobs.RoleAdmin, "confirm": jobs.RoleAdmin,
	"pause-job": jobs.RoleOperate,

	"list-runs": jobs.RoleRead, "get-run": jobs.RoleRead, "get-run-log": jobs.RoleRead, "follow-run": jobs.RoleRead, "dry-run": jobs.RoleRead,
	"start-run": jobs.RoleOperate, "cancel-run": jobs.RoleOperate,

	"list-quarantine":   jobs.RoleRead,
	"resend-quarantine": jobs.RoleOperate, "drop-quarantine": jobs.RoleOperate,

	"judge-text": jobs.RoleRead, "check-object": jobs.RoleRead, "check-job": jobs.RoleRead, "claim-object": jobs.RoleAdmin,
	"list-fields": jobs.RoleRead, "get-field": jobs.RoleRead,
	"create-field": jobs.RoleAdmin, "put-field": jobs.RoleAdmin, "delete-field": jobs.RoleAdmin,
	"list-mappings": jobs.RoleRead, "get-mapping": jobs.RoleRead,
	"create-mapping": jobs.RoleAdmin, "put-mapping": jobs.RoleAdmin, "delete-mapping": jobs.RoleAdmin,
	"list-audiences": jobs.RoleRead, "get-audience": jobs.RoleRead, "get-audience-size": jobs.RoleRead,
	"create-audience": jobs.RoleAdmin, "put-audience": jobs.RoleAdmin, "delete-audience": jobs.RoleAdmin,

	"list-streams": jobs.RoleRead, "list-events": jobs.RoleRead, "scan-audience": jobs.RoleRead, "get-profile": jobs.RoleRead,
	"get-erasure": jobs.RoleRead, "erase": jobs.RoleAdmin,

	"list-audit": jobs.RoleRead,
	// The code has the role of the caller's token.
	"create-sign-in-code": jobs.RoleRead,
	"list-tokens":         jobs.RoleAdmin, "create-token": jobs.RoleAdmin, "rotate-token": jobs.RoleAdmin, "revoke-token": jobs.RoleAdmin,
}

// withRole refuses an operation to a caller whose role does not allow it, before
// the request's parameters are read.
func (r route) withRole(needed jobs.Role) func(huma.Context, func(huma.Context)) {
	return func(hc huma.Context, next func(huma.Context)) {
		noteRoute(hc.Context(), r.path, hc.Param("id"))
		who, _ := jobs.ActorOf(hc.Context())
		if who.Role.Allows(needed) {
			next(hc)
			return
		}
		problem := protocol.ProblemOf(&jobs.Error{
			Code: jobs.CodeForbidden, Attribute: "runner.token", Summary: fmt.Sprintf("The token %q may not do this", who.Name),
			Detail: fmt.Sprintf("The operation %s needs the role %s, and the token has the role %s.", r.id, needed, who.Role),
			Next:   fmt.Sprintf("Use a token with the role %s; an admin makes one with token create --name NAME --role %s", needed, needed),
		}, "")
		problem.Status = http.StatusForbidden
		hc.SetHeader("Content-Type", protocol.ProblemType)
		hc.SetStatus(problem.Status)
		// A failed write means that the client is gone.
		_ = json.NewEncoder(hc.BodyWriter()).Encode(problem)
	}
}
