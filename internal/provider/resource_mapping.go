package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform"
)

type mappingModel struct {
	ID              types.String `tfsdk:"id"`
	Stream          types.String `tfsdk:"stream"`
	Field           types.String `tfsdk:"field"`
	Expression      types.String `tfsdk:"expression"`
	GuardExpression types.String `tfsdk:"guard_expression"`
}

func mappingObject() platformObject[mappingModel, jobs.Mapping] {
	return platformObject[mappingModel, jobs.Mapping]{
		noun:        "mapping",
		kind:        jobs.KindMapping,
		schema:      mappingSchema,
		identity:    mappingIdentity(),
		label:       func(m mappingModel) string { return "the mapping of field " + m.Field.ValueString() },
		object:      mappingModel.mapping,
		model:       newMappingModel,
		setComputed: func(m *mappingModel, stored jobs.Mapping) { m.ID = types.StringValue(stored.ID) },
		validate:    platform.ValidateMappingNames,
		texts: func(m mappingModel) []text {
			return []text{{"expression", m.Expression}, {"guard_expression", m.GuardExpression}}
		},
		plan: planMapping,
		placed: func(m mappingModel) (jobs.Object, bool) {
			v := m.mapping()
			return jobs.Object{Mapping: &v}, !m.Stream.IsUnknown() && !m.Field.IsUnknown() && !m.GuardExpression.IsUnknown()
		},
		create: jobs.API.CreateMapping,
		put:    jobs.API.PutMapping,
		get:    jobs.API.Mapping,
		delete: jobs.API.DeleteMapping,
	}
}

func mappingSchema() schema.Schema {
	return schema.Schema{
		MarkdownDescription: "How a stream fills a user field: an expression over the columns of an event.",
		Attributes: map[string]schema.Attribute{
			"id":     idAttribute("Id of the mapping."),
			"stream": keyAttribute("The stream to read. It does not have to exist yet."),
			"field":  keyAttribute("Id of the `lytics_field` to fill."),
			"expression": schema.StringAttribute{
				Required: true,
				MarkdownDescription: "Expression that computes the value from an event, such as `email` or `tolower(email)`. " +
					"Write a column name that is not a plain word in back quotes.",
				Validators: []validator.String{nonEmptyText()},
			},
			"guard_expression": schema.StringAttribute{
				Optional: true, Computed: true,
				Default:             stringdefault.StaticString(""),
				MarkdownDescription: "Condition that an event must meet to be used. Default empty: all events are used.",
				Validators:          []validator.String{multilineText()},
			},
		},
	}
}

// planMapping checks a planned mapping against its field, if this process has
// planned the field or the store has it.
func planMapping(ctx context.Context, p *objectPlan[mappingModel], diags *diag.Diagnostics) {
	planned := p.planned
	if planned.Stream.IsUnknown() || planned.Field.IsUnknown() || planned.Expression.IsUnknown() || planned.GuardExpression.IsUnknown() {
		return
	}
	m := planned.mapping()
	f, known := p.session.planned.field(m.Field)
	if !known && p.api != nil {
		stored, err := p.api.Field(ctx, m.Field)
		if f, known = stored, err == nil; known {
			p.session.planned.addField(f)
		}
	}
	if known {
		p.session.fitsField(ctx, attributeTarget{objectType: p.objectType}, m, f, diags)
	}
	if i, found := p.session.planned.addMapping(m); found {
		p.session.warnDoubleCounting(i, []jobs.Mapping{m}, attributeTarget{objectType: p.objectType}, "expression", diags)
	}
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

func newMappingModel(m jobs.Mapping) mappingModel {
	return mappingModel{
		ID:              types.StringValue(m.ID),
		Stream:          types.StringValue(m.Stream),
		Field:           types.StringValue(m.Field),
		Expression:      types.StringValue(m.Expression),
		GuardExpression: types.StringValue(m.GuardExpression),
	}
}
