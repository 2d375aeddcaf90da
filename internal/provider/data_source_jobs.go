package provider

import (
	"cmp"
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

type jobsDataSource struct{ dataSourceBase }

type jobsModel struct {
	Kind types.String `tfsdk:"kind"`
	Jobs []jobRow     `tfsdk:"jobs"`
}

type jobRow struct {
	ID              types.String `tfsdk:"id"`
	Kind            types.String `tfsdk:"kind"`
	Label           types.String `tfsdk:"label"`
	Description     types.String `tfsdk:"description"`
	AuthorizationID types.String `tfsdk:"authorization_id"`
	ManagedBy       types.String `tfsdk:"managed_by"`
	LyticsID        types.String `tfsdk:"lytics_id"`
	LyticsLog       []logRow     `tfsdk:"lytics_log"`
	Catalog         types.String `tfsdk:"catalog"`
	Database        types.String `tfsdk:"database"`
	Table           types.String `tfsdk:"table"`
	Stream          types.String `tfsdk:"stream"`
	AudienceID      types.String `tfsdk:"audience_id"`
	Frequency       types.String `tfsdk:"frequency"`
	Timezone        types.String `tfsdk:"timezone"`
	After           []string     `tfsdk:"after"`
	NextRunAt       types.String `tfsdk:"next_run_at"`
	Paused          types.Bool   `tfsdk:"paused"`
	Status          types.String `tfsdk:"status"`
	ExpectedEvery   types.String `tfsdk:"expected_every"`
	LastSuccessAt   types.String `tfsdk:"last_success_at"`
	Late            types.Bool   `tfsdk:"late"`
	CreatedAt       types.String `tfsdk:"created_at"`
	UpdatedAt       types.String `tfsdk:"updated_at"`
	LastRun         types.Object `tfsdk:"last_run"`
}

// logRow is one line of Lytics' log of a job.
type logRow struct {
	At      types.String `tfsdk:"at"`
	Level   types.String `tfsdk:"level"`
	Message types.String `tfsdk:"message"`
}

// maxLogRows is how many lines of Lytics' log a job has, the newest.
const maxLogRows = 20

func (d *jobsDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_jobs"
}

func (d *jobsDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "All jobs of the store, sorted by label, with their next and last runs.",
		Attributes: map[string]schema.Attribute{
			"kind": schema.StringAttribute{
				Optional: true, MarkdownDescription: "Only jobs of this kind, `table_import` or `audience_export`. Default: all.",
				Validators: []validator.String{stringvalidator.OneOf(string(jobs.KindTableImport), string(jobs.KindAudienceExport))},
			},
			"jobs": schema.ListNestedAttribute{
				Computed: true, MarkdownDescription: "The jobs.",
				NestedObject: schema.NestedAttributeObject{Attributes: jobRowAttributes()},
			},
		},
	}
}

// jobRowAttributes are the attributes of a job of the store.
func jobRowAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"id":               computedString("Id of the job."),
		"kind":             computedString("`table_import` or `audience_export`."),
		"label":            computedString("Name of the job."),
		"description":      computedString("Description of the job."),
		"authorization_id": computedString("Id of its authorization."),
		"managed_by":       computedString("Who executes it: `provider` or `lytics`."),
		"lytics_id":        computedString("Its id in the Lytics account; null for a job that this provider executes."),
		"lytics_log": schema.ListNestedAttribute{
			Computed: true, MarkdownDescription: "The newest lines of the log that Lytics keeps of the job, at most 20, oldest first; " +
				"null for a job that this provider executes.",
			NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
				"at":      computedString("When it was written (RFC 3339)."),
				"level":   computedString("`info`, `warn` or `error`."),
				"message": computedString("What it says."),
			}},
		},
		"catalog":     computedString("Catalog it reads or writes."),
		"database":    computedString("Database it reads or writes."),
		"table":       computedString("Table it reads or writes."),
		"stream":      computedString("Stream it writes to (imports)."),
		"audience_id": computedString("Audience it reads (exports)."),
		"frequency":   computedString("Frequency of its schedule; null without a schedule."),
		"timezone":    computedString("Time zone of its schedule; null without one."),
		"after": schema.ListAttribute{
			ElementType: types.StringType, Computed: true, MarkdownDescription: "Ids of the jobs that it runs after.",
		},
		"next_run_at": computedString("Its next planned run (RFC 3339, UTC); null without a schedule, or while it is paused. Of a job that " +
			"Lytics executes: until when it sleeps."),
		"paused": schema.BoolAttribute{Computed: true, MarkdownDescription: "Whether its schedule is paused now, by its " +
			"definition or by an operator."},
		"status": computedString("Status of its last run; `never` before the first run. Of a job that Lytics executes: its status in " +
			"Lytics, such as `running`, `sleeping` or `fault-2`, or why it is not known."),
		"expected_every": computedString("How often a run of it is expected to succeed; null if nothing is expected."),
		"last_success_at": computedString("When its newest successful run ended (RFC 3339); null if there is none, and for a job that " +
			"Lytics executes."),
		"late": schema.BoolAttribute{Computed: true, MarkdownDescription: "Whether its last success is longer ago than `expected_every`; " +
			"never while it is paused."},
		"created_at": computedString("When it was registered (RFC 3339)."),
		"updated_at": computedString("When its definition last changed (RFC 3339)."),
		"last_run": schema.SingleNestedAttribute{
			Computed: true, MarkdownDescription: "Its last run, no matter what started it; null before the first run. Of a job that Lytics " +
				"executes: the last run that this provider asked for.",
			Attributes: runDataSourceAttributes(inRuns),
		},
	}
}

func (d *jobsDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m jobsModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	api := d.openForRead(ctx, req, resp)
	if api == nil || resp.Diagnostics.HasError() {
		return
	}
	list, err := api.Jobs(ctx)
	if err != nil {
		addError(&resp.Diagnostics, noAttribute, "list the jobs", err)
		return
	}
	m.Jobs = []jobRow{}
	for _, j := range list {
		if m.Kind.IsNull() || m.Kind.ValueString() == string(j.Kind()) {
			row := newJobRow(j)
			row.LyticsLog = lyticsLog(ctx, api, j, &resp.Diagnostics)
			m.Jobs = append(m.Jobs, row)
		}
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, m)...)
}

// lyticsLog reads Lytics' log of a job. Without an answer from Lytics it warns: the
// list of jobs is still worth having.
func lyticsLog(ctx context.Context, api jobs.API, j jobs.Job, diags *diag.Diagnostics) []logRow {
	if j.Lytics == nil || j.Lytics.ID == "" {
		return nil
	}
	lines, err := api.JobLog(ctx, j.ID)
	if err != nil {
		e := toJobsError(err, "read the log of "+j.ID)
		diags.AddWarning(e.Summary, paragraphs(e.Detail, e.Next))
		return nil
	}
	rows := []logRow{}
	for _, l := range lines[max(len(lines)-maxLogRows, 0):] {
		rows = append(rows, logRow{At: formatTime(&l.At), Level: types.StringValue(l.Level), Message: types.StringValue(l.Message)})
	}
	return rows
}

func newJobRow(j jobs.Job) jobRow {
	row := jobRow{
		ID: types.StringValue(j.ID), Kind: types.StringValue(string(j.Kind())),
		Label: types.StringValue(j.Label), Description: types.StringValue(j.Description),
		AuthorizationID: types.StringValue(j.AuthorizationID),
		ManagedBy:       managerValue(j.ManagedBy),
		NextRunAt:       formatTime(j.NextRunAt), Paused: types.BoolValue(j.Paused),
		After: append([]string{}, j.After...), Status: types.StringValue("never"),
		CreatedAt: formatTime(&j.CreatedAt), UpdatedAt: formatTime(&j.UpdatedAt), LastRun: optionalRunObject(inRuns, j.LastRun),
	}
	row.ExpectedEvery, row.LastSuccessAt = expectedEveryValue(row.ExpectedEvery, j.ExpectedEvery()), formatTime(j.LastSuccessAt)
	row.Late = types.BoolValue(j.LateBy(time.Now()) > 0)
	if j.LastRun != nil {
		row.Status = types.StringValue(string(j.LastRun.Status))
	}
	if l := j.Lytics; l != nil {
		row.LyticsID, row.Status = nullIfEmpty(l.ID), types.StringValue(cmp.Or(l.Status, l.Problem))
	}
	if i := j.Import; i != nil {
		row.Catalog, row.Database, row.Table = types.StringValue(i.Catalog), types.StringValue(i.Database), types.StringValue(i.Table)
		row.Stream = types.StringValue(i.Stream)
	}
	if e := j.Export; e != nil {
		row.Catalog, row.Database, row.Table = types.StringValue(e.Catalog), types.StringValue(e.Database), types.StringValue(e.TableName)
		row.AudienceID = types.StringValue(e.AudienceID)
	}
	if s := j.Schedule; s != nil {
		row.Frequency = types.StringValue(string(s.Frequency))
		row.Timezone = types.StringValue(valueOr(s.Timezone, defaultTimezone))
	}
	return row
}
