package provider_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs/jobstest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/provider/providertest"
)

// A data source lists tables before there is a store, by a connection of its own or of
// the provider block, and makes no store.
func TestDataSourcesNeedNoAuthorization(t *testing.T) {
	t.Parallel()
	const host = "dbc-1.cloud.databricks.com"
	inSales := map[string]any{"catalog": "main", "database": "sales"}
	for name, c := range map[string]struct {
		block, given map[string]any
		want         jobs.AuthorizationSpec
		wrong        string
	}{
		"the provider's": {
			block: block{"databricks": block{"host": host, "http_path": "/p", "token_env": "LYTICS_DATABRICKS_X", "ca_file": "/c.pem",
				"catalog_api": "sql"}},
			want: jobs.AuthorizationSpec{Host: host, Port: 443, HTTPPath: "/p", TokenEnv: "LYTICS_DATABRICKS_X", CAFile: "/c.pem",
				CatalogAPI: jobs.CatalogSQL},
		},
		"its own": {
			block: block{"databricks": block{"host": "dbc-2.cloud.databricks.com"}},
			given: map[string]any{"databricks": block{"host": host, "port": 8443, "ca_file": "/c.pem"}},
			want:  jobs.AuthorizationSpec{Host: host, Port: 8443, TokenEnv: "DATABRICKS_TOKEN", CAFile: "/c.pem"},
		},
		"a profile": {
			block: block{"databricks": block{"host": host, "profile": "ci"}},
			want:  jobs.AuthorizationSpec{Host: host, Port: 443, Login: &jobs.Login{Kind: jobs.LoginProfile, Profile: "ci"}},
		},
		"OAuth of CI": {
			given: map[string]any{"databricks": block{"host": host, "auth_type": "github-oidc", "client_id": "sp"}},
			want:  jobs.AuthorizationSpec{Host: host, Port: 443, Login: &jobs.Login{Kind: jobs.LoginGitHubOIDC, Identity: "sp"}},
		},
		"a command": {
			given: map[string]any{"databricks": block{"host": host, "token_command": []string{"get-token", "-q"}}},
			want:  jobs.AuthorizationSpec{Host: host, Port: 443, Login: &jobs.Login{Kind: jobs.LoginTokenCommand, Command: []string{"get-token", "-q"}}},
		},
		"a client without a login": {block: block{"databricks": block{"host": host, "client_id": "sp"}}, wrong: "databricks.client_id needs auth_type"},
		"a directory without a login": {given: map[string]any{"databricks": block{"host": host, "azure_tenant_id": "t"}},
			wrong: "databricks.azure_tenant_id needs auth_type"},
		"a configuration file without a profile": {given: map[string]any{"databricks": block{"host": host, "config_file": "/c", "token_env": "T"}},
			wrong: "databricks.config_file needs auth_type"},
		"an attribute of another login": {given: map[string]any{"databricks": block{"host": host, "auth_type": "azure-cli", "profile": "prod"}},
			wrong: "databricks.profile is not for this login"},
		"two logins": {block: block{"databricks": block{"host": host, "profile": "ci", "token_file": "/t"}},
			wrong: "databricks.token_file is not for this login"},
		"a login and a variable": {given: map[string]any{"databricks": block{"host": host, "profile": "ci", "token_env": "T"}},
			wrong: "databricks.token_env is not for this login"},
		"a profile of a data source": {
			given: map[string]any{"databricks": block{"host": host, "profile": "ci", "config_file": "/c"}},
			want:  jobs.AuthorizationSpec{Host: host, Port: 443, Login: &jobs.Login{Kind: jobs.LoginProfile, Profile: "ci", File: "/c"}},
		},
		"none":    {wrong: "It is not said how to reach Databricks"},
		"unknown": {block: block{"databricks": block{"host": tftypes.UnknownValue}}, wrong: "databricks.host depends on a resource"},
		"two": {
			given: map[string]any{"databricks": block{"host": host}, "authorization_id": "auth-1"},
			wrong: "authorization_id",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := providertest.New()
			var got jobs.CatalogQuery
			env.Intercept = func(c *jobstest.Call) (bool, error) {
				if q, ok := c.Args[0].(jobs.CatalogQuery); ok {
					got = q
				}
				return false, nil
			}
			r, diags := configure(t, env, c.block)
			var state tftypes.Value
			if !failed(diags) {
				state, diags = r.dataSource("lytics_databricks_tables", with(inSales, c.given))
			}
			if c.wrong != "" {
				if got.Connection.Host != "" {
					t.Errorf("Databricks was asked with %+v", got.Connection)
				}
				if !failed(diags) || !strings.Contains(text(diags), c.wrong) {
					t.Errorf("got %s, want %s", text(diags), c.wrong)
				}
				return
			}
			if failed(diags) {
				t.Fatal(text(diags))
			}
			var tables []tftypes.Value
			if err := pick(t, state, "tables").As(&tables); err != nil || len(tables) != 2 {
				t.Errorf("%d tables, %v", len(tables), err)
			}
			got.Connection.Label = ""
			if !cmp.Equal(got.Connection, c.want) || got.Level != jobs.LevelTables || got.In != (jobs.TableName{Catalog: "main", Database: "sales"}) {
				t.Errorf("asked for %+v, want the connection %+v", got, c.want)
			}
			if env.Only() != nil {
				t.Error("there is a store")
			}
		})
	}
	r := newConfiguredClient(t, providertest.New(), block{"databricks": block{"host": host}})
	if got := text(r.readDataSource("lytics_databricks_databases", map[string]any{"catalog": "mian"})); !strings.Contains(got, "There is no catalog mian") {
		t.Errorf("a missing catalog: %s", got)
	}
}

// What another state made is found by its label or its id.
func TestObjectsOfOtherStatesAreFound(t *testing.T) {
	t.Parallel()
	env := documentedEnvironment(t)
	r := newClient(t, env)
	r.create(tableImport, with(importGiven, map[string]any{"label": "customers"}))
	r.create("lytics_databricks_authorization", map[string]any{"label": "warehouse", "host": "dbc-9.cloud.databricks.com", "http_path": "/p", "token_env": "T",
		"ca_file": "/etc/ca.pem"})
	find := func(source string, given map[string]any, attribute string) string {
		t.Helper()
		state, diags := r.dataSource("lytics_"+source, given)
		if failed(diags) {
			return text(diags)
		}
		var found string
		if err := pick(t, state, attribute).As(&found); err != nil {
			t.Fatal(err)
		}
		return found
	}
	if got := find("databricks_authorization", map[string]any{"label": "warehouse"}, "host"); got != "dbc-9.cloud.databricks.com" {
		t.Errorf("by label: %s", got)
	}
	if got := find("databricks_authorization", map[string]any{"label": "warehouse"}, "ca_file"); got != "/etc/ca.pem" {
		t.Errorf("its ca_file: %s", got)
	}
	id := find("databricks_authorization", map[string]any{"label": "warehouse"}, "id")
	if got := find("databricks_authorization", map[string]any{"id": id}, "label"); got != "warehouse" {
		t.Errorf("by id: %s", got)
	}
	if got := find("job", map[string]any{"label": "customers"}, "stream"); got != "databricks_main_sales_customers" {
		t.Errorf("a job: %s", got)
	}
	for source, c := range map[string]struct {
		given map[string]any
		want  string
	}{
		"databricks_authorization": {map[string]any{"label": "a"}, `3 objects have the label "a"`},
		"job":                      {map[string]any{"label": "none"}, `The store has no job with the label "none"`},
	} {
		if got := find(source, c.given, "id"); !strings.Contains(got, c.want) {
			t.Errorf("%s: got %s, want %s", source, got, c.want)
		}
	}
}

// The preview of a job and of an import that is only written out have the counts of a
// dry run, and the samples that are asked for.
func TestJobPreview(t *testing.T) {
	t.Parallel()
	env := documentedEnvironment(t)
	r := newConfiguredClient(t, env, block{"databricks": block{"host": "dbc-1.cloud.databricks.com", "http_path": "/p"}})
	summary := func(given map[string]any) (string, int) {
		t.Helper()
		state, diags := r.dataSource("lytics_job_preview", given)
		if failed(diags) {
			return text(diags), 0
		}
		var s string
		var samples []tftypes.Value
		if err := pick(t, state, "summary").As(&s); err != nil {
			t.Fatal(err)
		}
		if err := pick(t, state, "samples").As(&samples); err != nil {
			t.Fatal(err)
		}
		return s, len(samples)
	}
	written := block{"catalog": "main", "database": "sales", "table": "customers", "timestamp_column": "updated_at"}
	if got, n := summary(map[string]any{"import": written, "sample_rows": 3}); !strings.Contains(got, "First import") || n != 3 {
		t.Errorf("an import: %q, %d samples", got, n)
	}
	if got, _ := summary(map[string]any{"import": with(written, map[string]any{"table": "none"})}); !strings.Contains(got, "There is no table none") {
		t.Errorf("a missing table: %s", got)
	}
	s := r.create(tableImport, importGiven)
	var id string
	if err := pick(t, s.value, "id").As(&id); err != nil {
		t.Fatal(err)
	}
	if got, n := summary(map[string]any{"job_id": id}); !strings.Contains(got, "goes on") || n != 0 {
		t.Errorf("a job: %q, %d samples", got, n)
	}
}

// A store that cannot be used is one error of a plan, and not one for each resource.
// An apply reports it for each object that it could not change.
//
// checklist 58
func TestStoreErrorIsShownOnce(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	_, states := sixObjects(t, env)
	env.Change(func() {
		for location, s := range env.Stores {
			s.ID = "another"
			env.Stores[location] = s
		}
	})
	fresh := newClient(t, env)
	errors := 0
	for resource, s := range states {
		read, diags := fresh.read(resource, s)
		if !read.value.Equal(s.value) {
			t.Errorf("%s: the state changed", resource)
		}
		given := documentedResources[strings.TrimPrefix(resource, "lytics_")].base
		for _, d := range append(diags, fresh.plan(resource, s, build(fresh.typ(resource), given)).Diagnostics...) {
			if d.Severity == 1 {
				errors++
			}
		}
	}
	if errors != 1 {
		t.Errorf("%d errors, want 1", errors)
	}
}
