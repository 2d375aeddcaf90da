package provider_test

import (
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/provider/providertest"
)

// documented is a valid configuration of a resource, with another value for each
// attribute.
type documented struct {
	base   map[string]any
	change map[string]any
	// with are further changes that an attribute's change needs.
	with map[string]map[string]any
	// from is where an attribute's change begins, where that is not base.
	from map[string]map[string]any
}

var ofPrincipal = map[string]any{
	"label": "a", "host": "dbc-9.cloud.databricks.com", "http_path": "/p",
	"client_id": "sp", "client_secret_wo": "s", "client_secret_wo_version": 1,
}

// ofLogin is an authorization with an attribute of a login.
func ofLogin(attribute string, value any) map[string]any {
	return map[string]any{"label": "a", "host": "dbc-9.cloud.databricks.com", "http_path": "/p", attribute: value}
}

var (
	ofApplication = with(ofLogin("auth_type", "azure-client-secret"), map[string]any{"azure_client_id": "a", "azure_tenant_id": "t",
		"azure_client_secret_wo": "s", "azure_client_secret_wo_version": 1})
	ofKey = with(ofLogin("google_credentials_wo", "k"), map[string]any{"google_credentials_wo_version": 1})
)

var jobBase = map[string]any{
	"label": "j", "authorization_id": "auth-1", "catalog": "main", "database": "sales",
	"triggers": map[string]any{"n": "1"},
}

var jobChange = map[string]any{
	"label": "k", "description": "d", "authorization_id": "auth-2", "query_timeout_minutes": 5, "fail_on_error": false, "check_source": false,
	"expected_every": "36h",
	"catalog":        "other", "database": "other", "triggers": map[string]any{"n": "2"},
	"after": []string{"job-9"}, "wait": false, "managed_by": "lytics",
	"timeouts":                   map[string]any{"create": "1h"},
	"schedule":                   daily(nil),
	"schedule.frequency":         daily(map[string]any{"frequency": "weekly"}),
	"schedule.time_of_day":       daily(map[string]any{"time_of_day": "01:00"}),
	"schedule.day_of_week":       daily(map[string]any{"frequency": "weekly", "day_of_week": "friday"}),
	"schedule.day_of_month":      daily(map[string]any{"frequency": "monthly", "day_of_month": 2}),
	"schedule.timezone":          daily(map[string]any{"timezone": "Europe/Berlin"}),
	"schedule.start_immediately": daily(map[string]any{"start_immediately": false}),
	"schedule.catch_up":          daily(map[string]any{"catch_up": "skip"}),
	"schedule.paused":            daily(map[string]any{"paused": true}),
}

// toLytics is what goes with a move to Lytics: an authorization of its side.
var toLytics = map[string]map[string]any{"managed_by": {"authorization_id": "auth-3"}}

func daily(more map[string]any) map[string]any {
	return with(map[string]any{"frequency": "daily"}, more)
}

// with returns a copy of m with the entries of more.
func with(m, more map[string]any) map[string]any {
	out := map[string]any{}
	maps.Copy(out, m)
	maps.Copy(out, more)
	return out
}

var documentedResources = map[string]documented{
	"databricks_authorization": {
		base: map[string]any{"label": "a", "host": "dbc-9.cloud.databricks.com", "http_path": "/p", "token_wo": "t", "token_wo_version": 1},
		change: map[string]any{"label": "b", "description": "d", "host": "dbc-8.cloud.databricks.com", "port": 8443, "http_path": "/q",
			"token_wo": "u", "token_wo_version": 2, "token_env": "T", "check_connection": false, "catalog_api": "sql",
			"client_id": "sp", "client_secret_wo": "u", "client_secret_wo_version": 2, "managed_by": "lytics",
			"auth_type": "azure-cli", "audience": "b", "databricks_id_token_filepath": "/b", "oidc_token_env": "B", "azure_client_id": "b",
			"azure_tenant_id": "b", "azure_client_secret_wo": "b", "azure_client_secret_wo_version": 2, "google_service_account": "b@c",
			"google_credentials_wo": "b", "google_credentials_wo_version": 2, "token_file": "/b", "token_command": []string{"b"},
			"profile": "b", "config_file": "/b", "ca_file": "/b"},
		with: map[string]map[string]any{
			"host":      {"token_wo_version": 2},
			"port":      {"token_wo_version": 2},
			"ca_file":   {"token_wo_version": 2},
			"token_env": {"token_wo": nil, "token_wo_version": nil},
			"client_id": {"token_wo": nil, "token_wo_version": nil, "client_secret_wo": "s", "client_secret_wo_version": 1},
			"auth_type": {"token_wo": nil, "token_wo_version": nil},
			// The secret is bound to the application and its directory.
			"azure_client_id": {"azure_client_secret_wo_version": 2}, "azure_tenant_id": {"azure_client_secret_wo_version": 2},
		},
		from: map[string]map[string]any{"client_secret_wo": ofPrincipal, "client_secret_wo_version": ofPrincipal,
			"audience": ofLogin("auth_type", "github-oidc"), "databricks_id_token_filepath": ofLogin("databricks_id_token_filepath", "/a"),
			"oidc_token_env": ofLogin("oidc_token_env", "A"), "azure_client_id": ofApplication, "azure_tenant_id": ofApplication,
			"azure_client_secret_wo": ofApplication, "azure_client_secret_wo_version": ofApplication,
			"google_service_account": ofLogin("google_service_account", "a@c"),
			"google_credentials_wo":  ofKey, "google_credentials_wo_version": ofKey,
			"token_file": ofLogin("token_file", "/a"), "token_command": ofLogin("token_command", []string{"a"}),
			"profile": ofLogin("profile", "a"), "config_file": ofLogin("profile", "a")},
	},
	"databricks_table_import": {
		base: with(jobBase, map[string]any{"table": "customers", "timestamp_column": "updated_at"}),
		change: with(jobChange, map[string]any{"table": "orders", "timestamp_column": "changed_at", "record_timestamp_column": "at",
			"since_timestamp": "2026-01-01 00:00:00", "stream": "s", "key_columns": []string{"id"}, "columns": []string{"id"},
			"exclude_columns": []string{"ssn"},
			"where":           "a = 1", "lookback": "1h", "null_timestamps": "error", "changes": "compare", "deletes": "events", "future_timestamps": "include", "batch_size": 5, "row_limit": 5, "max_rejected": 5,
			"scratch_schema": "main.scratch", "full_refresh": "2"}),
		with: toLytics,
	},
	"databricks_audience_export": {
		base: with(jobBase, map[string]any{"audience_id": "aud-vip"}),
		// Another id of the same audience: the table stays.
		change: with(jobChange, map[string]any{"audience_id": "vip", "table_name": "t", "fields": []string{"email"}, "overwrite_existing": true,
			"column_types": "inferred", "format": "parquet", "compression": "none", "scratch_schema": "main.scratch", "max_shrink_percent": 50}),
		with: toLytics,
	},
	"field": {
		base: map[string]any{"id": "f", "type": "string"},
		change: map[string]any{"id": "g", "description": "d", "type": "int", "is_identifier": true, "is_pii": true,
			"merge_operation": "oldest", "capacity": 5, "keep_days": 5},
	},
	"mapping": {
		base:   map[string]any{"stream": "s", "field": "email", "expression": "a"},
		change: map[string]any{"stream": "t", "field": "name", "expression": "b", "guard_expression": "c"},
	},
	"audience": {
		base:   map[string]any{"name": "VIPs", "filter": "FILTER a"},
		change: map[string]any{"name": "b", "slug": "c", "description": "d", "filter": "FILTER b"},
	},
}

var tableRow = regexp.MustCompile("(?m)^\\| `([a-z_.]+)` \\| (.+) \\| (.+) \\| (.+) \\| (.+) \\|$")

// The table in each resource's documentation gives the default of each attribute,
// whether a change is made in place, and whether it runs the job. The test
// compares it with the plans of the provider.
func TestDocumentationTables(t *testing.T) {
	t.Parallel()
	for name, d := range documentedResources {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			page, err := os.ReadFile(filepath.Join("..", "..", "docs", "resources", name+".md"))
			if err != nil {
				t.Fatal(err)
			}
			r := newClient(t, documentedEnvironment(t))
			resource := "lytics_" + name
			prior := r.create(resource, d.base)
			var listed []string
			for _, row := range tableRow.FindAllStringSubmatch(string(page), -1) {
				listed = append(listed, row[1])
				checkRow(t, r, resource, d, prior, row)
			}
			slices.Sort(listed)
			if want := settable(r.schema.ResourceSchemas[resource].Block.Attributes, ""); !slices.Equal(listed, want) {
				t.Errorf("the table lists\n%v\nand the schema has\n%v", listed, want)
			}
		})
	}
}

// documentedEnvironment has the objects that the configurations refer to.
func documentedEnvironment(t *testing.T) *providertest.Environment {
	t.Helper()
	env := providertest.New()
	env.Lytics = true
	r := newClient(t, env)
	for _, host := range []string{"dbc-1.cloud.databricks.com", "dbc-2.cloud.databricks.com"} {
		r.create("lytics_databricks_authorization", map[string]any{"label": "a", "host": host, "http_path": "/p", "token_env": "T"})
	}
	r.create("lytics_databricks_authorization", with(documentedResources["databricks_authorization"].base, map[string]any{"managed_by": "lytics"}))
	r.create("lytics_audience", map[string]any{"name": "VIP", "slug": "vip", "filter": "FILTER a"})
	r.create("lytics_field", map[string]any{"id": "email", "type": "string"})
	env.Change(func() {
		s := env.Only()
		for i, id := range slices.Sorted(maps.Keys(s.Authorizations)) {
			a := s.Authorizations[id]
			delete(s.Authorizations, id)
			a.ID = []string{"auth-1", "auth-2", "auth-3"}[i]
			s.Authorizations[a.ID] = a
		}
	})
	return env
}

// settable lists the attributes that can be configured; nested ones are dotted.
func settable(attributes []*tfprotov6.SchemaAttribute, prefix string) []string {
	var names []string
	for _, a := range attributes {
		if !a.Required && !a.Optional {
			continue
		}
		names = append(names, prefix+a.Name)
		if a.NestedType != nil && a.Name != "timeouts" {
			names = append(names, settable(a.NestedType.Attributes, prefix+a.Name+".")...)
		}
	}
	slices.Sort(names)
	return names
}

func checkRow(t *testing.T, r *client, resource string, d documented, prior *resourceState, row []string) {
	t.Helper()
	attribute, def, change, runs := row[1], row[2], row[3], row[5]
	changed, ok := d.change[attribute]
	if !ok {
		t.Errorf("%s: the test has no other value for it", attribute)
		return
	}
	outer, inner, nested := strings.Cut(attribute, ".")
	checkDefault(t, r, resource, d, attribute, def)
	if base := d.from[attribute]; base != nil {
		d.base, prior = base, r.create(resource, base)
	}

	given := with(d.base, map[string]any{outer: changed})
	given = with(given, d.with[attribute])
	plan := r.plan(resource, prior, build(r.typ(resource), given))
	if failed(plan.Diagnostics) {
		t.Errorf("%s: %v", attribute, messages(plan.Diagnostics))
		return
	}
	planned := r.value(resource, plan.PlannedState)
	switch first, _, _ := strings.Cut(strings.SplitN(change, ";", 2)[0], ":"); first {
	case "in place":
		if len(plan.RequiresReplace) > 0 {
			t.Errorf("%s is replaced (%v), the documentation says %q", attribute, plan.RequiresReplace, change)
		}
		if planned.Equal(prior.value) {
			t.Errorf("%s: the change makes no plan", attribute)
		}
	case "replace":
		own := tftypes.NewAttributePath().WithAttributeName(attribute)
		if !slices.ContainsFunc(plan.RequiresReplace, own.Equal) {
			t.Errorf("%s is not replaced (%v), the documentation says %q", attribute, plan.RequiresReplace, change)
		}
	case "nothing by itself":
		if !planned.Equal(prior.value) {
			t.Errorf("%s makes a plan, the documentation says %q", attribute, change)
		}
	default:
		t.Errorf("%s: what is %q?", attribute, change)
	}
	if nested && pick(t, planned, outer, inner).IsNull() {
		t.Errorf("%s is not in the plan", attribute)
	}
	run := !pick(t, planned, "last_run").IsKnown()
	if want := runs == "yes"; len(plan.RequiresReplace) == 0 && run != want {
		t.Errorf("%s: a run is planned: %v, the documentation says %q", attribute, run, runs)
	}
	if replaced := runs == "when created"; replaced != (len(plan.RequiresReplace) > 0 && r.isJob(resource)) {
		t.Errorf("%s: the documentation says %q runs the job", attribute, runs)
	}
}

// isJob reports whether a resource has runs.
func (r *client) isJob(resource string) bool {
	return slices.ContainsFunc(r.schema.ResourceSchemas[resource].Block.Attributes, func(a *tfprotov6.SchemaAttribute) bool { return a.Name == "last_run" })
}

var quoted = regexp.MustCompile("^`([^`{]+)`$")

// checkDefault compares the documented default with a plan that leaves the
// attribute out.
func checkDefault(t *testing.T, r *client, resource string, d documented, attribute, def string) {
	t.Helper()
	outer, inner, nested := strings.Cut(attribute, ".")
	attributes := r.schema.ResourceSchemas[resource].Block.Attributes
	given := with(d.base, map[string]any{outer: nil})
	if nested {
		given[outer] = map[string]any{"frequency": "daily"}
	}
	a := named(attributes, outer)
	if nested {
		a = named(a.NestedType.Attributes, inner)
	}
	if a.Required != (def == "required") {
		t.Errorf("%s: required is %v, the documentation says %q", attribute, a.Required, def)
	}
	if a.Required || a.WriteOnly {
		return
	}
	plan := r.plan(resource, nil, build(r.typ(resource), given))
	v := pick(t, r.value(resource, plan.PlannedState), strings.Split(attribute, ".")...)
	var got string
	switch {
	case v.IsNull():
		got = "null"
	case !v.IsKnown():
		got = "unknown"
	case v.Type().Is(tftypes.String):
		_ = v.As(&got)
	case v.Type().Is(tftypes.Number):
		var n big.Float
		_ = v.As(&n)
		got = n.String()
	case v.Type().Is(tftypes.Bool):
		var b bool
		_ = v.As(&b)
		got = map[bool]string{true: "true", false: "false"}[b]
	}
	if m := quoted.FindStringSubmatch(def); m != nil && named(attributes, m[1]) == nil {
		if got != m[1] {
			t.Errorf("%s: the default is %q, the documentation says %q", attribute, got, m[1])
		}
		return
	}
	// In words: either nothing is planned, or what follows from other values.
	if def == "empty" && got != "" || def != "empty" && got == "" {
		t.Errorf("%s: the default is %q, the documentation says %q", attribute, got, def)
	}
	follows := strings.Contains(def, "{") || strings.HasPrefix(def, "made from") || strings.HasPrefix(def, "`latest`")
	if computed := got != "null" && got != ""; computed != follows {
		t.Errorf("%s: the default is %q, the documentation says %q", attribute, got, def)
	}
}

func named(attributes []*tfprotov6.SchemaAttribute, name string) *tfprotov6.SchemaAttribute {
	for _, a := range attributes {
		if a.Name == name {
			return a
		}
	}
	return nil
}
