package provider

import (
	"context"
	"fmt"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform"
)

type audienceModel struct {
	ID          types.String `tfsdk:"id"`
	Name        types.String `tfsdk:"name"`
	Slug        types.String `tfsdk:"slug"`
	Description types.String `tfsdk:"description"`
	Filter      types.String `tfsdk:"filter"`
}

func audienceObject() platformObject[audienceModel, jobs.Audience] {
	return platformObject[audienceModel, jobs.Audience]{
		noun:     "audience",
		kind:     jobs.KindAudience,
		schema:   audienceSchema,
		identity: audienceIdentity(),
		label:    func(m audienceModel) string { return nounWithID("audience", m.Name.ValueString()) },
		object:   audienceModel.audience,
		model:    newAudienceModel,
		setComputed: func(m *audienceModel, stored jobs.Audience) {
			m.ID, m.Slug = types.StringValue(stored.ID), types.StringValue(stored.Slug)
		},
		validate: platform.ValidateAudienceNames,
		texts:    func(m audienceModel) []text { return []text{{"filter", m.Filter}} },
		plan:     planAudience,
		placed: func(m audienceModel) (jobs.Object, bool) {
			a := m.audience()
			return jobs.Object{Audience: &a}, !m.Slug.IsUnknown()
		},
		create: jobs.API.CreateAudience,
		put:    jobs.API.PutAudience,
		get:    jobs.API.Audience,
		delete: jobs.API.DeleteAudience,
	}
}

func audienceSchema() schema.Schema {
	return schema.Schema{
		MarkdownDescription: "A named filter over profiles, in FilterQL. Exports move its members to Databricks.",
		Attributes: map[string]schema.Attribute{
			"id":          idAttribute("Id of the audience."),
			"name":        labelAttribute("Name of the audience, shown to people."),
			"description": descriptionAttribute("Who is in the audience."),
			"slug": schema.StringAttribute{
				Optional: true, Computed: true,
				MarkdownDescription: "Name of the audience in filters (`INCLUDE slug`) and in the tables of its exports (`lytics_user_{slug}`): " +
					"lower-case letters, digits, `-` and `_`. Default: made from `name` when the audience is created, and kept when the name changes.",
				Validators: []validator.String{nonEmptyText()},
			},
			"filter": schema.StringAttribute{
				Required:            true,
				MarkdownDescription: "FilterQL, such as `FILTER AND (EXISTS email, country = \"US\")`.",
				Validators:          []validator.String{multilineText()},
			},
		},
	}
}

// planAudience sets the slug. Left out, it is made from the name when the
// audience is created, and does not follow later changes of the name.
func planAudience(ctx context.Context, p *objectPlan[audienceModel], diags *diag.Diagnostics) {
	if p.session.config.planCheck && p.session.known() && !p.session.applying.Load() {
		checkFilterFields(ctx, p, diags)
	}
	update := p.prior != nil
	priorSlug, slug := types.StringNull(), types.StringUnknown()
	switch {
	case update:
		priorSlug = p.prior.Slug
		slug = priorSlug
	case !p.planned.Name.IsUnknown():
		slug = types.StringValue(platform.NormalizeAudience(jobs.Audience{Name: p.planned.Name.ValueString()}).Slug)
	}
	p.requiresReplace = planKeyAttribute(&p.planned.Slug, p.config.Slug, priorSlug, slug, update, "slug")
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

func newAudienceModel(a jobs.Audience) audienceModel {
	return audienceModel{
		ID:          types.StringValue(a.ID),
		Name:        types.StringValue(a.Name),
		Slug:        types.StringValue(a.Slug),
		Description: types.StringValue(a.Description),
		Filter:      types.StringValue(a.Filter),
	}
}

// checkFilterFields refuses a new filter that names a field which neither the platform
// has nor this plan creates. Terraform plans a field before the audience if the audience
// refers to it or depends on it.
func checkFilterFields(ctx context.Context, p *objectPlan[audienceModel], diags *diag.Diagnostics) {
	filter := p.planned.Filter
	if filter.IsUnknown() || p.prior != nil && p.prior.Filter.Equal(filter) {
		return
	}
	f, err := platform.ParseFilter(filter.ValueString())
	if err != nil {
		return // judged elsewhere
	}
	known := p.session.planned.fieldIDs()
	switch {
	case p.api != nil:
		fields, err := p.api.Fields(ctx)
		if err != nil {
			return // the create reports a platform that cannot be reached
		}
		for _, field := range fields {
			known = append(known, field.ID)
		}
	case p.session.config.target.Runner != nil || p.session.config.target.Engine.LyticsAccount() != nil:
		return // the fields of an account are not known before there is a store
	}
	for _, name := range f.Fields() {
		if !slices.Contains(known, name) {
			addError(diags, attributeTarget{objectType: p.objectType}, "check the filter", jobs.Invalid("filter",
				fmt.Sprintf("The filter names the field %q, which does not exist", name),
				"Neither the platform has it, nor a lytics_field that was planned before this audience. plan_check found it before the apply.",
				"Correct the name; a string is written in double quotes. If this configuration creates the field, give the audience "+
					"depends_on with it"))
			return
		}
	}
}
