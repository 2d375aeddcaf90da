package provider

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// authorizationDataSource finds an authorization that another state made.
type authorizationDataSource struct{ dataSourceBase }

type authorizationDataModel struct {
	ID             types.String `tfsdk:"id"`
	Label          types.String `tfsdk:"label"`
	Description    types.String `tfsdk:"description"`
	Host           types.String `tfsdk:"host"`
	Port           types.Int64  `tfsdk:"port"`
	HTTPPath       types.String `tfsdk:"http_path"`
	ManagedBy      types.String `tfsdk:"managed_by"`
	CAFile         types.String `tfsdk:"ca_file"`
	CatalogAPI     types.String `tfsdk:"catalog_api"`
	LyticsID       types.String `tfsdk:"lytics_id"`
	SecretReadable types.Bool   `tfsdk:"secret_readable"`
}

func (d *authorizationDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_databricks_authorization"
}

func (d *authorizationDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	attributes := map[string]schema.Attribute{
		"description": computedString("Description of the authorization."),
		"host":        computedString("Host of the warehouse."),
		"port":        schema.Int64Attribute{Computed: true, MarkdownDescription: "Port of the warehouse."},
		"http_path":   computedString("HTTP path of the warehouse."),
		"managed_by":  computedString("Who keeps it: `provider` or `lytics`."),
		"ca_file":     computedString("PEM file with certificate authorities that its connections trust, too; null for none."),
		"catalog_api": computedString("How catalogs are listed: `rest` or `sql`."),
		"lytics_id":   computedString("Its id in the Lytics account; null if it is not managed there."),
		"secret_readable": schema.BoolAttribute{Computed: true, MarkdownDescription: "Whether the store has the secret of the " +
			"authorization and can decrypt it."},
	}
	addLookup(attributes, "authorization")
	resp.Schema = schema.Schema{
		MarkdownDescription: "An authorization of the store, by its id or its label, no matter which state manages it. It has no secret. " +
			"See the guide [Two layers](../guides/two-layers).",
		Attributes: attributes,
	}
}

// addLookup adds the two attributes that an object of the store is looked up by.
func addLookup(attributes map[string]schema.Attribute, noun string) {
	attributes["id"] = schema.StringAttribute{
		Optional: true, Computed: true, MarkdownDescription: "Id of the " + noun + ". Either this or `label`.",
		Validators: []validator.String{nonEmptyText(), stringvalidator.ExactlyOneOf(path.MatchRoot("label"))},
	}
	attributes["label"] = schema.StringAttribute{
		Optional: true, Computed: true, MarkdownDescription: "Label of the " + noun + ", if no other has the same. Either this or `id`.",
		Validators: []validator.String{nonEmptyText()},
	}
}

func (d *authorizationDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m authorizationDataModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	api := d.openForRead(ctx, req, resp)
	if api == nil || resp.Diagnostics.HasError() {
		return
	}
	id, err := lookup(ctx, "authorization", m.ID, m.Label, api.ListAuthorizations,
		func(a jobs.Authorization) (string, string) { return a.ID, a.Label })
	var a jobs.Authorization
	if err == nil {
		a, err = api.Authorization(ctx, id)
	}
	if err != nil {
		addError(&resp.Diagnostics, attributeTarget{objectType: resp.State.Schema.Type()}, "read the authorization", err)
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, authorizationDataModel{
		ID: types.StringValue(a.ID), Label: types.StringValue(a.Label), Description: types.StringValue(a.Description),
		Host: types.StringValue(a.Host), Port: types.Int64Value(int64(a.Port)), HTTPPath: types.StringValue(a.HTTPPath),
		ManagedBy: managerValue(a.ManagedBy), CatalogAPI: types.StringValue(valueOr(string(a.CatalogAPI), string(jobs.CatalogREST))),
		CAFile: nullIfEmpty(a.CAFile), LyticsID: nullIfEmpty(a.LyticsID), SecretReadable: types.BoolValue(a.SecretReadable),
	})...)
}

// lookup returns the id of the object with an id or a label. The error of one that
// cannot be found names the labels that there are.
func lookup[T any](ctx context.Context, noun string, id, label types.String, list func(context.Context) ([]T, error),
	name func(T) (id, label string)) (string, error) {
	all, err := list(ctx)
	if err != nil {
		return "", err
	}
	var found, labels []string
	for _, v := range all {
		vID, vLabel := name(v)
		if !id.IsNull() && vID == id.ValueString() || id.IsNull() && vLabel == label.ValueString() {
			found = append(found, vID)
		}
		labels = append(labels, fmt.Sprintf("%q (%s)", vLabel, vID))
	}
	attribute, value := "label", label.ValueString()
	if !id.IsNull() {
		attribute, value = "id", id.ValueString()
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return "", &jobs.Error{Code: jobs.CodeConflict, Attribute: "label",
			Summary: fmt.Sprintf("%d objects have the label %q", len(found), value),
			Detail:  fmt.Sprintf("Each is a %s: %s.", noun, strings.Join(found, ", ")), Next: "Give the id of one of them"}
	case len(all) == 0:
		labels = []string{"none"}
	}
	return "", &jobs.Error{Code: jobs.CodeNotFound, Attribute: attribute,
		Summary: fmt.Sprintf("The store has no %s with the %s %q", noun, attribute, value),
		Detail:  "It has: " + strings.Join(labels, ", ") + ".",
		Next: "Check the " + attribute + ", and that this provider block means the store of the state that made it. If this configuration " +
			"makes it, refer to the resource"}
}
