package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// schemaName accepts "catalog.database".
func schemaName() validator.String {
	return stringRule{rule: "catalog.database", check: func(s string) error {
		_, _, err := jobs.ParseSchema(s)
		return err
	}}
}

// stagedFileFormat refuses combinations of format, compression and column_types
// that no staged file can have. It is a validator of the attribute at fault.
type stagedFileFormat struct{ attribute string }

func (v stagedFileFormat) Description(context.Context) string         { return "fits the format" }
func (v stagedFileFormat) MarkdownDescription(context.Context) string { return "fits `format`" }

func (v stagedFileFormat) ValidateString(ctx context.Context, req validator.StringRequest, resp *validator.StringResponse) {
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
		addInvalidValue(&resp.Diagnostics, req.Path, err)
	}
}
