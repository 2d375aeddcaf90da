package engine

import (
	"context"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

var _ jobs.TokenIssuer = Audited{}

// IssueToken implements jobs.TokenIssuer.
func (e *Engine) IssueToken(ctx context.Context, authorizationID string) (jobs.WorkspaceToken, error) {
	db, err := e.open(ctx, readStore)
	if err != nil {
		return jobs.WorkspaceToken{}, err
	}
	row, err := db.Authorization(ctx, authorizationID)
	if err == nil {
		err = row.CheckIssuesTokens()
	}
	if err != nil {
		return jobs.WorkspaceToken{}, err
	}
	t, err := databricks.IssueToken(ctx, e.databricksConfig(row))
	return t, pointAtSecret(err, row)
}

// IssueToken implements jobs.TokenIssuer.
func (a Audited) IssueToken(ctx context.Context, authorizationID string) (jobs.WorkspaceToken, error) {
	entry := jobs.AuditEntry{Action: "issue-token", Object: authorizationID}
	return change(ctx, a, entry, func(ctx context.Context) (jobs.WorkspaceToken, error) {
		return a.Engine.IssueToken(ctx, authorizationID)
	})
}
