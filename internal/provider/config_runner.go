package provider

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/config"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

type runnerModel struct {
	URL    types.String `tfsdk:"url"`
	Token  types.String `tfsdk:"token"`
	CAFile types.String `tfsdk:"ca_file"`
}

func runnerSchema() schema.Attribute {
	text := func(doc string) schema.StringAttribute {
		return schema.StringAttribute{Optional: true, MarkdownDescription: doc, Validators: []validator.String{nonEmptyText()}}
	}
	token := text("The runner's token. Environment: `LYTICS_RUNNER_TOKEN`. An ephemeral value keeps it out of the plan.")
	token.Sensitive = true
	return schema.SingleNestedAttribute{
		Optional: true,
		MarkdownDescription: "A runner that has the store and executes all runs, including scheduled ones. " +
			"Jobs without a schedule run there as well, and `apply` waits for them. No other attribute may be given beside it: " +
			"the runner has them in its own configuration. Left out: a runner that owns `data_dir` is found automatically; " +
			"without one, the provider executes runs itself. `runner = {}` takes everything from the environment.",
		Attributes: map[string]schema.Attribute{
			"url": text("URL of the runner: `https://HOST:PORT`, or http on this machine. Environment: `LYTICS_RUNNER_URL`, " +
				"which selects a runner even if the block is left out."),
			"token": token,
			"ca_file": text("PEM file with the certificate authority of the runner's certificate, if the system does not trust it. " +
				"Environment: `LYTICS_RUNNER_CA_FILE`."),
		},
	}
}

// runner gives the runner's address, or nil if no runner is meant. While that
// is not known, no other store may stand in for it.
func (r *configReader) runner(ctx context.Context, m configModel, lookup func(string) (string, bool)) *config.RunnerAddress {
	if m.Runner.IsUnknown() {
		r.unknown = append(r.unknown, "runner")
		return nil
	}
	if url, _ := lookup(config.RunnerURLEnv); m.Runner.IsNull() && url == "" {
		return nil
	}
	block := decode[runnerModel](ctx, r, m.Runner)
	a := config.RunnerAddress{
		URL:    r.text("runner.url", block.URL),
		Token:  jobs.NewSecret(strings.TrimSpace(r.text("runner.token", block.Token))),
		CAFile: r.text("runner.ca_file", block.CAFile),
	}.Complete(lookup)
	if a.URL == "" && !block.URL.IsUnknown() {
		r.diags.AddAttributeError(path.Root("runner"), "The runner has no address",
			"runner is given without url, and LYTICS_RUNNER_URL is not set. Set one of them, or leave runner out.")
	}
	if a.Token.Empty() && !block.Token.IsUnknown() {
		r.diags.AddAttributeError(path.Root("runner"), "There is no token for the runner",
			"runner.token is not given, and LYTICS_RUNNER_TOKEN is not set. Use the token in the runner's token file, or in its own "+
				"LYTICS_RUNNER_TOKEN.")
	}
	r.refuseBesideRunner(m)
	return &a
}

// refuseBesideRunner refuses attributes that belong into the runner's own
// configuration. Environment variables are not refused: on one machine they
// may be the runner's.
func (r *configReader) refuseBesideRunner(m configModel) {
	where := "the runner block"
	if m.Runner.IsNull() {
		where = "LYTICS_RUNNER_URL"
	}
	for _, a := range append([]setting{{"data_dir", m.DataDir}, {"database_url", m.DatabaseURL}}, m.engineAttributes()...) {
		if !a.value.IsNull() {
			r.diags.AddAttributeError(path.Root(a.name), "This belongs into the runner's own configuration",
				fmt.Sprintf("%s is given beside %s. The runner has the store and executes the runs, so the attribute would have no effect here. "+
					"Move it to the runner's configuration file, where it has the same name, or remove the runner here.", a.name, where))
		}
	}
}

// setting is an attribute of the provider block.
type setting struct {
	name  string
	value attr.Value
}

// engineAttributes are the attributes that configure what executes runs.
func (m configModel) engineAttributes() []setting {
	return []setting{
		{"encryption_key_file", m.EncryptionKeyFile}, {"allow_private_hosts", m.AllowPrivateHosts}, {"private_hosts", m.PrivateHosts},
		{"ca_file", m.CAFile}, {"staging", m.Staging}, {"events", m.Events},
		{"platform", m.Platform}, {"quarantine", m.Quarantine},
	}
}

// warnIgnoredAttributes names, once, the attributes of the provider block that
// have no effect because a runner owns the data directory.
func (s *session) warnIgnoredAttributes(api jobs.API, diags *diag.Diagnostics) {
	remote, ok := api.(jobs.Remote)
	ignored := s.config.engineAttributes
	if !ok || s.config.target.Runner != nil || len(ignored) == 0 {
		return
	}
	s.warnedIgnored.Do(func() {
		diags.AddAttributeWarning(path.Root(ignored[0]), "The runner's own configuration applies",
			fmt.Sprintf("%s owns %s and executes the runs with its own configuration. While it is running, these attributes of the "+
				"provider block have no effect: %s. "+
				"Write them into the runner's configuration file, where they have the same names.",
				upperFirst(remote.Place()), s.config.target.Engine.DataDir, strings.Join(ignored, ", ")))
	})
}

// upperFirst gives the text with a capital first letter.
func upperFirst(text string) string {
	if text == "" {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
