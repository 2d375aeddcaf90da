package provider

import (
	"context"
	"errors"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// warnKeyTaken says at plan what becomes of a new job whose key a job in a state has.
// Terraform does not tell a provider whether the plan destroys that job first: it does
// for a tainted resource, and not with create_before_destroy.
func (r *jobResource) warnKeyTaken(ctx context.Context, api jobs.API, planned jobModel, diags *diag.Diagnostics) {
	for _, v := range append(planned.keyAttributes(), planned.job().AuthorizationID) {
		if v.IsUnknown() {
			return
		}
	}
	spec := jobSpec(ctx, planned, diags)
	if diags.HasError() {
		return
	}
	// What else is wrong with the definition, the create reports.
	taken, ok := errors.AsType[*jobs.Error](api.CheckCreateJob(ctx, spec))
	if !ok || taken.Code != jobs.CodeConflict {
		return
	}
	r.target(r.kind.schema(ctx).Type()).add(diags, diag.SeverityWarning, taken.Attribute, taken.Summary,
		"If this plan replaces that job, as it does for a tainted resource, the replacement is one in name only: the old job is destroyed "+
			"first, and the new one has its id, its history and its cursor. With create_before_destroy the apply is refused, because a store has "+
			"one job for each such pair: remove create_before_destroy from the lifecycle of this resource and of those that refer to it, or "+
			"keep the job with terraform untaint ADDRESS.\n\n"+
			"If that job belongs to another resource, the apply is refused: remove one of the two, or take the job over with an import block.")
}

func (m *tableImportModel) keyAttributes() []attr.Value {
	return []attr.Value{m.Catalog, m.Database, m.Table, m.TimestampColumn, m.Stream}
}

func (m *audienceExportModel) keyAttributes() []attr.Value {
	return []attr.Value{m.AudienceID, m.Catalog, m.Database, m.TableName}
}
