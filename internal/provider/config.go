package provider

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/config"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// configuration is a provider block with its environment variables and
// defaults applied.
type configuration struct {
	target config.Target
	// unknown names the attributes that decide which store is meant and are not
	// known yet. If there are any, target is empty.
	unknown []string
	// engineAttributes names the attributes of the block that configure what
	// executes runs. They have no effect if a runner owns the data directory.
	engineAttributes []string
	// databricks is the connection of data sources; nil if there is none, or if the
	// attributes that unknownDatabricks names are not known yet.
	databricks        *jobs.AuthorizationSpec
	unknownDatabricks []string
	// planCheck makes a plan ask the warehouse what its runs will do.
	planCheck bool
}

type configModel struct {
	Runner            types.Object `tfsdk:"runner"`
	DataDir           types.String `tfsdk:"data_dir"`
	DatabaseURL       types.String `tfsdk:"database_url"`
	EncryptionKeyFile types.String `tfsdk:"encryption_key_file"`
	AllowPrivateHosts types.Bool   `tfsdk:"allow_private_hosts"`
	PrivateHosts      types.List   `tfsdk:"private_hosts"`
	CAFile            types.String `tfsdk:"ca_file"`
	Staging           types.Object `tfsdk:"staging"`
	Events            types.Object `tfsdk:"events"`
	Platform          types.Object `tfsdk:"platform"`
	Quarantine        types.Object `tfsdk:"quarantine"`
	Databricks        types.Object `tfsdk:"databricks"`
	PlanCheck         types.Bool   `tfsdk:"plan_check"`
}

// configReader converts the provider block and collects what is not known yet.
type configReader struct {
	unknown []string
	diags   diag.Diagnostics
}

// readConfig reads the provider block. A staging or a place of events that is not known
// yet does not count as unknown: only a run needs it, and nothing runs before apply.
func readConfig(ctx context.Context, raw tfsdk.Config, lookup func(string) (string, bool)) (configuration, diag.Diagnostics) {
	r := &configReader{}
	var m configModel
	r.diags.Append(raw.Get(ctx, &m)...)
	if r.diags.HasError() {
		return configuration{}, r.diags
	}
	c := r.target(ctx, m, lookup)
	c.databricks, c.unknownDatabricks = r.connection(ctx, m.Databricks)
	c.planCheck = r.planCheck(m.PlanCheck, lookup)
	return c, r.diags
}

// target reads which store is meant, and what executes runs.
func (r *configReader) target(ctx context.Context, m configModel, lookup func(string) (string, bool)) configuration {
	runner := r.runner(ctx, m, lookup)
	if runner != nil || len(r.unknown) > 0 {
		return configuration{target: config.Target{Runner: runner}, unknown: r.unknown}
	}
	e := config.Engine{
		DataDir:           r.text("data_dir", m.DataDir),
		DatabaseURL:       config.NewSecret(r.text("database_url", m.DatabaseURL)),
		EncryptionKeyFile: r.text("encryption_key_file", m.EncryptionKeyFile),
		AllowPrivateHosts: r.flag("allow_private_hosts", m.AllowPrivateHosts),
		PrivateHosts:      r.list(ctx, "private_hosts", m.PrivateHosts),
		CAFile:            r.text("ca_file", m.CAFile),
		Platform:          r.platform(ctx, m.Platform),
		Quarantine:        r.quarantine(ctx, m.Quarantine),
	}
	if len(r.unknown) > 0 || r.diags.HasError() {
		return configuration{unknown: r.unknown}
	}
	staging, unknown := r.staging(ctx, m.Staging)
	e.Staging = staging
	if e.Events = r.events(ctx, m.Events); len(r.unknown) > 0 {
		e.Events, unknown, r.unknown = nil, append(unknown, eventsEnv), nil
	}
	e, err := e.Complete(withoutPrefixes(lookup, unknown))
	if err == nil && len(unknown) == 0 {
		err = e.CheckEventStorage()
	}
	if err != nil {
		addErrors(&r.diags, attributeTarget{objectType: providerSchema().Type()}, "use the provider's configuration", err)
	}
	c := configuration{target: config.Target{Engine: e}}
	for _, a := range m.engineAttributes() {
		if !a.value.IsNull() {
			c.engineAttributes = append(c.engineAttributes, a.name)
		}
	}
	return c
}

// withoutPrefixes hides the environment variables with the given prefixes.
func withoutPrefixes(lookup func(string) (string, bool), prefixes []string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		if slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(name, p) }) {
			return "", false
		}
		return lookup(name)
	}
}

// planCheckVariable is the environment variable of plan_check.
const planCheckVariable = "LYTICS_PLAN_CHECK"

// planCheck reads plan_check. While it is not known, nothing is asked.
func (r *configReader) planCheck(v types.Bool, lookup func(string) (string, bool)) bool {
	text, _ := lookup(planCheckVariable)
	if !v.IsNull() || text == "" {
		return v.ValueBool()
	}
	on, err := strconv.ParseBool(text)
	if err != nil {
		r.diags.AddAttributeError(path.Root("plan_check"), planCheckVariable+" is neither true nor false",
			fmt.Sprintf("It is %q.\n\nSet it to true or false, or set plan_check in the provider block.", text))
	}
	return on
}

// text gives a string; an unknown one is noted under its name.
func (r *configReader) text(name string, v types.String) string {
	if v.IsUnknown() {
		r.unknown = append(r.unknown, name)
	}
	return v.ValueString()
}

func (r *configReader) flag(name string, v types.Bool) *bool {
	if v.IsUnknown() {
		r.unknown = append(r.unknown, name)
	}
	return v.ValueBoolPointer()
}

// number gives an integer; it is nil if the attribute is null.
func (r *configReader) number(name string, v types.Int64) *int {
	if v.IsUnknown() {
		r.unknown = append(r.unknown, name)
	}
	if v.IsUnknown() || v.IsNull() {
		return nil
	}
	n := int(v.ValueInt64())
	return &n
}

// list gives the texts of a list; it is nil if the attribute is null.
func (r *configReader) list(ctx context.Context, name string, v types.List) []string {
	unknown := v.IsUnknown() || slices.ContainsFunc(v.Elements(), func(e attr.Value) bool { return e.IsUnknown() })
	if unknown {
		r.unknown = append(r.unknown, name)
	}
	if unknown || v.IsNull() {
		return nil
	}
	list := []string{}
	r.diags.Append(v.ElementsAs(ctx, &list, false)...)
	return list
}

// decode reads a nested object; one that is null or unknown gives the zero
// value, whose attributes are null.
func decode[T any](ctx context.Context, r *configReader, v types.Object) (m T) {
	if !v.IsNull() && !v.IsUnknown() {
		r.diags.Append(v.As(ctx, &m, basetypes.ObjectAsOptions{})...)
	}
	return m
}
