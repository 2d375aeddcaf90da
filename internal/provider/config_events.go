package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/config"
)

type eventsModel struct {
	Volume types.Object `tfsdk:"volume"`
}

type eventsVolumeModel struct {
	Host         types.String `tfsdk:"host"`
	Port         types.Int64  `tfsdk:"port"`
	Catalog      types.String `tfsdk:"catalog"`
	Schema       types.String `tfsdk:"schema"`
	Volume       types.String `tfsdk:"volume"`
	Prefix       types.String `tfsdk:"prefix"`
	Token        types.String `tfsdk:"token"`
	ClientID     types.String `tfsdk:"client_id"`
	ClientSecret types.String `tfsdk:"client_secret"`
}

// eventsEnv is the prefix of the environment variables of the events.
const eventsEnv = "LYTICS_EVENTS_"

// events reads the events block; nil if it or its volume is null.
func (r *configReader) events(ctx context.Context, v types.Object) *config.Events {
	outer := decode[eventsModel](ctx, r, v)
	if v.IsUnknown() || outer.Volume.IsUnknown() {
		r.unknown = append(r.unknown, "events")
	}
	if outer.Volume.IsNull() || outer.Volume.IsUnknown() {
		return nil
	}
	m := decode[eventsVolumeModel](ctx, r, outer.Volume)
	volume := &config.EventsVolume{
		Host:         r.text("host", m.Host),
		Catalog:      r.text("catalog", m.Catalog),
		Schema:       r.text("schema", m.Schema),
		Volume:       r.text("volume", m.Volume),
		Prefix:       r.text("prefix", m.Prefix),
		Token:        config.NewSecret(r.text("token", m.Token)),
		ClientID:     r.text("client_id", m.ClientID),
		ClientSecret: config.NewSecret(r.text("client_secret", m.ClientSecret)),
	}
	if port := r.number("port", m.Port); port != nil {
		volume.Port = *port
	}
	return &config.Events{Volume: volume}
}

func eventsSchema() schema.Attribute {
	text := func(doc, name string, more ...validator.String) schema.StringAttribute {
		return optionalString(doc+" Environment: `"+eventsEnv+"VOLUME_"+name+"`.", more...)
	}
	secret := func(doc, name string, more ...validator.String) schema.StringAttribute {
		s := text(doc+" An ephemeral value keeps it out of the plan.", name, more...)
		s.Sensitive = true
		return s
	}
	return schema.SingleNestedAttribute{
		Optional: true,
		MarkdownDescription: "Where the embedded platform keeps its events with `database_url`, instead of in the bucket `staging.s3`. " +
			"A store in `data_dir` keeps them there, and needs neither.",
		Attributes: map[string]schema.Attribute{
			"volume": schema.SingleNestedAttribute{
				Optional: true,
				MarkdownDescription: "A Unity Catalog volume, managed or external, on AWS, Azure or Google Cloud. It is used with a login of its " +
					"own, and not with that of an authorization; the login needs READ VOLUME and WRITE VOLUME. " +
					"Each attribute also has an environment variable `LYTICS_EVENTS_VOLUME_...`.",
				Attributes: map[string]schema.Attribute{
					"host": text("Host name of the workspace.", "HOST"),
					"port": schema.Int64Attribute{
						Optional: true, MarkdownDescription: "Port. Default 443. Environment: `LYTICS_EVENTS_VOLUME_PORT`.",
						Validators: []validator.Int64{int64validator.Between(1, 65535)},
					},
					"catalog": text("Catalog of the volume.", "CATALOG", pathPart()),
					"schema":  text("Schema of the volume.", "SCHEMA", pathPart()),
					"volume":  text("Name of the volume.", "VOLUME", pathPart()),
					"prefix":  text("Directory of the volume. Default: the volume's root.", "PREFIX"),
					"token": secret("Personal access token, instead of `client_id`.", "TOKEN",
						stringvalidator.ConflictsWith(sibling("client_id"))),
					"client_id":     text("Application id of a service principal, for OAuth machine-to-machine.", "CLIENT_ID"),
					"client_secret": secret("OAuth secret of `client_id`.", "CLIENT_SECRET", stringvalidator.AlsoRequires(sibling("client_id"))),
				},
			},
		},
	}
}
