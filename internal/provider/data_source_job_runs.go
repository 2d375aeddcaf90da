package provider

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/setvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

type jobRunsDataSource struct{ dataSourceBase }

type jobRunsModel struct {
	JobID    types.String `tfsdk:"job_id"`
	Statuses types.Set    `tfsdk:"statuses"`
	Since    types.String `tfsdk:"since"`
	Limit    types.Int64  `tfsdk:"limit"`
	Runs     types.List   `tfsdk:"runs"`
}

func (d *jobRunsDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_job_runs"
}

func (d *jobRunsDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "The runs of a job, or of all jobs, newest first.",
		Attributes: map[string]schema.Attribute{
			"job_id": schema.StringAttribute{
				Optional: true, MarkdownDescription: "Only runs of this job. Default: of all jobs.",
				Validators: []validator.String{nonEmptyText()},
			},
			"statuses": schema.SetAttribute{
				ElementType: types.StringType, Optional: true,
				MarkdownDescription: "Only runs in one of these states: `queued`, `waiting_for_warehouse`, `running`, `succeeded`, " +
					"`failed`, `cancelled`, `missed`. Default: all.",
				Validators: []validator.Set{setvalidator.ValueStringsAre(stringvalidator.OneOf(statusNames()...))},
			},
			"since": schema.StringAttribute{
				Optional: true, MarkdownDescription: "Only runs created since this time (RFC 3339), such as `2026-01-31T00:00:00Z`.",
				Validators: []validator.String{rfc3339()},
			},
			"limit": schema.Int64Attribute{
				Optional: true, MarkdownDescription: "Maximum number of runs: 1 to 1000. Default 100.",
				Validators: []validator.Int64{int64validator.Between(1, 1000)},
			},
			"runs": schema.ListNestedAttribute{
				Computed: true, MarkdownDescription: "The runs.",
				NestedObject: schema.NestedAttributeObject{Attributes: runDataSourceAttributes(inRuns)},
			},
		},
	}
}

func (d *jobRunsDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m jobRunsModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	api := d.openForRead(ctx, req, resp)
	if api == nil || resp.Diagnostics.HasError() {
		return
	}
	filter := jobs.RunFilter{JobID: m.JobID.ValueString(), Limit: int(m.Limit.ValueInt64())}
	if !m.Statuses.IsNull() {
		resp.Diagnostics.Append(m.Statuses.ElementsAs(ctx, &filter.Statuses, false)...)
	}
	if s := m.Since.ValueString(); s != "" {
		// The schema has validated it.
		filter.Since, _ = time.Parse(time.RFC3339, s)
	}
	list, err := api.ListRuns(ctx, filter)
	if err != nil {
		addError(&resp.Diagnostics, attributeTarget{objectType: resp.State.Schema.Type()}, "list the runs", err)
		return
	}
	runs := []types.Object{}
	for _, r := range list {
		runs = append(runs, runObject(inRuns, r))
	}
	listed, diags := types.ListValueFrom(ctx, types.ObjectType{AttrTypes: runTypes(inRuns)}, runs)
	m.Runs = listed
	resp.Diagnostics.Append(diags...)
	resp.Diagnostics.Append(resp.State.Set(ctx, m)...)
}

func statusNames() []string {
	return []string{
		string(jobs.StatusQueued), string(jobs.StatusWaiting), string(jobs.StatusRunning), string(jobs.StatusSucceeded),
		string(jobs.StatusFailed), string(jobs.StatusCancelled), string(jobs.StatusMissed),
	}
}
