package provider

import (
	"context"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

type platformModel struct {
	Lytics types.Object `tfsdk:"lytics"`
}

type lyticsModel struct {
	Token     types.String `tfsdk:"token"`
	APIURL    types.String `tfsdk:"api_url"`
	BulkURL   types.String `tfsdk:"bulk_url"`
	AccountID types.String `tfsdk:"account_id"`
}

func platformSchema() schema.Attribute {
	text := func(doc string) schema.StringAttribute {
		return schema.StringAttribute{Optional: true, MarkdownDescription: doc, Validators: []validator.String{plainText()}}
	}
	token := text("API token of the account. Environment: `LYTICS_API_TOKEN`. An ephemeral value keeps it out of the plan.")
	token.Sensitive = true
	return schema.SingleNestedAttribute{
		Optional: true,
		MarkdownDescription: "The customer-data side. Left out: the platform embedded in the provider, with its streams and profiles in `data_dir`. " +
			"Imports keep a cursor for each platform, so that changing it imports all rows into the other one.",
		Attributes: map[string]schema.Attribute{
			"lytics": schema.SingleNestedAttribute{
				Required: true, MarkdownDescription: "A Lytics account. `lytics = {}` takes all from the environment.",
				Attributes: map[string]schema.Attribute{
					"token":      token,
					"api_url":    text("Address of the Lytics API. Default `https://api.lytics.io`. Environment: `LYTICS_API_URL`."),
					"bulk_url":   text("Address that takes events. Default `https://bulk.lytics.io`. Environment: `LYTICS_BULK_URL`."),
					"account_id": text("The account, where the token has several. Environment: `LYTICS_ACCOUNT_ID`."),
				},
			},
		},
	}
}

// lytics reads platform.lytics. Which platform is meant decides what Read sees,
// so that while any of it is not known, nothing may be read.
func (r *configReader) lytics(ctx context.Context, v types.Object) *LyticsAccount {
	if v.IsNull() {
		return nil
	}
	var outer platformModel
	if !v.IsUnknown() {
		r.diags.Append(v.As(ctx, &outer, basetypes.ObjectAsOptions{})...)
	}
	if v.IsUnknown() || outer.Lytics.IsUnknown() {
		r.unknown = append(r.unknown, "platform")
	}
	if v.IsUnknown() || outer.Lytics.IsUnknown() || r.diags.HasError() {
		return nil
	}
	var m lyticsModel
	r.diags.Append(outer.Lytics.As(ctx, &m, basetypes.ObjectAsOptions{})...)
	before := len(r.unknown)
	a := &LyticsAccount{
		Token:     jobs.NewSecret(strings.TrimSpace(r.text("platform.lytics.token", m.Token, "LYTICS_API_TOKEN"))),
		APIURL:    r.text("platform.lytics.api_url", m.APIURL, "LYTICS_API_URL"),
		BulkURL:   r.text("platform.lytics.bulk_url", m.BulkURL, "LYTICS_BULK_URL"),
		AccountID: r.text("platform.lytics.account_id", m.AccountID, "LYTICS_ACCOUNT_ID"),
	}
	if len(r.unknown) > before {
		return nil
	}
	if a.Token.Empty() {
		r.diags.AddAttributeError(path.Root("platform").AtName("lytics").AtName("token"), "There is no API token for Lytics",
			"platform.lytics is given without token, and LYTICS_API_TOKEN is not set. Create an API token in Lytics (Account Settings, API Tokens), and set one of them.")
	}
	return a
}
