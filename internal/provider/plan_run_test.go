package provider_test

import (
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs/jobstest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/provider/providertest"
)

const tableImport = "lytics_databricks_table_import"

// countCalls counts the calls of a method from now on.
func countCalls(env *providertest.Environment, method string) *int {
	n := new(int)
	env.Change(func() {
		env.Intercept = func(c *jobstest.Call) (bool, error) {
			if c.Method == method {
				*n++
			}
			return false, nil
		}
	})
	return n
}

// text joins diagnostics.
func text(diags []*tfprotov6.Diagnostic) string { return strings.Join(messages(diags), "\n") }

// checked is a configuration with plan_check.
func checked(t *testing.T, env *providertest.Environment) *client {
	t.Helper()
	return newConfiguredClient(t, env, map[string]any{"plan_check": true})
}

func TestPlanCheckNamesWhatTheRunWillDo(t *testing.T) {
	t.Parallel()
	env := documentedEnvironment(t)
	typ := newClient(t, env).typ(tableImport)
	first := build(typ, importGiven)
	plan := checked(t, env).plan(tableImport, nil, first)
	want := "WARNING: First import of main.sales.customers into stream databricks_main_sales_customers: about 100 rows: The apply runs the job."
	if got := text(plan.Diagnostics); got != want {
		t.Errorf("a new import:\n%s\nwant\n%s", got, want)
	}

	r := newClient(t, env)
	if got := text(r.plan(tableImport, nil, first).Diagnostics); got != "" {
		t.Errorf("without plan_check: %s", got)
	}
	s := r.create(tableImport, importGiven)
	asked := countCalls(env, "DryRunOf")
	if got := text(checked(t, env).plan(tableImport, s, first).Diagnostics); got != "" || *asked != 0 {
		t.Errorf("a plan without changes asks %d times and says %q", *asked, got)
	}
	relabelled := build(typ, with(importGiven, map[string]any{"label": "new"}))
	if got := text(checked(t, env).plan(tableImport, s, relabelled).Diagnostics); got != "" || *asked != 0 {
		t.Errorf("a new label asks %d times and says %q", *asked, got)
	}
	env.AddRows(5)
	again := build(typ, with(importGiven, map[string]any{"triggers": map[string]any{"n": "2"}}))
	got := text(checked(t, env).plan(tableImport, s, again).Diagnostics)
	if !strings.Contains(got, "Import of main.sales.customers into stream databricks_main_sales_customers goes on") || !strings.Contains(got, "about 5 rows") {
		t.Errorf("changed triggers: %s", got)
	}
}

// Without plan_check a plan says what the store knows, and asks no warehouse.
func TestPlanSaysWhatTheStoreKnows(t *testing.T) {
	t.Parallel()
	env := documentedEnvironment(t)
	r := newClient(t, env)
	s := r.create(tableImport, importGiven)
	at := time.Date(2026, 11, 20, 6, 30, 1, 0, time.UTC)
	env.Change(func() { env.Only().Runs[0].Watermark = &at })
	asked := countCalls(env, "DryRunOf")
	again := with(importGiven, map[string]any{"triggers": map[string]any{"n": "2"}})
	plan := newClient(t, env).plan(tableImport, s, build(r.typ(tableImport), again))
	if got := text(plan.Diagnostics); !strings.Contains(got, "Import of main.sales.customers goes on from 2026-11-20 06:30:01") || *asked != 0 {
		t.Errorf("asked %d times: %s", *asked, got)
	}
	// In the apply Terraform plans again: a process that has begun to apply is silent.
	if _, diags := r.apply(t.Context(), tableImport, s, build(r.typ(tableImport), again)); strings.Contains(text(diags), "goes on from") {
		t.Errorf("the apply repeats it: %s", text(diags))
	}
	refresh := with(again, map[string]any{"full_refresh": "1"})
	plan = newClient(t, env).plan(tableImport, s, build(r.typ(tableImport), refresh))
	if got := text(plan.Diagnostics); !strings.Contains(got, "begins again: every row is sent again") {
		t.Errorf("a full refresh: %s", got)
	}

	env.Change(func() { env.Lytics = false })
	const resource = "lytics_databricks_audience_export"
	export := documentedResources["databricks_audience_export"].base
	e := r.create(resource, export)
	plan = newClient(t, env).plan(resource, e, build(r.typ(resource), with(export, map[string]any{"triggers": map[string]any{"n": "2"}})))
	if got := text(plan.Diagnostics); !strings.Contains(got, "Export replaces main.sales.lytics_user_vip (7 rows) with about 7") {
		t.Errorf("an export: %s", got)
	}
}

// A mistake that the run would end with is an error of the plan, at its attribute.
func TestPlanCheckFindsMistakes(t *testing.T) {
	t.Parallel()
	env := documentedEnvironment(t)
	r := checked(t, env)
	diags := r.plan(tableImport, nil, build(r.typ(tableImport), with(importGiven, map[string]any{"table": "custmers"}))).Diagnostics
	if len(diags) != 1 || !failed(diags) || !diags[0].Attribute.Equal(tftypes.NewAttributePath().WithAttributeName("table")) {
		t.Errorf("a missing table: %s", text(diags))
	}
	for filter, bad := range map[string]bool{"FILTER EXISTS email": false, "FILTER EXISTS emial": true} {
		diags := r.plan("lytics_audience", nil, build(r.typ("lytics_audience"), map[string]any{"name": "n", "filter": filter})).Diagnostics
		if failed(diags) != bad {
			t.Errorf("%s: %s", filter, text(diags))
		}
		if bad && (!strings.Contains(text(diags), `"emial"`) || !diags[0].Attribute.Equal(tftypes.NewAttributePath().WithAttributeName("filter"))) {
			t.Errorf("%s: %s", filter, text(diags))
		}
	}
	// A field of the same plan is known.
	r.plan("lytics_field", nil, build(r.typ("lytics_field"), map[string]any{"id": "emial", "type": "string"}))
	diags = r.plan("lytics_audience", nil, build(r.typ("lytics_audience"), map[string]any{"name": "n", "filter": "FILTER EXISTS emial"})).Diagnostics
	if failed(diags) {
		t.Errorf("a planned field: %s", text(diags))
	}
}

// A job whose authorization is created in the same plan is checked with the planned
// definition, or with the provider's connection if there are several of one workspace.
func TestPlanCheckUsesThePlannedAuthorization(t *testing.T) {
	t.Parallel()
	unknown := with(importGiven, map[string]any{"authorization_id": tftypes.UnknownValue})
	authorization := func(label, host string) map[string]any {
		return map[string]any{"label": label, "host": host, "http_path": "/p", "token_wo": "t", "token_wo_version": 1}
	}
	const here, elsewhere = "dbc-1.cloud.databricks.com", "dbc-2.cloud.databricks.com"
	later := with(authorization("b", here), map[string]any{"host": tftypes.UnknownValue})
	withoutSecret := with(authorization("b", here), map[string]any{"token_wo": tftypes.UnknownValue})
	inLytics := with(authorization("b", here), map[string]any{"managed_by": "lytics"})
	lytics := block{"platform": block{"lytics": block{"token": "t"}}}
	twin := with(authorization("a", here), map[string]any{"token_wo": "u"})
	for name, c := range map[string]struct {
		block   map[string]any
		planned []map[string]any
		want    string
	}{
		"one":                                   {nil, []map[string]any{authorization("a", here)}, "First import of main.sales.customers"},
		"none":                                  {nil, nil, "plan_check could not check table import j"},
		"several":                               {nil, []map[string]any{authorization("a", here), authorization("b", here)}, "plan_check could not check"},
		"of one provider":                       {block{"databricks": block{"host": here, "http_path": "/p"}}, []map[string]any{authorization("a", here), authorization("b", here)}, "First import"},
		"one and one whose host is not known":   {nil, []map[string]any{authorization("a", here), later}, "plan_check could not check"},
		"one and one whose secret is not known": {nil, []map[string]any{withoutSecret, authorization("a", here)}, "plan_check could not check"},
		"one and one in Lytics":                 {lytics, []map[string]any{authorization("a", here), inLytics}, "plan_check could not check"},
		"two with one label":                    {nil, []map[string]any{authorization("a", here), twin}, "plan_check could not check"},
		"of one provider and one whose host is not known": {block{"databricks": block{"host": here, "http_path": "/p"}},
			[]map[string]any{authorization("a", here), later}, "plan_check could not check"},
		"of another": {block{"databricks": block{"host": here, "http_path": "/p"}}, []map[string]any{authorization("a", here), authorization("b", elsewhere)}, "plan_check could not check"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := providertest.New()
			var token string
			env.Intercept = func(c *jobstest.Call) (bool, error) {
				if r, ok := c.Args[0].(jobs.DryRunRequest); ok && r.Connection != nil && r.Connection.Token != nil {
					token = r.Connection.Token.Reveal()
				}
				return false, nil
			}
			r := newConfiguredClient(t, env, with(c.block, map[string]any{"plan_check": true}))
			for _, a := range c.planned {
				if diags := r.plan("lytics_databricks_authorization", nil, build(r.typ("lytics_databricks_authorization"), a)).Diagnostics; failed(diags) {
					t.Fatal(text(diags))
				}
			}
			diags := r.plan(tableImport, nil, build(r.typ(tableImport), unknown)).Diagnostics
			if got := text(diags); failed(diags) || !strings.Contains(got, c.want) {
				t.Errorf("got %s, want %s", got, c.want)
			}
			if (name == "one") != (token != "") {
				t.Errorf("the token of the check is %q", token)
			}
		})
	}
}

func TestPlanCheckVariable(t *testing.T) {
	t.Parallel()
	env := documentedEnvironment(t)
	env.Variables = map[string]string{"LYTICS_PLAN_CHECK": "true"}
	r := newClient(t, env)
	if got := text(r.plan(tableImport, nil, build(r.typ(tableImport), importGiven)).Diagnostics); !strings.Contains(got, "First import") {
		t.Errorf("by the environment: %s", got)
	}
	env.Variables["LYTICS_PLAN_CHECK"] = "maybe"
	if _, diags := configure(t, env, nil); !strings.Contains(text(diags), "LYTICS_PLAN_CHECK is neither true nor false") {
		t.Errorf("maybe: %s", text(diags))
	}
}
