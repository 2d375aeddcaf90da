package engine

import (
	"context"
	"errors"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// jobKey computes a definition's key. It refuses an unknown authorization or
// audience, and fills in the default stream and the default table name.
func (e *Engine) jobKey(ctx context.Context, db *store.DB, s *jobs.JobSpec) (string, error) {
	auth, err := db.Authorization(ctx, s.AuthorizationID)
	if err != nil {
		if e, ok := errors.AsType[*jobs.Error](err); ok && e.Code == jobs.CodeNotFound {
			return "", jobs.Invalid("authorization_id", e.Summary, e.Detail, "Refer to a lytics_databricks_authorization resource of this store")
		}
		return "", err
	}
	return e.keyOf(ctx, auth, s)
}

// keyOf is jobKey with the job's authorization.
func (e *Engine) keyOf(ctx context.Context, auth store.AuthorizationRow, s *jobs.JobSpec) (string, error) {
	if err := checkAuthorizationManager(*s, auth); err != nil {
		return "", err
	}
	if s.Export != nil {
		audience, err := e.platform.Audience(ctx, s.Export.AudienceID)
		if jobs.IsCode(err, jobs.CodeNotFound) {
			return "", jobs.Invalid(
				"audience_id",
				"No audience \""+s.Export.AudienceID+"\"",
				"It is neither the id nor the slug of one.",
				"Refer to a lytics_audience resource",
			)
		}
		if err != nil {
			return "", err
		}
		if s.Export.TableName == "" && !s.ManagedBy.IsLytics() {
			s.Export.TableName = jobs.ExportTable(audience.Slug)
		}
	}
	if s.Import != nil && s.Import.Stream == "" {
		s.Import.Stream = jobs.DefaultStream(s.Import.Catalog, s.Import.Database, s.Import.Table)
	}
	return jobs.Key(auth.Host, *s), nil
}
