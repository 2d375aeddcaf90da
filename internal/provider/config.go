package provider

import (
	"context"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/config"
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
}

type configModel struct {
	Runner            types.Object `tfsdk:"runner"`
	DataDir           types.String `tfsdk:"data_dir"`
	DatabaseURL       types.String `tfsdk:"database_url"`
	EncryptionKeyFile types.String `tfsdk:"encryption_key_file"`
	AllowPrivateHosts types.Bool   `tfsdk:"allow_private_hosts"`
	Staging           types.Object `tfsdk:"staging"`
	Platform          types.Object `tfsdk:"platform"`
	Quarantine        types.Object `tfsdk:"quarantine"`
}

// configReader converts the provider block and collects what is not known yet.
type configReader struct {
	unknown []string
	diags   diag.Diagnostics
}

// readConfig reads the provider block. A staging that is not known yet does not
// count as unknown: only a run needs it, and nothing runs before apply.
func readConfig(ctx context.Context, raw tfsdk.Config, lookup func(string) (string, bool)) (configuration, diag.Diagnostics) {
	r := &configReader{}
	var m configModel
	r.diags.Append(raw.Get(ctx, &m)...)
	if r.diags.HasError() {
		return configuration{}, r.diags
	}
	runner := r.runner(ctx, m, lookup)
	if runner != nil || len(r.unknown) > 0 {
		return configuration{target: config.Target{Runner: runner}, unknown: r.unknown}, r.diags
	}
	e := config.Engine{
		DataDir:           r.text("data_dir", m.DataDir),
		DatabaseURL:       config.NewSecret(r.text("database_url", m.DatabaseURL)),
		EncryptionKeyFile: r.text("encryption_key_file", m.EncryptionKeyFile),
		AllowPrivateHosts: r.flag("allow_private_hosts", m.AllowPrivateHosts),
		Platform:          r.platform(ctx, m.Platform),
		Quarantine:        r.quarantine(ctx, m.Quarantine),
	}
	if len(r.unknown) > 0 || r.diags.HasError() {
		return configuration{unknown: r.unknown}, r.diags
	}
	staging, unknown := r.staging(ctx, m.Staging)
	e.Staging = staging
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
	return c, r.diags
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
