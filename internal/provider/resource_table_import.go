package provider

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

type tableImportModel struct {
	jobModel
	Catalog               types.String `tfsdk:"catalog"`
	Database              types.String `tfsdk:"database"`
	Table                 types.String `tfsdk:"table"`
	TimestampColumn       types.String `tfsdk:"timestamp_column"`
	RecordTimestampColumn types.String `tfsdk:"record_timestamp_column"`
	SinceTimestamp        types.String `tfsdk:"since_timestamp"`
	Stream                types.String `tfsdk:"stream"`
}

func newTableImportResource() resource.Resource {
	return &jobResource{kind: kind{
		name: "databricks_table_import", noun: "the table import", kind: jobs.KindTableImport, in: inImport,
		schema: tableImportSchema,
		empty:  func() model { return &tableImportModel{} },
		plan:   planTableImport,
	}}
}

func tableImportSchema(ctx context.Context) schema.Schema {
	return schema.Schema{
		MarkdownDescription: "Moves the rows of a Databricks table into an event stream: all of them the first time, " +
			"then those after the last import, each exactly once and in order.",
		Attributes: withJobAttributes(ctx, inImport, map[string]schema.Attribute{
			"catalog":  keyAttribute("Catalog of the table."),
			"database": keyAttribute("Database (schema) of the table."),
			"table":    keyAttribute("The table or view to read."),
			"timestamp_column": keyAttribute("Column of type TIMESTAMP, TIMESTAMP_NTZ or DATE that orders the rows and tells new and updated ones. " +
				"It should change whenever the row does."),
			"record_timestamp_column": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "Column with the event's own time. Left out: `timestamp_column`.",
				Validators:          []validator.String{plainText()},
			},
			"since_timestamp": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "Read rows after this time only: `yyyy-mm-dd HH:MM:SS`, in UTC, exclusive. Left out: all rows. " +
					"It counts until the first run has set the cursor.",
				Validators: []validator.String{sinceTimestamp()},
			},
			"stream": schema.StringAttribute{
				Optional: true, Computed: true,
				MarkdownDescription: "The stream to write to, made if it is missing. Default `databricks_{catalog}_{database}_{table}`.",
				Validators:          []validator.String{plainText()},
			},
		}),
	}
}

func planTableImport(_ context.Context, _ jobs.API, config, prior, planned model) path.Paths {
	c, _ := config.(*tableImportModel)
	p, _ := planned.(*tableImportModel)
	was, update := prior.(*tableImportModel)
	if !update {
		was = &tableImportModel{}
	}
	stream := types.StringUnknown()
	if !p.Catalog.IsUnknown() && !p.Database.IsUnknown() && !p.Table.IsUnknown() {
		stream = types.StringValue(jobs.DefaultStream(p.Catalog.ValueString(), p.Database.ValueString(), p.Table.ValueString()))
	}
	return settle(&p.Stream, c.Stream, was.Stream, stream, update, "stream")
}

func (m *tableImportModel) define(_ context.Context, s *jobs.JobSpec, diags *diag.Diagnostics) {
	s.Import = &jobs.TableImport{
		Catalog:               m.Catalog.ValueString(),
		Database:              m.Database.ValueString(),
		Table:                 m.Table.ValueString(),
		TimestampColumn:       m.TimestampColumn.ValueString(),
		RecordTimestampColumn: m.RecordTimestampColumn.ValueString(),
		Stream:                m.Stream.ValueString(),
	}
	if s.Import.Stream == "" {
		s.Import.Stream = jobs.DefaultStream(s.Import.Catalog, s.Import.Database, s.Import.Table)
	}
	if m.SinceTimestamp.IsNull() {
		return
	}
	since, err := time.Parse(sinceLayout, m.SinceTimestamp.ValueString())
	if err != nil {
		addInvalid(diags, path.Root("since_timestamp"), err)
	}
	s.Import.Since = &since
}

func (m *tableImportModel) settle(s jobs.JobSpec) {
	if m.Stream.IsUnknown() && s.Import != nil {
		m.Stream = types.StringValue(s.Import.Stream)
	}
}

func (m *tableImportModel) show(_ context.Context, s jobs.JobSpec, _ *diag.Diagnostics) {
	i := s.Import
	m.Catalog = types.StringValue(i.Catalog)
	m.Database = types.StringValue(i.Database)
	m.Table = types.StringValue(i.Table)
	m.TimestampColumn = types.StringValue(i.TimestampColumn)
	m.RecordTimestampColumn = text(i.RecordTimestampColumn)
	m.Stream = types.StringValue(i.Stream)
	m.SinceTimestamp = types.StringNull()
	if i.Since != nil {
		m.SinceTimestamp = types.StringValue(i.Since.UTC().Format(sinceLayout))
	}
}
