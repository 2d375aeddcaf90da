package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

type audienceResource struct {
	managed
	deps Dependencies
}

var (
	_ resource.ResourceWithConfigure      = (*audienceResource)(nil)
	_ resource.ResourceWithImportState    = (*audienceResource)(nil)
	_ resource.ResourceWithModifyPlan     = (*audienceResource)(nil)
	_ resource.ResourceWithValidateConfig = (*audienceResource)(nil)
)

type audienceModel struct {
	ID          types.String `tfsdk:"id"`
	Name        types.String `tfsdk:"name"`
	Slug        types.String `tfsdk:"slug"`
	Description types.String `tfsdk:"description"`
	Filter      types.String `tfsdk:"filter"`
}

func (r *audienceResource) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_audience"
}

func (r *audienceResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "A named filter over profiles, in FilterQL. Exports move its members to Databricks.",
		Attributes: map[string]schema.Attribute{
			"id":          idAttribute("Id of the audience."),
			"name":        labelAttribute("Name of the audience, for people."),
			"description": descriptionAttribute("Who is in the audience."),
			"slug": schema.StringAttribute{
				Optional: true, Computed: true,
				MarkdownDescription: "Name of the audience in filters (`INCLUDE slug`) and in the tables of its exports (`lytics_user_{slug}`): " +
					"lower-case letters, digits, `-` and `_`. Default: made from `name` when the audience is created, and kept when that changes.",
				Validators: []validator.String{plainText()},
			},
			"filter": schema.StringAttribute{
				Required:            true,
				MarkdownDescription: "FilterQL, such as `FILTER AND (EXISTS email, country = \"US\")`.",
				Validators:          []validator.String{description()},
			},
		},
	}
}

func (r *audienceResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var m audienceModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() || !req.Config.Raw.IsFullyKnown() || r.deps.ValidateAudience == nil {
		return
	}
	if err := r.deps.ValidateAudience(m.audience()); err != nil {
		addError(&resp.Diagnostics, place{schema: req.Config.Schema.Type()}, "use the audience", err)
	}
}

// ModifyPlan checks the store, and settles the slug, which follows from the
// name when the audience is created.
func (r *audienceResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	r.planStore(ctx, req, resp, false)
	if req.Plan.Raw.IsNull() || resp.Diagnostics.HasError() {
		return
	}
	var config, planned, prior audienceModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	resp.Diagnostics.Append(req.Plan.Get(ctx, &planned)...)
	update := !req.State.Raw.IsNull()
	if update {
		resp.Diagnostics.Append(req.State.Get(ctx, &prior)...)
	}
	if resp.Diagnostics.HasError() || update && req.Plan.Raw.Equal(req.State.Raw) {
		return
	}
	slug := types.StringUnknown()
	switch {
	case update:
		slug = prior.Slug
	case !planned.Name.IsUnknown():
		slug = types.StringValue(r.deps.NormalizeAudience(jobs.Audience{Name: planned.Name.ValueString()}).Slug)
	}
	resp.RequiresReplace = append(resp.RequiresReplace, settle(&planned.Slug, config.Slug, prior.Slug, slug, update, "slug")...)
	resp.Diagnostics.Append(resp.Plan.Set(ctx, planned)...)
}

func (r *audienceResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var m audienceModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	api := r.session.forNew(ctx, resp.Private, &resp.Diagnostics)
	if api == nil {
		return
	}
	m.ID = types.StringNull()
	a, err := api.CreateAudience(ctx, m.audience())
	if err != nil {
		addError(&resp.Diagnostics, place{schema: resp.State.Schema.Type()}, "create the audience "+m.Name.ValueString(), err)
		return
	}
	m.ID, m.Slug = types.StringValue(a.ID), types.StringValue(a.Slug)
	resp.Diagnostics.Append(resp.State.Set(ctx, m)...)
}

func (r *audienceResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	api, _ := r.forRead(ctx, req, resp)
	if api == nil {
		return
	}
	id := idIn(ctx, req.State, &resp.Diagnostics)
	a, err := api.Audience(ctx, id)
	if err != nil {
		readFailed(ctx, resp, describe("audience", id), err)
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, audienceModel{
		ID:          types.StringValue(a.ID),
		Name:        types.StringValue(a.Name),
		Slug:        types.StringValue(a.Slug),
		Description: types.StringValue(a.Description),
		Filter:      types.StringValue(a.Filter),
	})...)
}

func (r *audienceResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var m audienceModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	api, _ := r.session.forExisting(ctx, req.Private, &resp.Diagnostics)
	if api == nil {
		return
	}
	if _, err := api.PutAudience(ctx, m.audience()); err != nil {
		addError(&resp.Diagnostics, place{schema: resp.State.Schema.Type()}, "update "+describe("audience", m.Slug.ValueString()), err)
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, m)...)
}

func (r *audienceResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	id := idIn(ctx, req.State, &resp.Diagnostics)
	api, _ := r.session.forExisting(ctx, req.Private, &resp.Diagnostics)
	if api == nil || resp.Diagnostics.HasError() {
		return
	}
	deleteFailed(resp, describe("audience", id), api.DeleteAudience(ctx, id))
}

func (m audienceModel) audience() jobs.Audience {
	return jobs.Audience{
		ID:          m.ID.ValueString(),
		Name:        m.Name.ValueString(),
		Slug:        m.Slug.ValueString(),
		Description: m.Description.ValueString(),
		Filter:      m.Filter.ValueString(),
	}
}
