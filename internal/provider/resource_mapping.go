package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

type mappingResource struct {
	managed
	deps Dependencies
}

var (
	_ resource.ResourceWithConfigure      = (*mappingResource)(nil)
	_ resource.ResourceWithImportState    = (*mappingResource)(nil)
	_ resource.ResourceWithModifyPlan     = (*mappingResource)(nil)
	_ resource.ResourceWithValidateConfig = (*mappingResource)(nil)
)

type mappingModel struct {
	ID              types.String `tfsdk:"id"`
	Stream          types.String `tfsdk:"stream"`
	Field           types.String `tfsdk:"field"`
	Expression      types.String `tfsdk:"expression"`
	GuardExpression types.String `tfsdk:"guard_expression"`
}

func (r *mappingResource) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_mapping"
}

func (r *mappingResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "How a stream feeds a user field: an expression over the event's columns.",
		Attributes: map[string]schema.Attribute{
			"id":     idAttribute("Id of the mapping."),
			"stream": keyAttribute("The stream to read; it may be one that does not exist yet."),
			"field":  keyAttribute("Id of the `lytics_field` to feed."),
			"expression": schema.StringAttribute{
				Required: true,
				MarkdownDescription: "Expression that gives the value from an event, such as `email` or `tolower(email)`. " +
					"A column whose name is no plain word goes into back-quotes.",
				Validators: []validator.String{plainText()},
			},
			"guard_expression": schema.StringAttribute{
				Optional: true, Computed: true,
				Default:             stringdefault.StaticString(""),
				MarkdownDescription: "Expression that an event must satisfy to count. Default empty: all count.",
				Validators:          []validator.String{description()},
			},
		},
	}
}

func (r *mappingResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var m mappingModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() || !req.Config.Raw.IsFullyKnown() || r.deps.ValidateMapping == nil {
		return
	}
	if err := r.deps.ValidateMapping(m.mapping()); err != nil {
		addError(&resp.Diagnostics, place{schema: req.Config.Schema.Type()}, "use the mapping", err)
	}
}

func (r *mappingResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	api, _ := r.planStore(ctx, req, resp, false)
	if r.session == nil || req.Plan.Raw.IsNull() || resp.Diagnostics.HasError() {
		return
	}
	var m mappingModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() || m.Stream.IsUnknown() || m.Field.IsUnknown() || m.Expression.IsUnknown() || m.GuardExpression.IsUnknown() {
		return
	}
	r.planMapping(ctx, api, m.mapping(), resp.Plan.Schema.Type(), &resp.Diagnostics)
}

func (r *mappingResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var m mappingModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	api := r.session.forNew(ctx, resp.Private, &resp.Diagnostics)
	if api == nil {
		return
	}
	m.ID = types.StringNull()
	created, err := api.CreateMapping(ctx, m.mapping())
	if err != nil {
		addError(&resp.Diagnostics, place{schema: resp.State.Schema.Type()}, "create the mapping of "+m.Field.ValueString(), err)
		return
	}
	m.ID = types.StringValue(created.ID)
	resp.Diagnostics.Append(resp.State.Set(ctx, m)...)
}

func (r *mappingResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	api, _ := r.forRead(ctx, req, resp)
	if api == nil {
		return
	}
	id := idIn(ctx, req.State, &resp.Diagnostics)
	m, err := api.Mapping(ctx, id)
	if err != nil {
		readFailed(ctx, resp, describe("mapping", id), err)
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, mappingModel{
		ID:              types.StringValue(m.ID),
		Stream:          types.StringValue(m.Stream),
		Field:           types.StringValue(m.Field),
		Expression:      types.StringValue(m.Expression),
		GuardExpression: types.StringValue(m.GuardExpression),
	})...)
}

func (r *mappingResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var m mappingModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	api, _ := r.session.forExisting(ctx, req.Private, &resp.Diagnostics)
	if api == nil {
		return
	}
	if _, err := api.PutMapping(ctx, m.mapping()); err != nil {
		addError(&resp.Diagnostics, place{schema: resp.State.Schema.Type()}, "update "+describe("mapping", m.ID.ValueString()), err)
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, m)...)
}

func (r *mappingResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	id := idIn(ctx, req.State, &resp.Diagnostics)
	api, _ := r.session.forExisting(ctx, req.Private, &resp.Diagnostics)
	if api == nil || resp.Diagnostics.HasError() {
		return
	}
	deleteFailed(resp, describe("mapping", id), api.DeleteMapping(ctx, id))
}

func (m mappingModel) mapping() jobs.Mapping {
	return jobs.Mapping{
		ID:              m.ID.ValueString(),
		Stream:          m.Stream.ValueString(),
		Field:           m.Field.ValueString(),
		Expression:      m.Expression.ValueString(),
		GuardExpression: m.GuardExpression.ValueString(),
	}
}
