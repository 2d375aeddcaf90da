package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// jobDataSource finds a job that another state made.
type jobDataSource struct{ dataSourceBase }

func (d *jobDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_job"
}

func (d *jobDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	attributes := jobRowAttributes()
	addLookup(attributes, "job")
	resp.Schema = schema.Schema{
		MarkdownDescription: "One job of the store, by its id or its label, no matter which state manages it. " +
			"See the guide [Two layers](../guides/two-layers).",
		Attributes: attributes,
	}
}

func (d *jobDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m jobRow
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	api := d.openForRead(ctx, req, resp)
	if api == nil || resp.Diagnostics.HasError() {
		return
	}
	id, err := lookup(ctx, "job", m.ID, m.Label, api.Jobs, func(j jobs.Job) (string, string) { return j.ID, j.Label })
	var job jobs.Job
	if err == nil {
		job, err = api.Job(ctx, id)
	}
	if err != nil {
		addError(&resp.Diagnostics, attributeTarget{objectType: resp.State.Schema.Type()}, "read the job", err)
		return
	}
	row := newJobRow(job)
	row.LyticsLog = lyticsLog(ctx, api, job, &resp.Diagnostics)
	resp.Diagnostics.Append(resp.State.Set(ctx, row)...)
}
