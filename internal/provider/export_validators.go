package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// schemaName wants "catalog.database".
func schemaName() validator.String {
	return textRule{rule: "catalog.database", check: func(s string) error {
		_, _, err := jobs.ParseSchema(s)
		return err
	}}
}

// stagedFiles refuses combinations of format, compression and column_types
// that no staged file can have. It stands at the attribute at fault.
type stagedFiles struct{ attribute string }

func (v stagedFiles) Description(context.Context) string         { return "fits the format" }
func (v stagedFiles) MarkdownDescription(context.Context) string { return "fits `format`" }

func (v stagedFiles) ValidateString(ctx context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	var format types.String
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("format"), &format)...)
	if resp.Diagnostics.HasError() || format.IsUnknown() || req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	e := jobs.AudienceExport{Format: jobs.FileFormat(format.ValueString())}
	if v.attribute == "compression" {
		e.Compression = jobs.Compression(req.ConfigValue.ValueString())
	} else {
		e.ColumnTypes = jobs.ColumnTypes(req.ConfigValue.ValueString())
	}
	if err := e.CheckFiles(); err != nil {
		addInvalid(&resp.Diagnostics, req.Path, err)
	}
}
