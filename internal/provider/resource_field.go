package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform"
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

func fieldObject() platformObject[fieldModel, jobs.Field] {
	return platformObject[fieldModel, jobs.Field]{
		noun:     "field",
		kind:     jobs.KindField,
		schema:   fieldSchema,
		identity: byID("Name of the field in profiles."),
		label:    func(m fieldModel) string { return nounWithID("field", m.ID.ValueString()) },
		object:   fieldModel.field,
		model:    newFieldModel,
		setComputed: func(m *fieldModel, stored jobs.Field) {
			m.MergeOperation = types.StringValue(stored.MergeOperation)
		},
		validate: platform.ValidateField,
		plan:     planField,
		placed: func(m fieldModel) (jobs.Object, bool) {
			f := m.field()
			return jobs.Object{Field: &f}, !m.ID.IsUnknown()
		},
		create: jobs.API.CreateField,
		put:    jobs.API.PutField,
		get:    jobs.API.Field,
		delete: jobs.API.DeleteField,
	}
}

func fieldSchema() schema.Schema {
	flag := func(doc string) schema.BoolAttribute {
		return schema.BoolAttribute{Optional: true, Computed: true, Default: booldefault.StaticBool(false),
			MarkdownDescription: doc + " Default `false`."}
	}
	return schema.Schema{
		MarkdownDescription: "A typed field of user profiles. Mappings fill it from streams.",
		Attributes: map[string]schema.Attribute{
			"id":          keyAttribute("Name of the field in profiles."),
			"description": descriptionAttribute("What the field means."),
			"type": schema.StringAttribute{
				Required: true,
				MarkdownDescription: "`string`, `bool`, `int`, `number` or `date`; a set, `[]string` or `[]time`; " +
					"or a map, `map[string]` of `string`, `int`, `number`, `bool` or `time`.",
				Validators: []validator.String{nonEmptyText()},
			},
			"is_identifier": flag("Whether its values identify a user: events with the same value belong to one profile."),
			"is_pii":        flag("Whether its values are personal data."),
			"merge_operation": schema.StringAttribute{
				Optional: true, Computed: true,
				MarkdownDescription: "How the values of a user's events are merged: `latest`, `oldest`; `min`, `max`, `sum`, `count` " +
					"for values that can be compared or added; " +
					"`merge`, `capped` for sets and maps; `mapmax`, `mapmin`, `latestmap`, `oldestmap` for maps. Default `latest`, for " +
					"sets and maps `merge`.",
				Validators: []validator.String{nonEmptyText()},
			},
			"capacity": schema.Int64Attribute{
				Optional:            true,
				MarkdownDescription: "Maximum number of values in a set or map. Default: that of the platform.",
				Validators:          []validator.Int64{int64validator.AtLeast(1)},
			},
			"keep_days": schema.Int64Attribute{
				Optional:            true,
				MarkdownDescription: "Number of days after which values are removed. Default: never.",
				Validators:          []validator.Int64{int64validator.AtLeast(1)},
			},
		},
	}
}

// planField sets the default merge operation, which depends on the type.
func planField(_ context.Context, p *objectPlan[fieldModel], _ *diag.Diagnostics) {
	m := &p.planned
	if p.config.MergeOperation.IsNull() {
		m.MergeOperation = types.StringUnknown()
		if !m.Type.IsUnknown() {
			f := platform.NormalizeField(jobs.Field{Type: m.Type.ValueString()})
			m.MergeOperation = types.StringValue(f.MergeOperation)
		}
	}
	if !m.ID.IsUnknown() && !m.Type.IsUnknown() && !m.MergeOperation.IsUnknown() {
		p.session.planned.addField(m.field())
	}
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

func newFieldModel(f jobs.Field) fieldModel {
	return fieldModel{
		ID:             types.StringValue(f.ID),
		Description:    types.StringValue(f.Description),
		Type:           types.StringValue(f.Type),
		IsIdentifier:   types.BoolValue(f.IsIdentifier),
		IsPII:          types.BoolValue(f.IsPII),
		MergeOperation: types.StringValue(f.MergeOperation),
		Capacity:       nullIfZero(f.Capacity),
		KeepDays:       nullIfZero(f.KeepDays),
	}
}

// nullIfZero gives null for 0, which stands for "not set" in the store.
func nullIfZero(n int64) types.Int64 {
	if n == 0 {
		return types.Int64Null()
	}
	return types.Int64Value(n)
}
