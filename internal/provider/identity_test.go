package provider_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/provider/providertest"
)

const (
	tableImportType = "lytics_databricks_table_import"
	exportType      = "lytics_databricks_audience_export"
)

// identitySchema returns the schema of a resource's identity.
func (r *client) identitySchema(resource string) *tfprotov6.ResourceIdentitySchema {
	r.t.Helper()
	resp, err := r.server.GetResourceIdentitySchemas(r.t.Context(), &tfprotov6.GetResourceIdentitySchemasRequest{})
	if err != nil || len(resp.Diagnostics) > 0 {
		r.t.Fatal(err, messages(resp.Diagnostics))
	}
	return resp.IdentitySchemas[resource]
}

// identityValues are the texts of an identity; null ones are left out.
func (r *client) identityValues(resource string, d *tfprotov6.ResourceIdentityData) map[string]string {
	r.t.Helper()
	v, err := d.IdentityData.Unmarshal(r.identitySchema(resource).ValueType())
	if err != nil {
		r.t.Fatal(err)
	}
	return textsOf(r.t, v)
}

func textsOf(t *testing.T, v tftypes.Value) map[string]string {
	t.Helper()
	var values map[string]tftypes.Value
	if err := v.As(&values); err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for name, v := range values {
		var text *string
		if err := v.As(&text); err != nil {
			t.Fatal(err)
		}
		if text != nil {
			out[name] = *text
		}
	}
	return out
}

// importByIdentity imports a resource as an import block with an identity does, and
// reads it.
func (r *client) importByIdentity(resource string, given map[string]string) (*resourceState, []*tfprotov6.Diagnostic) {
	r.t.Helper()
	typ := r.identitySchema(resource).ValueType()
	all := map[string]any{}
	for name, v := range given {
		all[name] = v
	}
	imported, err := r.server.ImportResourceState(r.t.Context(), &tfprotov6.ImportResourceStateRequest{
		TypeName: resource, Identity: &tfprotov6.ResourceIdentityData{IdentityData: dynamic(r.t, typ, build(typ, all))},
	})
	if err != nil {
		r.t.Fatal(err)
	}
	if failed(imported.Diagnostics) {
		return nil, imported.Diagnostics
	}
	got := imported.ImportedResources[0]
	return r.read(resource, &resourceState{r.value(resource, got.State), got.Private, got.Identity})
}

// sixObjects creates an object of each resource, and returns their states.
func sixObjects(t *testing.T, env *providertest.Environment) (*client, map[string]*resourceState) {
	t.Helper()
	c := newClient(t, env)
	states := map[string]*resourceState{}
	create := func(resource string, given map[string]any) string {
		states[resource] = c.create(resource, given)
		var id string
		if err := pick(t, states[resource].value, "id").As(&id); err != nil {
			t.Fatal(err)
		}
		return id
	}
	auth := create("lytics_databricks_authorization", authorizationGiven)
	create("lytics_field", map[string]any{"id": "email", "type": "string", "is_identifier": true, "description": "who"})
	create("lytics_mapping", map[string]any{"stream": "s", "field": "email", "expression": "email", "guard_expression": "email != ''"})
	audience := create("lytics_audience", map[string]any{"name": "VIP", "filter": "FILTER EXISTS email"})
	create(tableImportType, map[string]any{"label": "customers", "authorization_id": auth, "catalog": "main", "database": "sales",
		"table": "customers", "timestamp_column": "updated_at", "key_columns": []string{"id"}, "lookback": "90m",
		"schedule": daily(map[string]any{"day_of_week": nil}), "triggers": map[string]any{"n": "1"}})
	create(exportType, map[string]any{"label": "vips", "authorization_id": auth, "catalog": "main", "database": "crm",
		"audience_id": audience, "fields": []string{"email"}})
	return c, states
}

// checklist 47: each resource has an identity after create, refresh and update, and an
// import block may give it in place of the id. The plan after the import is empty.
func TestImportByIdentity(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	c, states := sixObjects(t, env)
	id := func(resource string) string {
		var id string
		if err := pick(t, states[resource].value, "id").As(&id); err != nil {
			t.Fatal(err)
		}
		return id
	}
	want := map[string]map[string]string{
		"lytics_databricks_authorization": {"id": id("lytics_databricks_authorization")},
		"lytics_field":                    {"id": "email"},
		"lytics_mapping":                  {"stream": "s", "field": "email", "guard_expression": "email != ''"},
		"lytics_audience":                 {"slug": "vip"},
		tableImportType: {"id": id(tableImportType), "catalog": "main", "database": "sales", "table": "customers",
			"timestamp_column": "updated_at", "stream": "databricks_main_sales_customers"},
		exportType: {"id": id(exportType), "catalog": "main", "database": "crm", "table_name": "lytics_user_vip"},
	}
	for resource, s := range states {
		if d := cmp.Diff(want[resource], c.identityValues(resource, s.identity)); d != "" {
			t.Errorf("%s: want and got:\n%s", resource, d)
		}
		read, diags := c.read(resource, s)
		if failed(diags) || cmp.Diff(want[resource], c.identityValues(resource, read.identity)) != "" {
			t.Errorf("%s, read: got %v", resource, messages(diags))
		}
		imported, diags := c.importByIdentity(resource, want[resource])
		if failed(diags) {
			t.Errorf("%s: %q", resource, messages(diags))
			continue
		}
		if got := textsOf(t, pickObject(t, imported.value, "id")); got["id"] != id(resource) {
			t.Errorf("%s: the import took %q, want %q", resource, got["id"], id(resource))
		}
		if got := c.identityValues(resource, imported.identity); cmp.Diff(want[resource], got) != "" {
			t.Errorf("%s: the identity after the import is %v, want %v", resource, got, want[resource])
		}
	}
	// What tells an object apart is enough.
	for resource, given := range map[string]map[string]string{
		tableImportType: {"catalog": "main", "database": "sales", "table": "customers"},
		exportType:      {"catalog": "main", "database": "crm"},
	} {
		if _, diags := c.importByIdentity(resource, given); failed(diags) {
			t.Errorf("%s by %v: %q", resource, given, messages(diags))
		}
	}
}

// pickObject is an object of one attribute.
func pickObject(t *testing.T, v tftypes.Value, name string) tftypes.Value {
	t.Helper()
	inner := pick(t, v, name)
	return tftypes.NewValue(tftypes.Object{AttributeTypes: map[string]tftypes.Type{name: inner.Type()}}, map[string]tftypes.Value{name: inner})
}

// An identity that no object has, or several, is an error that says what there is.
func TestImportByAnotherIdentity(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	c, states := sixObjects(t, env)
	second := with(authorizationGiven, map[string]any{"host": "dbc-2.cloud.databricks.com"})
	var other string
	if err := pick(t, c.create("lytics_databricks_authorization", second).value, "id").As(&other); err != nil {
		t.Fatal(err)
	}
	twin := c.create(tableImportType, map[string]any{"label": "twin", "authorization_id": other, "catalog": "main", "database": "sales",
		"table": "customers", "timestamp_column": "updated_at", "schedule": daily(nil)})
	ids := []string{idOf(t, twin), idOf(t, states[tableImportType])}
	customersKey := map[string]string{"catalog": "main", "database": "sales", "table": "customers"}
	withID := maps.Clone(customersKey)
	withID["id"] = ids[0]
	if _, diags := c.importByIdentity(tableImportType, withID); failed(diags) {
		t.Errorf("with the id: %q", messages(diags))
	}
	slices.Sort(ids)
	for name, test := range map[string]struct {
		resource string
		given    map[string]string
		says     string
	}{
		"two jobs":              {tableImportType, customersKey, "Each of " + strings.Join(ids, ", ")},
		"no such table":         {tableImportType, map[string]string{"catalog": "main", "database": "sales", "table": "x"}, `table = "customers"`},
		"another id":            {exportType, map[string]string{"catalog": "main", "database": "crm", "id": "job-none"}, "no audience export"},
		"another guard":         {"lytics_mapping", map[string]string{"stream": "s", "field": "email"}, `guard_expression = "email != ''"`},
		"an id is no slug":      {"lytics_audience", map[string]string{"slug": "aud-vip"}, `the slug "vip"`},
		"no such authorization": {"lytics_databricks_authorization", map[string]string{"id": "auth-none"}, ""},
	} {
		imported, diags := c.importByIdentity(test.resource, test.given)
		text := strings.Join(messages(diags), "\n")
		if test.says == "" { // Terraform reports an import of nothing
			if failed(diags) || !imported.value.IsNull() {
				t.Errorf("%s: got %q, %v", name, text, imported.value)
			}
			continue
		}
		if !failed(diags) || !strings.Contains(text, test.says) {
			t.Errorf("%s: got %q, want an error with %q", name, text, test.says)
		}
	}
}

// A store may have thousands of objects: the error names the first ten, and counts the others.
func TestTheErrorOfAnIdentityIsBounded(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	c, states := sixObjects(t, env)
	id := idOf(t, states[tableImportType])
	env.Change(func() {
		for i := range 500 {
			j := env.Only().Jobs[id]
			copied := *j.Import
			copied.Table = fmt.Sprintf("t%03d", i)
			if i < 12 {
				copied.Table = "twin"
			}
			j.ID, j.Import = fmt.Sprintf("job-%03d", i), &copied
			env.Only().Jobs[j.ID] = j
		}
	})
	for table, want := range map[string]string{
		"none": "; and 491 more",
		"twin": "job-000, job-001, job-002, job-003, job-004, job-005, job-006, job-007, job-008, job-009, and 2 more",
	} {
		_, diags := c.importByIdentity(tableImportType, map[string]string{"catalog": "main", "database": "sales", "table": table})
		text := strings.Join(messages(diags), "\n")
		if !failed(diags) || !strings.Contains(text, want) {
			t.Errorf("%s: got %q, want an error with %q", table, text, want)
		}
		if len(text) > 3000 {
			t.Errorf("%s: the error has %d bytes", table, len(text))
		}
	}
}

// A guard changes in place, and a slug may change outside: the identity follows.
func TestIdentityFollowsItsObject(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	c, states := sixObjects(t, env)
	env.Change(func() {
		for id, a := range env.Only().Audiences {
			a.Slug = "best"
			env.Only().Audiences[id] = a
		}
		for id, m := range env.Only().Mappings {
			m.GuardExpression = "exists(email)"
			env.Only().Mappings[id] = m
		}
	})
	for resource, want := range map[string]map[string]string{
		"lytics_audience": {"slug": "best"},
		"lytics_mapping":  {"stream": "s", "field": "email", "guard_expression": "exists(email)"},
	} {
		s, diags := c.read(resource, states[resource])
		if failed(diags) {
			t.Fatalf("%s: %q", resource, messages(diags))
		}
		if d := cmp.Diff(want, c.identityValues(resource, s.identity)); d != "" {
			t.Errorf("%s: want and got:\n%s", resource, d)
		}
	}
	s, diags := c.read("lytics_mapping", states["lytics_mapping"])
	if failed(diags) {
		t.Fatal(messages(diags))
	}
	typ := c.typ("lytics_mapping")
	given := map[string]any{"stream": "s", "field": "email", "expression": "email"}
	changed, diags := c.apply(t.Context(), "lytics_mapping", s, build(typ, given))
	if failed(diags) {
		t.Fatal(messages(diags))
	}
	want := map[string]string{"stream": "s", "field": "email", "guard_expression": ""}
	if d := cmp.Diff(want, c.identityValues("lytics_mapping", changed.identity)); d != "" {
		t.Errorf("after an update: want and got:\n%s", d)
	}
}

// A state of an earlier release, or of an older Terraform, has no identity. A refresh
// gives it one, also if the store cannot be read or is not known yet; an object that is
// gone is removed.
func TestStateWithoutIdentity(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	c, states := sixObjects(t, env)
	for resource, s := range states {
		s.identity = nil
		read, diags := c.read(resource, s)
		if failed(diags) || len(c.identityValues(resource, read.identity)) == 0 {
			t.Errorf("%s: got %q and no identity", resource, messages(diags))
		}
	}
	unknown, _ := configure(t, env, map[string]any{"data_dir": tftypes.UnknownValue})
	for resource, s := range states {
		if _, diags := unknown.read(resource, s); failed(diags) {
			t.Errorf("%s, while the store is not known: %q", resource, messages(diags))
		}
	}
	env.Change(func() {
		clear(env.Only().Fields)
		clear(env.Only().Jobs)
	})
	for _, resource := range []string{"lytics_field", tableImportType} {
		if gone, diags := c.read(resource, states[resource]); failed(diags) || !gone.value.IsNull() {
			t.Errorf("%s that is gone: got %q, %v", resource, messages(diags), gone.value)
		}
	}
	env.Change(func() { env.Only().ID = "another" })
	_, diags := c.read("lytics_audience", states["lytics_audience"])
	if _, again := c.read("lytics_mapping", states["lytics_mapping"]); !failed(diags) || len(again) > 0 {
		t.Errorf("another store: got %q and %q, want one error", messages(diags), messages(again))
	}
}
