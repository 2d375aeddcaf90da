package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// deletesNeedKeys refuses events of deleted rows without key columns, which they
// consist of.
type deletesNeedKeys struct{}

func (deletesNeedKeys) Description(context.Context) string { return "needs key_columns for events" }
func (deletesNeedKeys) MarkdownDescription(context.Context) string {
	return "needs `key_columns` for `events`"
}

func (deletesNeedKeys) ValidateString(ctx context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	var keys types.List
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("key_columns"), &keys)...)
	if resp.Diagnostics.HasError() || !keys.IsNull() || req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	i := jobs.TableImport{Deletes: jobs.Deletes(req.ConfigValue.ValueString())}
	if err := i.CheckDeletes(); err != nil {
		addInvalidValue(&resp.Diagnostics, req.Path, err)
	}
}
