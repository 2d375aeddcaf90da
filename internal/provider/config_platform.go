package provider

import (
	"context"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/config"
)

type platformModel struct {
	Embedded types.Object `tfsdk:"embedded"`
	Lytics   types.Object `tfsdk:"lytics"`
}

type embeddedModel struct {
	Placeholders types.List `tfsdk:"placeholder_identifiers"`
}

type lyticsModel struct {
	Token     types.String `tfsdk:"token"`
	APIURL    types.String `tfsdk:"api_url"`
	BulkURL   types.String `tfsdk:"bulk_url"`
	AccountID types.String `tfsdk:"account_id"`
	Format    types.String `tfsdk:"upload_format"`
	Wait      types.Int64  `tfsdk:"profile_wait_minutes"`
}

func platformSchema() schema.Attribute {
	text := func(doc string) schema.StringAttribute {
		return schema.StringAttribute{Optional: true, MarkdownDescription: doc, Validators: []validator.String{nonEmptyText()}}
	}
	token := text("API token of the account. Environment: `LYTICS_API_TOKEN`. An ephemeral value keeps it out of the plan.")
	token.Sensitive = true
	return schema.SingleNestedAttribute{
		Optional: true,
		MarkdownDescription: "The customer-data platform. Default: the platform embedded in the provider, with its streams and " +
			"profiles in `data_dir`. " +
			"Imports have a cursor for each platform, so changing the platform imports all rows into the other one.",
		Attributes: map[string]schema.Attribute{
			"embedded": schema.SingleNestedAttribute{
				Optional: true, MarkdownDescription: "Settings of the embedded platform.",
				Attributes: map[string]schema.Attribute{
					"placeholder_identifiers": schema.ListAttribute{
						Optional: true, ElementType: types.StringType,
						MarkdownDescription: "Values of identifiers that identify nobody, such as `[\"N/A\", \"unknown\", \"0000\"]`, so that users " +
							"who share one are not joined. They are compared with the values in profiles, after the mapping, in any case and " +
							"without spaces around them. Blank values identify nobody in any case. The store keeps the list: if the " +
							"attribute is removed, it stays; `[]` empties it. A changed list rebuilds all profiles at the next run. " +
							"Default: none. Environment: `LYTICS_PLACEHOLDER_IDENTIFIERS` (separated by commas).",
					},
				},
			},
			"lytics": schema.SingleNestedAttribute{
				Optional: true, MarkdownDescription: "A Lytics account. `lytics = {}` takes everything from the environment.",
				Attributes: map[string]schema.Attribute{
					"token":      token,
					"api_url":    text("URL of the Lytics API. Default `https://api.lytics.io`. Environment: `LYTICS_API_URL`."),
					"bulk_url":   text("URL of the API that receives events. Default `https://bulk.lytics.io`. Environment: `LYTICS_BULK_URL`."),
					"account_id": text("Id of the account, if the token has access to several. Environment: `LYTICS_ACCOUNT_ID`."),
					"upload_format": text(
						"How events are written: `json_lines` (default: one object a line, as Lytics documents it), `json_lines_gzip` or " +
							"`json_array_gzip`, where the account is known to accept them. Environment: `LYTICS_UPLOAD_FORMAT`.",
					),
					"profile_wait_minutes": schema.Int64Attribute{
						Optional: true, Validators: []validator.Int64{int64validator.Between(0, 24*60)},
						MarkdownDescription: "How long an export waits until Lytics has counted the events that imports sent before it. " +
							"When the time is over, the export reads what there is, and its log says so. 0: no wait. Default 10. " +
							"Environment: `LYTICS_PROFILE_WAIT_MINUTES`.",
					},
				},
			},
		},
	}
}

// platform reads the platform block. The platform decides what Read sees, so
// while any of it is unknown, nothing may be read.
func (r *configReader) platform(ctx context.Context, v types.Object) *config.Platform {
	if v.IsNull() {
		return nil
	}
	outer := decode[platformModel](ctx, r, v)
	if v.IsUnknown() || outer.Lytics.IsUnknown() || outer.Embedded.IsUnknown() {
		r.unknown = append(r.unknown, "platform")
		return nil
	}
	p := &config.Platform{}
	if !outer.Embedded.IsNull() {
		m := decode[embeddedModel](ctx, r, outer.Embedded)
		p.Embedded = &config.Embedded{PlaceholderIdentifiers: r.list(ctx, "platform.embedded.placeholder_identifiers", m.Placeholders)}
	}
	if outer.Lytics.IsNull() {
		return p
	}
	m := decode[lyticsModel](ctx, r, outer.Lytics)
	p.Lytics = &config.Lytics{
		Token:     config.NewSecret(strings.TrimSpace(r.text("platform.lytics.token", m.Token))),
		APIURL:    r.text("platform.lytics.api_url", m.APIURL),
		BulkURL:   r.text("platform.lytics.bulk_url", m.BulkURL),
		AccountID: r.text("platform.lytics.account_id", m.AccountID),
		Format:    r.text("platform.lytics.upload_format", m.Format),

		ProfileWaitMinutes: r.number("platform.lytics.profile_wait_minutes", m.Wait),
	}
	return p
}
