package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/ephemeral"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// profileEphemeral is the profile of one user, which is kept nowhere. It needs Terraform
// 1.10.
type profileEphemeral struct{ session *session }

var _ ephemeral.EphemeralResourceWithConfigure = (*profileEphemeral)(nil)

func newProfileEphemeral() ephemeral.EphemeralResource { return &profileEphemeral{} }

func (e *profileEphemeral) Metadata(_ context.Context, req ephemeral.MetadataRequest, resp *ephemeral.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_profile"
}

func (e *profileEphemeral) Schema(_ context.Context, _ ephemeral.SchemaRequest, resp *ephemeral.SchemaResponse) {
	text := func(doc string) schema.StringAttribute {
		return schema.StringAttribute{Required: true, MarkdownDescription: doc, Validators: []validator.String{nonEmptyText()}}
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "One user's profile, by an identifier, as the data source `lytics_profile` has it. The values are neither in " +
			"state nor in a plan. It needs Terraform 1.10 or newer.",
		Attributes: map[string]schema.Attribute{
			"field": text("Id of the identifier field."),
			"value": text("The identifier's value as it is in profiles, after the mapping: in lower case if the mapping uses `tolower`."),
			"values": schema.MapAttribute{
				Computed: true, Sensitive: true, ElementType: types.StringType,
				MarkdownDescription: "The values, by field. Fields without a value are left out. Numbers keep all digits, dates are " +
					"RFC 3339, collections are JSON.",
			},
		},
	}
}

// Configure receives the session. There is none while Terraform validates.
func (e *profileEphemeral) Configure(_ context.Context, req ephemeral.ConfigureRequest, _ *ephemeral.ConfigureResponse) {
	if s, ok := req.ProviderData.(*session); ok {
		e.session = s
	}
}

// Open looks the profile up.
func (e *profileEphemeral) Open(ctx context.Context, req ephemeral.OpenRequest, resp *ephemeral.OpenResponse) {
	var m profileModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	api := openEphemeral(ctx, e.session, req, resp)
	if api == nil {
		return
	}
	p, err := api.Profile(ctx, jobs.Identity{Field: m.Field.ValueString(), Value: m.Value.ValueString()})
	if err != nil {
		addError(&resp.Diagnostics, attributeTarget{objectType: resp.Result.Schema.Type()}, "look up the profile", err)
		return
	}
	m.Values = profileValues(ctx, p, &resp.Diagnostics)
	resp.Diagnostics.Append(resp.Result.Set(ctx, m)...)
}

// openEphemeral returns the API of a store that exists. It returns nil after an error, and
// if the opening is deferred.
func openEphemeral(ctx context.Context, s *session, req ephemeral.OpenRequest, resp *ephemeral.OpenResponse) jobs.API {
	if !s.known() && req.ClientCapabilities.DeferralAllowed {
		resp.Deferred = &ephemeral.Deferred{Reason: ephemeral.DeferredReasonProviderConfigUnknown}
		return nil
	}
	api, err := s.connect(ctx)
	if err == nil {
		_, err = api.Store(ctx, false)
	}
	if err != nil {
		addError(&resp.Diagnostics, noAttribute, "open the store", err)
		return nil
	}
	return api
}
