package provider

import (
	"context"
	"strings"

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

// eventsEnv is the prefix of the environment variables of the events.
const eventsEnv = "LYTICS_EVENTS_"

// events reads the events block; nil if it or its volume is null.
func (r *configReader) events(ctx context.Context, block types.Object) *config.Events {
	outer := decode[eventsModel](ctx, r, block)
	if block.IsUnknown() || outer.Volume.IsUnknown() {
		r.unknown = append(r.unknown, "events")
	}
	if outer.Volume.IsNull() || outer.Volume.IsUnknown() {
		return nil
	}
	given := outer.Volume.Attributes()
	text := func(name string) string {
		v, _ := given[name].(types.String)
		return r.text(name, v)
	}
	v := &config.EventsVolume{
		Host: text("host"), Catalog: text("catalog"), Schema: text("schema"), Volume: text("volume"), Prefix: text("prefix"),
		Login: config.Login{AuthType: text("auth_type")},
	}
	for name, value := range v.Texts() {
		*value = text(name)
	}
	for name, secret := range v.Secrets() {
		*secret = config.NewSecret(text(name))
	}
	command, _ := given["token_command"].(types.List)
	v.TokenCommand = r.list(ctx, "token_command", command)
	port, _ := given["port"].(types.Int64)
	if n := r.number("port", port); n != nil {
		v.Port = *n
	}
	return &config.Events{Volume: v}
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
	volume := map[string]schema.Attribute{
		"host": text("Host name of the workspace.", "HOST"),
		"port": schema.Int64Attribute{
			Optional: true, MarkdownDescription: "Port. Default 443. Environment: `LYTICS_EVENTS_VOLUME_PORT`.",
			Validators: []validator.Int64{int64validator.Between(1, 65535)},
		},
		"catalog": text("Catalog of the volume.", "CATALOG", pathPart()),
		"schema":  text("Schema of the volume.", "SCHEMA", pathPart()),
		"volume":  text("Name of the volume.", "VOLUME", pathPart()),
		"prefix":  text("Directory of the volume. Default: the volume's root.", "PREFIX"),
		"token": secret("Access token, instead of another login.", "TOKEN",
			stringvalidator.ConflictsWith(sibling("client_id"))),
		"client_secret":       secret("OAuth secret of `client_id`.", "CLIENT_SECRET", stringvalidator.AlsoRequires(sibling("client_id"))),
		"azure_client_secret": secret("With `azure-client-secret`: client secret of the application.", "AZURE_CLIENT_SECRET"),
		"google_credentials":  secret("With `google-credentials`: JSON key of a service account.", "GOOGLE_CREDENTIALS"),
	}
	for name, f := range connectionLoginFields() {
		if f.list {
			volume[name] = schema.ListAttribute{ElementType: types.StringType, Optional: true, MarkdownDescription: f.doc +
				" Environment: `" + eventsEnv + "VOLUME_" + strings.ToUpper(name) + "`, with commas between the words."}
			continue
		}
		volume[name] = text(f.doc, strings.ToUpper(name), f.checks...)
	}
	volume["client_id"] = text("Application id of a service principal: with `client_secret` for OAuth machine-to-machine, or with "+
		"`github-oidc`, `file-oidc` or `env-oidc`.", "CLIENT_ID")
	volume["auth_type"] = text("How tokens are obtained, where it is neither by `token` nor by `client_secret`: a login of "+
		"`lytics_databricks_authorization`. Default: the one whose attribute is given, such as `profile`. An attribute that the login does "+
		"not take is an error.", "AUTH_TYPE", stringvalidator.OneOf(kindNames()...))
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
				Attributes: volume,
			},
		},
	}
}
