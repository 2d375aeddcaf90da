package provider_test

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/provider/providertest"
)

func TestDataSourcesOfThePlatformNameTheFaultyAttribute(t *testing.T) {
	t.Parallel()
	env := documentedEnvironment(t)
	env.Change(func() { env.Only().Fields["email"] = jobs.Field{ID: "email", Type: "string", IsIdentifier: true} })
	newClient(t, env).create("lytics_field", map[string]any{"id": "tags", "type": "[]string"})
	for name, c := range map[string]struct {
		source          string
		given           map[string]any
		attribute, want string
	}{
		"no such slug":      {"lytics_audience", map[string]any{"slug": "aud-vip"}, "slug", `no audience with the slug aud-vip`},
		"no such id":        {"lytics_audience", map[string]any{"id": "nobody"}, "id", `No audience nobody`},
		"neither":           {"lytics_audience", nil, "", `(?i)one \(and only one\)|exactly one`},
		"both":              {"lytics_audience", map[string]any{"id": "x", "slug": "y"}, "", `(?i)one \(and only one\)|exactly one`},
		"not an identifier": {"lytics_profile", map[string]any{"field": "tags", "value": "x"}, "field", `tags is not an identifier`},
		"no such profile":   {"lytics_profile", map[string]any{"field": "email", "value": "x"}, "value", `No profile has this email`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkError(t, newClient(t, env).readDataSource(c.source, c.given), c.attribute, c.want)
		})
	}
}

func TestDataSourceBeforeThereIsAStore(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	checkError(t, newClient(t, env).readDataSource("lytics_jobs", nil), "", `There is no store.*depends_on`)
	if env.Created != 0 {
		t.Errorf("a data source created %d stores, want none", env.Created)
	}
}

func TestFunctions(t *testing.T) {
	t.Parallel()
	c := newClient(t, providertest.New())
	for name, call := range map[string]struct {
		arguments []string
		want      string
	}{
		"default_stream": {[]string{"main", "sales", "customers"}, "databricks_main_sales_customers"},
		"export_table":   {[]string{"vip"}, "lytics_user_vip"},
	} {
		req := &tfprotov6.CallFunctionRequest{Name: name}
		for _, a := range call.arguments {
			req.Arguments = append(req.Arguments, dynamic(t, tftypes.String, tftypes.NewValue(tftypes.String, a)))
		}
		resp, err := c.server.CallFunction(t.Context(), req)
		if err != nil || resp.Error != nil {
			t.Fatalf("%s: %v, %v", name, err, resp.Error)
		}
		v, err := resp.Result.Unmarshal(tftypes.String)
		if want := tftypes.NewValue(tftypes.String, call.want); err != nil || !v.Equal(want) {
			t.Errorf("%s: got %s (%v), want %s", name, v, err, want)
		}
	}
}
