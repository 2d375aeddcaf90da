package provider

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/objectvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// jobPreviewDataSource shows what a run of a job would do: of a job of the store, or of
// an import that is only written out.
type jobPreviewDataSource struct{ dataSourceBase }

type jobPreviewModel struct {
	catalogSource
	JobID      types.String    `tfsdk:"job_id"`
	Import     types.Object    `tfsdk:"import"`
	SampleRows types.Int64     `tfsdk:"sample_rows"`
	Kind       types.String    `tfsdk:"kind"`
	Source     types.String    `tfsdk:"source"`
	Snapshot   types.String    `tfsdk:"snapshot"`
	Stream     types.String    `tfsdk:"stream"`
	Table      types.String    `tfsdk:"table"`
	Continues  types.Bool      `tfsdk:"continues"`
	Watermark  types.String    `tfsdk:"watermark"`
	Rows       types.Int64     `tfsdk:"rows"`
	RowsBefore types.Int64     `tfsdk:"rows_before"`
	RowsNull   types.Int64     `tfsdk:"rows_null"`
	RowsFuture types.Int64     `tfsdk:"rows_future"`
	Summary    types.String    `tfsdk:"summary"`
	Columns    []previewColumn `tfsdk:"columns"`
	Statements []string        `tfsdk:"statements"`
	Notes      []string        `tfsdk:"notes"`
	Samples    []previewSample `tfsdk:"samples"`
}

type previewColumn struct {
	Name types.String `tfsdk:"name"`
	Type types.String `tfsdk:"type"`
}

type previewSample struct {
	Row     types.String      `tfsdk:"row"`
	Profile map[string]string `tfsdk:"profile"`
}

// previewImport is an import that is written out.
type previewImport struct {
	Catalog               types.String `tfsdk:"catalog"`
	Database              types.String `tfsdk:"database"`
	Table                 types.String `tfsdk:"table"`
	TimestampColumn       types.String `tfsdk:"timestamp_column"`
	RecordTimestampColumn types.String `tfsdk:"record_timestamp_column"`
	SinceTimestamp        types.String `tfsdk:"since_timestamp"`
	Stream                types.String `tfsdk:"stream"`
	KeyColumns            []string     `tfsdk:"key_columns"`
	Columns               []string     `tfsdk:"columns"`
	ExcludeColumns        []string     `tfsdk:"exclude_columns"`
	Where                 types.String `tfsdk:"where"`
}

func (d *jobPreviewDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_job_preview"
}

func (d *jobPreviewDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	number := func(doc string) schema.Int64Attribute {
		return schema.Int64Attribute{Computed: true, MarkdownDescription: doc}
	}
	texts := func(doc string) schema.ListAttribute {
		return schema.ListAttribute{ElementType: types.StringType, Computed: true, MarkdownDescription: doc}
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "What a run of a job would read and write if it started now, for reviews in CI: nothing is changed. It asks the " +
			"warehouse, and starts it if it is stopped. See the guide [Reading a plan](../guides/reading-a-plan).",
		Attributes: withConnection(map[string]schema.Attribute{
			"job_id": schema.StringAttribute{
				Optional: true, MarkdownDescription: "Id of a job of the store. Either this or `import`.",
				Validators: []validator.String{nonEmptyText(), stringvalidator.ExactlyOneOf(path.MatchRoot("import")),
					stringvalidator.ConflictsWith(path.MatchRoot("authorization_id"), path.MatchRoot("databricks"))},
			},
			"import": schema.SingleNestedAttribute{
				Optional: true, MarkdownDescription: "An import that need not exist, with the attributes of `lytics_databricks_table_import`. " +
					"Either this or `job_id`.",
				Validators: []validator.Object{objectvalidator.ExactlyOneOf(path.MatchRoot("job_id"))},
				Attributes: previewImportAttributes(),
			},
			"sample_rows": schema.Int64Attribute{
				Optional: true, MarkdownDescription: "Number of samples, 1 to 100. They are customer data, and in the state. Default: none.",
				Validators: []validator.Int64{int64validator.Between(1, jobs.MostSamples)},
			},
			"kind":     computedString("`table_import` or `audience_export`."),
			"source":   computedString("The table of an import, or the audience of an export."),
			"snapshot": computedString("The version of the table that a run would read."),
			"stream":   computedString("Stream that an import writes to."),
			"table":    computedString("Table that an export writes."),
			"continues": schema.BoolAttribute{Computed: true, MarkdownDescription: "Whether an earlier run has left a cursor, from which a " +
				"run goes on."},
			"watermark":   computedString("Timestamp of that cursor (RFC 3339)."),
			"rows":        number("Events that an import would write, or rows of an export's new table."),
			"rows_before": number("Rows that the table of an export has now; null if there is no table, and for an import."),
			"rows_null":   number("Rows without a timestamp."),
			"rows_future": number("Rows later than the warehouse's clock."),
			"summary":     computedString("The same in one sentence, as `plan_check` shows it in a plan."),
			"columns": schema.ListNestedAttribute{
				Computed: true, MarkdownDescription: "Columns of the events of an import, or of an export's new table.",
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"name": computedString("Name."), "type": computedString("Databricks type."),
				}},
			},
			"statements": texts("SQL statements that a run would send, in order; angle brackets mark what is not known before."),
			"notes":      texts("Remarks that the counts do not show."),
			"samples": schema.ListNestedAttribute{
				Computed: true, Sensitive: true,
				MarkdownDescription: "The first rows of an import, with what the mappings of the stream in the store make of them; or the first " +
					"profiles of an export. Terraform shows them with `nonsensitive()`.",
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"row":     computedString("The event, as JSON; null for an export."),
					"profile": schema.MapAttribute{ElementType: types.StringType, Computed: true, MarkdownDescription: "Values by field."},
				}},
			},
		}),
	}
}

func previewImportAttributes() map[string]schema.Attribute {
	optional := func(doc string, more ...validator.String) schema.StringAttribute {
		return schema.StringAttribute{Optional: true, MarkdownDescription: doc, Validators: append(more, nonEmptyText())}
	}
	list := func(doc string) schema.ListAttribute {
		return schema.ListAttribute{ElementType: types.StringType, Optional: true, MarkdownDescription: doc}
	}
	return map[string]schema.Attribute{
		"catalog":                 requiredString("Catalog of the table."),
		"database":                requiredString("Database (schema) of the table."),
		"table":                   requiredString("The table or view."),
		"timestamp_column":        requiredString("Column that orders the rows."),
		"record_timestamp_column": optional("Column with the time of the event."),
		"since_timestamp":         optional("Time after which rows are read, as `yyyy-mm-dd HH:MM:SS` in UTC.", sinceTimestamp()),
		"stream":                  optional("Stream, whose mappings the samples show. Default `databricks_{catalog}_{database}_{table}`."),
		"key_columns":             list("Columns that identify a row among rows of one timestamp."),
		"columns":                 list("Columns of the events."),
		"exclude_columns":         list("Columns that the events leave out."),
		"where":                   optional("Condition of Databricks SQL."),
	}
}

func (d *jobPreviewDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m jobPreviewModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	var run jobs.DryRun
	var err error
	at := attributeTarget{objectType: resp.State.Schema.Type()}
	if m.Import.IsNull() {
		api := d.openForRead(ctx, req, resp)
		if api == nil {
			return
		}
		run, err = api.DryRun(ctx, m.JobID.ValueString(), int(m.SampleRows.ValueInt64()))
	} else {
		from := d.openCatalog(ctx, m.catalogSource, req, resp)
		if from == nil {
			return
		}
		request := jobs.DryRunRequest{Definition: m.definition(ctx, &resp.Diagnostics), Samples: int(m.SampleRows.ValueInt64())}
		if from.connection != nil {
			request.Connection = &jobs.AuthorizationChange{AuthorizationSpec: *from.connection}
		}
		if resp.Diagnostics.HasError() {
			return
		}
		if run, err = from.api.DryRunOf(ctx, request); err != nil {
			e := *toJobsError(err, "preview the job")
			if _, ofLogin := connectionLoginFields()[e.Attribute]; ofLogin {
				e.Attribute = "databricks"
			}
			e.Attribute = valueOr(inPreview[e.Attribute], e.Attribute)
			err = &e
		}
	}
	if err != nil {
		addError(&resp.Diagnostics, at, "preview the job", err)
		return
	}
	m.show(run)
	resp.Diagnostics.Append(resp.State.Set(ctx, m)...)
}

// inPreview are the attributes of the data source that an error of an import is about.
var inPreview = map[string]string{
	"catalog": "import.catalog", "database": "import.database", "table": "import.table", "timestamp_column": "import.timestamp_column",
	"record_timestamp_column": "import.record_timestamp_column", "key_columns": "import.key_columns", "columns": "import.columns",
	"exclude_columns": "import.exclude_columns", "where": "import.where",
	"host": "databricks", "port": "databricks", "http_path": "databricks", "token_env": "databricks",
}

// definition is the import that the data source writes out.
func (m *jobPreviewModel) definition(ctx context.Context, diags *diag.Diagnostics) jobs.JobSpec {
	var p previewImport
	diags.Append(m.Import.As(ctx, &p, basetypes.ObjectAsOptions{})...)
	i := jobs.TableImport{
		Catalog: p.Catalog.ValueString(), Database: p.Database.ValueString(), Table: p.Table.ValueString(),
		TimestampColumn: p.TimestampColumn.ValueString(), RecordTimestampColumn: p.RecordTimestampColumn.ValueString(),
		KeyColumns: p.KeyColumns, Columns: p.Columns, ExcludeColumns: p.ExcludeColumns, Where: p.Where.ValueString(),
	}
	i.Stream = valueOr(p.Stream.ValueString(), jobs.DefaultStream(i.Catalog, i.Database, i.Table))
	if text := p.SinceTimestamp.ValueString(); text != "" {
		since, err := time.Parse(sinceLayout, text)
		if err != nil {
			addInvalidValue(diags, path.Root("import").AtName("since_timestamp"), err)
		}
		i.Since = &since
	}
	return jobs.JobSpec{Label: i.Table, AuthorizationID: m.AuthorizationID.ValueString(), QueryTimeout: jobs.DefaultQueryTimeout, Import: &i}
}

// show sets the attributes from a dry run.
func (m *jobPreviewModel) show(d jobs.DryRun) {
	m.Kind, m.Summary = types.StringValue(string(d.Kind)), types.StringValue(describeDryRun(d))
	m.Source, m.Snapshot = nullIfEmpty(d.Reads.Source), nullIfEmpty(d.Reads.Snapshot)
	m.Stream, m.Table = nullIfEmpty(d.Writes.Stream), nullIfEmpty(d.Writes.Table)
	m.Continues, m.Watermark = types.BoolValue(d.Reads.Continues), formatTime(d.Reads.Watermark)
	m.Rows, m.RowsBefore = types.Int64Value(d.Writes.Rows), types.Int64PointerValue(d.Writes.RowsBefore)
	m.RowsNull, m.RowsFuture = types.Int64Value(d.Reads.RowsNull), types.Int64Value(d.Reads.RowsFuture)
	m.Columns, m.Samples = []previewColumn{}, []previewSample{}
	for _, c := range append(d.Reads.Columns, d.Writes.Columns...) {
		m.Columns = append(m.Columns, previewColumn{types.StringValue(c.Name), types.StringValue(c.Type)})
	}
	m.Statements, m.Notes = append([]string{}, d.Statements...), append([]string{}, d.Notes...)
	for _, s := range d.Samples {
		profile := s.Profile
		if profile == nil {
			profile = map[string]string{}
		}
		m.Samples = append(m.Samples, previewSample{nullIfEmpty(s.Row), profile})
	}
}
