package provider

import (
	"cmp"
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

type audienceExportModel struct {
	jobAttributes
	AudienceID        types.String `tfsdk:"audience_id"`
	Catalog           types.String `tfsdk:"catalog"`
	Database          types.String `tfsdk:"database"`
	TableName         types.String `tfsdk:"table_name"`
	Fields            types.List   `tfsdk:"fields"`
	OverwriteExisting types.Bool   `tfsdk:"overwrite_existing"`
	ColumnTypes       types.String `tfsdk:"column_types"`
	Format            types.String `tfsdk:"format"`
	Compression       types.String `tfsdk:"compression"`
	ScratchSchema     types.String `tfsdk:"scratch_schema"`
	MaxShrinkPercent  types.Int64  `tfsdk:"max_shrink_percent"`
}

func newAudienceExportResource() resource.Resource {
	return &jobResource{resourceBase{identity: audienceExportIdentity()}, audienceExportKind()}
}

func audienceExportKind() jobKind {
	return jobKind{
		name: "databricks_audience_export", noun: "the audience export", kind: jobs.KindAudienceExport, usage: inExport,
		schema:       audienceExportSchema,
		newModel:     func() jobModel { return &audienceExportModel{} },
		planComputed: planAudienceExport,
	}
}

func audienceExportSchema(ctx context.Context) schema.Schema {
	return schema.Schema{
		Version: jobStateVersion,
		MarkdownDescription: "Moves the profiles of an audience into a Databricks table. Each run replaces all rows of the table " +
			"in one commit: " +
			"readers see either the old rows or the new ones. It needs `staging` in the provider block.",
		Attributes: addJobAttributes(ctx, inExport, map[string]schema.Attribute{
			"audience_id": schema.StringAttribute{
				Required:            true,
				MarkdownDescription: "Id or slug of the audience.",
				Validators:          []validator.String{nonEmptyText()},
			},
			"catalog":  keyAttribute("Catalog to write to."),
			"database": keyAttribute("Database (schema) to write to."),
			"table_name": schema.StringAttribute{
				Optional: true, Computed: true,
				MarkdownDescription: "The table to write. Default `lytics_user_{audience_slug}`.",
				Validators:          []validator.String{nonEmptyText()},
			},
			"fields": schema.ListAttribute{
				ElementType: types.StringType, Optional: true,
				MarkdownDescription: "The user fields to export, in this order. Default: all. Values that are not scalar become JSON text.",
				Validators: []validator.List{
					listvalidator.SizeAtLeast(1),
					listvalidator.UniqueValues(),
					listvalidator.NoNullValues(),
					listvalidator.ValueStringsAre(nonEmptyText()),
				},
			},
			"overwrite_existing": schema.BoolAttribute{
				Optional: true, Computed: true,
				Default: booldefault.StaticBool(false),
				MarkdownDescription: "Whether to replace a table of that name that no job of this provider has created. " +
					"Default `false`: such a table is not changed, and the run fails.",
			},
			"column_types": schema.StringAttribute{
				Optional: true, Computed: true,
				Default: stringdefault.StaticString(string(jobs.ColumnTypesDeclared)),
				MarkdownDescription: "How the columns get their types. `declared` (the default): from the types of the fields. " +
					"`inferred`: the warehouse infers them from the text of the values, as the original product does: " +
					"`00123` becomes 123, and a column's type may change from run to run.",
				Validators: []validator.String{stringvalidator.OneOf(string(jobs.ColumnTypesDeclared), string(jobs.ColumnTypesInferred)),
					stagedFileFormat{"column_types"}},
			},
			"format": schema.StringAttribute{
				Optional: true, Computed: true,
				Default: stringdefault.StaticString(string(jobs.FormatCSV)),
				MarkdownDescription: "Format of the staged files: `csv` (the default) or `parquet`. The resulting table is the same. " +
					"Parquet takes more CPU time on this machine and less in the warehouse.",
				Validators: []validator.String{stringvalidator.OneOf(string(jobs.FormatCSV), string(jobs.FormatParquet))},
			},
			"compression": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "Compression of the staged files: `gzip` or `none`, and for `parquet` also `zstd`. " +
					"Default: `gzip` for CSV, `zstd` for Parquet.",
				Validators: []validator.String{stringvalidator.OneOf(string(jobs.CompressionNone), string(jobs.CompressionGzip),
					string(jobs.CompressionZstd)), stagedFileFormat{"compression"}},
			},
			"scratch_schema": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "`catalog.database` in which a run creates the table that it loads before it replaces the rows of the target. " +
					"Default: that of the target. This needs CREATE TABLE there.",
				Validators: []validator.String{nonEmptyText(), schemaName()},
			},
			"max_shrink_percent": schema.Int64Attribute{
				Optional: true,
				MarkdownDescription: "By how many percent of its rows, from 0 to 100, a run may shrink the table. A run that would shrink it more " +
					"fails, says from how many to how many rows, and changes nothing. Default: any.",
				Validators: []validator.Int64{int64validator.Between(0, 100)},
			},
		}),
	}
}

// planAudienceExport plans the default table name, which is made from the
// audience's slug. If the store cannot say the slug, an export of the same
// audience keeps its table, and another one is unknown until apply.
func planAudienceExport(ctx context.Context, api jobs.API, config, prior, planned jobModel) path.Paths {
	c, _ := config.(*audienceExportModel)
	p, _ := planned.(*audienceExportModel)
	was, update := prior.(*audienceExportModel)
	if !update {
		was = &audienceExportModel{}
	}
	if p.inLytics() { // Lytics names the table
		if c.TableName.IsNull() {
			p.TableName = types.StringNull()
		}
		return nil
	}
	name := types.StringUnknown()
	if c.TableName.IsNull() && !p.AudienceID.IsUnknown() {
		if update && p.AudienceID.Equal(was.AudienceID) {
			name = was.TableName
		}
		if api != nil {
			// Create reports an audience that cannot be read.
			if audience, err := api.Audience(ctx, p.AudienceID.ValueString()); err == nil {
				name = types.StringValue(jobs.ExportTable(audience.Slug))
			}
		}
	}
	// A move from Lytics is an update in place.
	return planKeyAttribute(&p.TableName, c.TableName, was.TableName, name, update && !was.inLytics(), "table_name")
}

func (m *audienceExportModel) addToSpec(ctx context.Context, s *jobs.JobSpec, diags *diag.Diagnostics) {
	s.Export = &jobs.AudienceExport{
		AudienceID:        m.AudienceID.ValueString(),
		Catalog:           m.Catalog.ValueString(),
		Database:          m.Database.ValueString(),
		TableName:         m.TableName.ValueString(),
		OverwriteExisting: m.OverwriteExisting.ValueBool(),
		ColumnTypes:       jobs.ColumnTypes(m.ColumnTypes.ValueString()),
		Format:            jobs.FileFormat(m.Format.ValueString()),
		Compression:       jobs.Compression(m.Compression.ValueString()),
		ScratchSchema:     m.ScratchSchema.ValueString(),
		MaxShrinkPercent:  m.MaxShrinkPercent.ValueInt64Pointer(),
	}
	if !m.Fields.IsNull() && !m.Fields.IsUnknown() {
		diags.Append(m.Fields.ElementsAs(ctx, &s.Export.Fields, false)...)
	}
}

func (m *audienceExportModel) setComputed(s jobs.JobSpec) {
	if m.TableName.IsUnknown() && s.Export != nil {
		m.TableName = types.StringValue(s.Export.TableName)
	}
}

func (m *audienceExportModel) setFromSpec(ctx context.Context, s jobs.JobSpec, diags *diag.Diagnostics) {
	e := s.Export
	m.AudienceID = types.StringValue(e.AudienceID)
	m.Catalog = types.StringValue(e.Catalog)
	m.Database = types.StringValue(e.Database)
	m.TableName = nullIfEmpty(e.TableName)
	m.OverwriteExisting = types.BoolValue(e.OverwriteExisting)
	m.ColumnTypes = types.StringValue(cmp.Or(string(e.ColumnTypes), string(jobs.ColumnTypesDeclared)))
	m.Format = types.StringValue(cmp.Or(string(e.Format), string(jobs.FormatCSV)))
	m.Compression, m.ScratchSchema = nullIfEmpty(string(e.Compression)), nullIfEmpty(e.ScratchSchema)
	m.MaxShrinkPercent = types.Int64PointerValue(e.MaxShrinkPercent)
	m.Fields = types.ListNull(types.StringType)
	if len(e.Fields) > 0 {
		fields, d := types.ListValueFrom(ctx, types.StringType, e.Fields)
		diags.Append(d...)
		m.Fields = fields
	}
}
