package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

type fieldResource struct {
	managed
	deps Dependencies
}

var (
	_ resource.ResourceWithConfigure      = (*fieldResource)(nil)
	_ resource.ResourceWithImportState    = (*fieldResource)(nil)
	_ resource.ResourceWithModifyPlan     = (*fieldResource)(nil)
	_ resource.ResourceWithValidateConfig = (*fieldResource)(nil)
)

type fieldModel struct {
	ID             types.String `tfsdk:"id"`
	Description    types.String `tfsdk:"description"`
	Type           types.String `tfsdk:"type"`
	IsIdentifier   types.Bool   `tfsdk:"is_identifier"`
	IsPII          types.Bool   `tfsdk:"is_pii"`
	MergeOperation types.String `tfsdk:"merge_operation"`
	Capacity       types.Int64  `tfsdk:"capacity"`
	KeepDays       types.Int64  `tfsdk:"keep_days"`
}

func (r *fieldResource) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_field"
}

func (r *fieldResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	flag := func(doc string) schema.BoolAttribute {
		return schema.BoolAttribute{Optional: true, Computed: true, Default: booldefault.StaticBool(false),
			MarkdownDescription: doc + " Default `false`."}
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "A typed user field: what profiles hold. Mappings feed it from streams.",
		Attributes: map[string]schema.Attribute{
			"id":          keyAttribute("Name of the field in profiles."),
			"description": descriptionAttribute("What the field means."),
			"type": schema.StringAttribute{
				Required: true,
				MarkdownDescription: "`string`, `bool`, `int`, `number` or `date`; a set, `[]string` or `[]time`; " +
					"or a map, `map[string]` of `string`, `int`, `number`, `bool` or `time`.",
				Validators: []validator.String{plainText()},
			},
			"is_identifier": flag("Whether its values identify a user: events that share one are one profile."),
			"is_pii":        flag("Whether its values are personal data."),
			"merge_operation": schema.StringAttribute{
				Optional: true, Computed: true,
				MarkdownDescription: "How the values of a user's events become one: `latest`, `oldest`; `min`, `max`, `sum`, `count` where they can be compared or added; " +
					"`merge`, `capped` for sets and maps; `mapmax`, `mapmin`, `latestmap`, `oldestmap` for maps. Default `latest`, for sets and maps `merge`.",
				Validators: []validator.String{plainText()},
			},
			"capacity": schema.Int64Attribute{
				Optional:            true,
				MarkdownDescription: "The most values a collection keeps. Left out: the platform's default.",
				Validators:          []validator.Int64{int64validator.AtLeast(1)},
			},
			"keep_days": schema.Int64Attribute{
				Optional:            true,
				MarkdownDescription: "Forget values after so many days. Left out: never.",
				Validators:          []validator.Int64{int64validator.AtLeast(1)},
			},
		},
	}
}

func (r *fieldResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var m fieldModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() || !req.Config.Raw.IsFullyKnown() || r.deps.ValidateField == nil {
		return
	}
	if err := r.deps.ValidateField(m.field()); err != nil {
		addError(&resp.Diagnostics, place{schema: req.Config.Schema.Type()}, "use the field", err)
	}
}

// ModifyPlan checks the store, and settles the merge operation, which follows
// from the type.
func (r *fieldResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	r.planStore(ctx, req, resp, false)
	if req.Plan.Raw.IsNull() || resp.Diagnostics.HasError() {
		return
	}
	var config, planned fieldModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	resp.Diagnostics.Append(req.Plan.Get(ctx, &planned)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if config.MergeOperation.IsNull() {
		planned.MergeOperation = types.StringUnknown()
		if !planned.Type.IsUnknown() {
			f := r.deps.NormalizeField(jobs.Field{Type: planned.Type.ValueString()})
			planned.MergeOperation = types.StringValue(f.MergeOperation)
		}
		resp.Diagnostics.Append(resp.Plan.Set(ctx, planned)...)
	}
	if r.session != nil && !planned.ID.IsUnknown() && !planned.Type.IsUnknown() && !planned.MergeOperation.IsUnknown() {
		r.session.plans.addField(planned.field())
	}
}

func (r *fieldResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var m fieldModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	api := r.session.forNew(ctx, resp.Private, &resp.Diagnostics)
	if api == nil {
		return
	}
	created, err := api.CreateField(ctx, m.field())
	if err != nil {
		addError(&resp.Diagnostics, place{schema: resp.State.Schema.Type()}, "create the field "+m.ID.ValueString(), err)
		return
	}
	m.MergeOperation = types.StringValue(created.MergeOperation)
	resp.Diagnostics.Append(resp.State.Set(ctx, m)...)
}

func (r *fieldResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	api, _ := r.forRead(ctx, req, resp)
	if api == nil {
		return
	}
	id := idIn(ctx, req.State, &resp.Diagnostics)
	f, err := api.Field(ctx, id)
	if err != nil {
		readFailed(ctx, resp, describe("field", id), err)
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, showField(f))...)
}

func (r *fieldResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var m fieldModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	api, _ := r.session.forExisting(ctx, req.Private, &resp.Diagnostics)
	if api == nil {
		return
	}
	put, err := api.PutField(ctx, m.field())
	if err != nil {
		addError(&resp.Diagnostics, place{schema: resp.State.Schema.Type()}, "update "+describe("field", m.ID.ValueString()), err)
		return
	}
	m.MergeOperation = types.StringValue(put.MergeOperation)
	resp.Diagnostics.Append(resp.State.Set(ctx, m)...)
}

func (r *fieldResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	id := idIn(ctx, req.State, &resp.Diagnostics)
	api, _ := r.session.forExisting(ctx, req.Private, &resp.Diagnostics)
	if api == nil || resp.Diagnostics.HasError() {
		return
	}
	deleteFailed(resp, describe("field", id), api.DeleteField(ctx, id))
}

func (m fieldModel) field() jobs.Field {
	return jobs.Field{
		ID:             m.ID.ValueString(),
		Description:    m.Description.ValueString(),
		Type:           m.Type.ValueString(),
		IsIdentifier:   m.IsIdentifier.ValueBool(),
		IsPII:          m.IsPII.ValueBool(),
		MergeOperation: m.MergeOperation.ValueString(),
		Capacity:       m.Capacity.ValueInt64(),
		KeepDays:       m.KeepDays.ValueInt64(),
	}
}

func showField(f jobs.Field) fieldModel {
	return fieldModel{
		ID:             types.StringValue(f.ID),
		Description:    types.StringValue(f.Description),
		Type:           types.StringValue(f.Type),
		IsIdentifier:   types.BoolValue(f.IsIdentifier),
		IsPII:          types.BoolValue(f.IsPII),
		MergeOperation: types.StringValue(f.MergeOperation),
		Capacity:       positive(f.Capacity),
		KeepDays:       positive(f.KeepDays),
	}
}

// positive gives null for 0, which is how the store says "nothing".
func positive(n int64) types.Int64 {
	if n == 0 {
		return types.Int64Null()
	}
	return types.Int64Value(n)
}
