package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

type audienceRow struct {
	ID          types.String `tfsdk:"id"`
	Slug        types.String `tfsdk:"slug"`
	Name        types.String `tfsdk:"name"`
	Description types.String `tfsdk:"description"`
	Filter      types.String `tfsdk:"filter"`
}

func newAudienceRow(a jobs.Audience) audienceRow {
	return audienceRow{ID: types.StringValue(a.ID), Slug: types.StringValue(a.Slug), Name: types.StringValue(a.Name),
		Description: nullIfEmpty(a.Description), Filter: types.StringValue(a.Filter)}
}

type audienceDataSource struct{ dataSourceBase }

type audienceDataModel struct {
	audienceRow
	Size types.Int64 `tfsdk:"size"`
}

func (d *audienceDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_audience"
}

func (d *audienceDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "One audience, by its id or its slug, and its number of profiles.",
		Attributes: map[string]schema.Attribute{
			"id": schema.StringAttribute{
				Optional: true, Computed: true, MarkdownDescription: "Id of the audience. Either this or `slug`.",
				Validators: []validator.String{nonEmptyText(), stringvalidator.ExactlyOneOf(path.MatchRoot("slug"))},
			},
			"slug": schema.StringAttribute{
				Optional: true, Computed: true, MarkdownDescription: "Slug of the audience. Either this or `id`.",
				Validators: []validator.String{nonEmptyText()},
			},
			"name":        computedString("Name of the audience."),
			"description": computedString("Description of the audience."),
			"filter":      computedString("Filter of the audience, in FilterQL."),
			"size": computedNumber("Number of profiles in it: the profiles as of the last run of an import or an export, counted " +
				"when the data source is read, " +
				"because filters with `now` change with time."),
		},
	}
}

func (d *audienceDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m audienceDataModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	api := d.openForRead(ctx, req, resp)
	if api == nil || resp.Diagnostics.HasError() {
		return
	}
	attribute, name := "slug", m.Slug.ValueString()
	if !m.ID.IsNull() {
		attribute, name = "id", m.ID.ValueString()
	}
	a, err := api.Audience(ctx, name)
	if err == nil && attribute == "slug" && a.Slug != name || err == nil && attribute == "id" && a.ID != name {
		err = &jobs.Error{Code: jobs.CodeNotFound, Summary: "There is no audience with the " + attribute + " " + name,
			Next: "Check the " + attribute}
	}
	if err == nil {
		var size int64
		size, err = api.AudienceSize(ctx, a.ID)
		m.audienceRow, m.Size = newAudienceRow(a), types.Int64Value(size)
	}
	if err != nil {
		e := *toJobsError(err, "read the audience")
		e.Attribute = attribute
		addError(&resp.Diagnostics, attributeTarget{objectType: resp.State.Schema.Type()}, "read the audience", &e)
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, m)...)
}

type audiencesDataSource struct{ dataSourceBase }

type audiencesModel struct {
	Audiences []audienceRow `tfsdk:"audiences"`
}

func (d *audiencesDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_audiences"
}

func (d *audiencesDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "All audiences of the platform, sorted by slug, no matter who defined them.",
		Attributes: map[string]schema.Attribute{
			"audiences": schema.ListNestedAttribute{
				Computed: true, MarkdownDescription: "The audiences.",
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"id":          computedString("Id."),
					"slug":        computedString("Slug: its name in filters (`INCLUDE slug`) and in the names of exported tables."),
					"name":        computedString("Name of the audience."),
					"description": computedString("Description of the audience."),
					"filter":      computedString("Filter of the audience, in FilterQL."),
				}},
			},
		},
	}
}

func (d *audiencesDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	api := d.openForRead(ctx, req, resp)
	if api == nil {
		return
	}
	list, err := api.Audiences(ctx)
	if err != nil {
		addError(&resp.Diagnostics, noAttribute, "list the audiences", err)
		return
	}
	m := audiencesModel{Audiences: []audienceRow{}}
	for _, a := range list {
		m.Audiences = append(m.Audiences, newAudienceRow(a))
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, m)...)
}

type profileDataSource struct{ dataSourceBase }

type profileModel struct {
	Field  types.String `tfsdk:"field"`
	Value  types.String `tfsdk:"value"`
	Values types.Map    `tfsdk:"values"`
}

func (d *profileDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_profile"
}

func (d *profileDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "One user's profile, by an identifier: for checks of a mapping, and for tests. The values are " +
			"personal data and are written to the state. " +
			"To look at profiles without keeping them, use `terraform-provider-lytics profiles`.",
		Attributes: map[string]schema.Attribute{
			"field": requiredString("Id of the identifier field."),
			"value": requiredString("The identifier's value as it is in profiles, after the mapping: in lower case if the mapping uses `tolower`."),
			"values": schema.MapAttribute{
				Computed: true, Sensitive: true, ElementType: types.StringType,
				MarkdownDescription: "The values, by field. Fields without a value are left out. Numbers keep all digits, dates are " +
					"RFC 3339, collections are JSON.",
			},
		},
	}
}

func (d *profileDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m profileModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	api := d.openForRead(ctx, req, resp)
	if api == nil || resp.Diagnostics.HasError() {
		return
	}
	p, err := api.Profile(ctx, jobs.Identity{Field: m.Field.ValueString(), Value: m.Value.ValueString()})
	if err != nil {
		addError(&resp.Diagnostics, attributeTarget{objectType: resp.State.Schema.Type()}, "look up the profile", err)
		return
	}
	m.Values = profileValues(ctx, p, &resp.Diagnostics)
	resp.Diagnostics.Append(resp.State.Set(ctx, m)...)
}

// profileValues are the values of a profile, by field.
func profileValues(ctx context.Context, p jobs.Profile, diags *diag.Diagnostics) types.Map {
	values := map[string]string{}
	for field, v := range p {
		if !v.Null {
			values[field] = v.Text
		}
	}
	listed, d := types.MapValueFrom(ctx, types.StringType, values)
	diags.Append(d...)
	return listed
}
