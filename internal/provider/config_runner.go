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
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// RunnerAddress is the runner block.
type RunnerAddress struct {
	URL    string
	Token  jobs.Secret
	CAFile string
}

type runnerModel struct {
	URL    types.String `tfsdk:"url"`
	Token  types.String `tfsdk:"token"`
	CAFile types.String `tfsdk:"ca_file"`
}

func runnerSchema() schema.Attribute {
	text := func(doc string) schema.StringAttribute {
		return schema.StringAttribute{Optional: true, MarkdownDescription: doc, Validators: []validator.String{plainText()}}
	}
	token := text("The runner's token. Environment: `LYTICS_RUNNER_TOKEN`. An ephemeral value keeps it out of the plan.")
	token.Sensitive = true
	return schema.SingleNestedAttribute{
		Optional: true,
		MarkdownDescription: "A runner that keeps the store and executes all runs, schedules included. " +
			"Jobs without a schedule run there, and `apply` follows them. Beside it, none of the other attributes may be given: " +
			"the runner has them in its own configuration. Left out: a runner that is alive on `data_dir` is found by itself; " +
			"without one, the provider executes runs itself. `runner = {}` takes all from the environment.",
		Attributes: map[string]schema.Attribute{
			"url": text("Address of the runner: `https://HOST:PORT`, or http on this machine. Environment: `LYTICS_RUNNER_URL`, " +
				"which means a runner even where the block is left out."),
			"token":   token,
			"ca_file": text("File with the certificate authority (PEM) of the runner's certificate, where the system does not know it. Environment: `LYTICS_RUNNER_CA_FILE`."),
		},
	}
}

// runner reads which runner is meant, if one is. While that is not known, no
// other store may be taken for it.
func (r *configReader) runner(ctx context.Context, m configModel) *RunnerAddress {
	var block runnerModel
	if m.Runner.IsUnknown() {
		r.unknown = append(r.unknown, "runner")
		return nil
	}
	if m.Runner.IsNull() {
		if url, _ := r.lookup("LYTICS_RUNNER_URL"); url == "" {
			return nil
		}
	} else {
		r.diags.Append(m.Runner.As(ctx, &block, basetypes.ObjectAsOptions{})...)
	}
	a := &RunnerAddress{
		URL:    r.text("runner.url", block.URL, "LYTICS_RUNNER_URL"),
		Token:  jobs.NewSecret(strings.TrimSpace(r.text("runner.token", block.Token, "LYTICS_RUNNER_TOKEN"))),
		CAFile: r.text("runner.ca_file", block.CAFile, "LYTICS_RUNNER_CA_FILE"),
	}
	if a.URL == "" && !block.URL.IsUnknown() {
		r.diags.AddAttributeError(path.Root("runner"), "The runner has no address",
			"runner is given without url, and LYTICS_RUNNER_URL is not set. Set one of them, or leave runner out.")
	}
	if a.Token.Empty() && !block.Token.IsUnknown() {
		r.diags.AddAttributeError(path.Root("runner"), "There is no token for the runner",
			"runner.token is not given, and LYTICS_RUNNER_TOKEN is not set. Use the token in the runner's token file, or in its own LYTICS_RUNNER_TOKEN.")
	}
	r.refuseBeside(m)
	return a
}

// refuseBeside refuses what only the runner's own configuration can say. The
// environment is left alone: on one machine it may be the runner's.
func (r *configReader) refuseBeside(m configModel) {
	where := "the runner block"
	if m.Runner.IsNull() {
		where = "LYTICS_RUNNER_URL"
	}
	for _, a := range append([]setting{{"data_dir", m.DataDir}, {"database_url", m.DatabaseURL}}, m.executors()...) {
		if !a.value.IsNull() {
			r.diags.AddAttributeError(path.Root(a.name), "The runner's own configuration says this",
				fmt.Sprintf("%s is given beside %s. The runner keeps the store and executes the runs, so it would have no effect here. "+
					"Move it to the runner's configuration file, where it has the same name, or remove the runner here.", a.name, where))
		}
	}
}

// setting is an attribute of the provider block.
type setting struct {
	name  string
	value attr.Value
}

// executors are those that belong to whoever executes runs.
func (m configModel) executors() []setting {
	return []setting{
		{"encryption_key_file", m.EncryptionKeyFile}, {"allow_private_hosts", m.AllowPrivateHosts}, {"staging", m.Staging}, {"platform", m.Platform},
	}
}

// warnAside says which of the block's attributes have no effect, because a
// runner was found that owns the data directory. Without that runner they have.
func (s *session) warnAside(api jobs.API, diags *diag.Diagnostics) {
	remote, ok := api.(jobs.Remote)
	if !ok || s.config.Runner != nil || len(s.config.Executors) == 0 {
		return
	}
	s.aside.Do(func() {
		diags.AddAttributeWarning(path.Root(s.config.Executors[0]), "The runner's own configuration counts",
			fmt.Sprintf("%s owns %s, so it executes the runs, by its own configuration. While it is there, these attributes of the provider block have no effect: %s. "+
				"Write them into the runner's configuration file, where they have the same names.",
				sentence(remote.Place()), s.config.DataDir, strings.Join(s.config.Executors, ", ")))
	})
}

// sentence begins one with a text.
func sentence(text string) string {
	if text == "" {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
