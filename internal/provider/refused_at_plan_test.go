package provider_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/provider/providertest"
)

// refusedCase is a configuration that the provider refuses before it is applied.
type refusedCase struct {
	change map[string]any
	// attribute is the top-level attribute that Terraform shows, empty for any.
	attribute string
	want      string
}

// checkRefused validates and plans a configuration, and checks its errors.
func checkRefused(t *testing.T, resource string, base map[string]any, c refusedCase) {
	t.Helper()
	env := providertest.New()
	diags := newClient(t, env).validateAndPlan(resource, with(base, c.change))
	checkError(t, diags, c.attribute, c.want)
	if env.Created != 0 {
		t.Errorf("a refused plan created %d stores, want none", env.Created)
	}
}

// checkError checks that one of the diagnostics is an error that matches want
// and, unless attribute is empty, points to that attribute.
func checkError(t *testing.T, diags []*tfprotov6.Diagnostic, attribute, want string) {
	t.Helper()
	pattern := regexp.MustCompile(`(?s)` + want)
	for _, d := range diags {
		at := strings.NewReplacer("AttributeName(", "", "ElementKeyInt(", "", "ElementKeyString(", "", ")", "", `"`,
			"").Replace(d.Attribute.String())
		if d.Severity == tfprotov6.DiagnosticSeverityError && pattern.MatchString(d.Summary+"\n"+d.Detail) && (attribute == "" || at == attribute) {
			return
		}
	}
	for _, d := range diags {
		t.Logf("got a diagnostic at %v", d.Attribute)
	}
	t.Errorf("got %q, want an error at %q that matches %q", messages(diags), attribute, want)
}

func TestImportIsRefusedAtPlan(t *testing.T) {
	t.Parallel()
	base := with(importGiven, map[string]any{"authorization_id": "auth-1"})
	schedule := func(more map[string]any) map[string]any { return map[string]any{"schedule": daily(more)} }
	for name, c := range map[string]refusedCase{
		"since_timestamp without a time": {map[string]any{"since_timestamp": "2026-01-31"}, "since_timestamp",
			`since_timestamp cannot be used.*yyyy-mm-dd HH:MM:SS`},
		"since_timestamp with one digit": {map[string]any{"since_timestamp": "2026-01-31 1:00:00"}, "since_timestamp",
			`since_timestamp cannot be used`},
		"control character": {map[string]any{"stream": "a\u0007b"}, "stream", `stream cannot be used.*U\+0007`},
		"empty column":      {map[string]any{"record_timestamp_column": " "}, "record_timestamp_column", `empty`},
		"two lists of columns": {map[string]any{"columns": []string{"a"}, "exclude_columns": []string{"b"}}, "columns",
			`exclude_columns.*columns`},
		"key column twice":            {map[string]any{"key_columns": []string{"a", "a"}}, "key_columns", `(?i)duplicate`},
		"unbalanced where":            {map[string]any{"where": "true) OR (true"}, "where", `where cannot be used.*has no opening one`},
		"lookback in words":           {map[string]any{"lookback": "a day"}, "lookback", `lookback cannot be used.*24h`},
		"expected_every in days":      {map[string]any{"expected_every": "2d"}, "expected_every", `expected_every cannot be used.*26h`},
		"expected_every of a moment":  {map[string]any{"expected_every": "30s"}, "expected_every", `expected_every cannot be used.*too short`},
		"expected_every of a century": {map[string]any{"expected_every": "900000h"}, "expected_every", `expected_every cannot be used.*too long`},
		"expected_every of parts":     {map[string]any{"expected_every": "61.5s"}, "expected_every", `expected_every cannot be used.*whole seconds`},
		"negative lookback":           {map[string]any{"lookback": "-1h"}, "lookback", `lookback cannot be used.*negative`},
		"changes":                     {map[string]any{"changes": "cdf"}, "changes", `changes`},
		"deletes":                     {map[string]any{"deletes": "events"}, "deletes", `need key_columns`},
		"null_timestamps":             {map[string]any{"null_timestamps": "ignore"}, "null_timestamps", `null_timestamps`},
		"future_timestamps":           {map[string]any{"future_timestamps": "ignore"}, "future_timestamps", `future_timestamps`},
		"batch_size":                  {map[string]any{"batch_size": 0}, "batch_size", `batch_size`},
		"row_limit":                   {map[string]any{"row_limit": 0}, "row_limit", `row_limit`},
		"max_rejected":                {map[string]any{"max_rejected": -1}, "max_rejected", `max_rejected`},
		"scratch_schema":              {map[string]any{"scratch_schema": "scratch"}, "scratch_schema", `scratch_schema cannot be used`},
		"long query timeout":          {map[string]any{"query_timeout_minutes": 3000}, "query_timeout_minutes", `query_timeout_minutes`},
		"unknown frequency":           {schedule(map[string]any{"frequency": "yearly"}), "schedule.frequency", `frequency`},
		"no time of day": {schedule(map[string]any{"time_of_day": "25:00"}), "schedule",
			`25:00.*attribute at fault is schedule.time_of_day`},
		"day of another kind": {schedule(map[string]any{"day_of_week": "monday"}), "schedule", `day_of_week`},
		"unknown time zone":   {schedule(map[string]any{"timezone": "Mars/Olympus"}), "schedule", `Mars/Olympus`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkRefused(t, "lytics_databricks_table_import", base, c)
		})
	}
}

func TestAuthorizationIsRefusedAtPlan(t *testing.T) {
	t.Parallel()
	base := map[string]any{"label": "warehouse", "host": "dbc-1.cloud.databricks.com", "http_path": "/sql/1.0/warehouses/w"}
	token := func(more map[string]any) map[string]any {
		return with(map[string]any{"token_wo": "t", "token_wo_version": 1}, more)
	}
	for name, c := range map[string]refusedCase{
		"no token":               {nil, "", "has no credential"},
		"two tokens":             {token(map[string]any{"token_env": "T"}), "", "Two credentials"},
		"token and client":       {token(map[string]any{"client_id": "sp"}), "", "Two credentials"},
		"client without version": {map[string]any{"client_id": "sp", "client_secret_wo": "s"}, "", "needs.*client_secret_wo_version"},
		"secret without client":  {map[string]any{"client_secret_wo": "s", "client_secret_wo_version": 1}, "", "needs client_id"},
		"another api":            {token(map[string]any{"catalog_api": "soap"}), "catalog_api", "catalog_api"},
		"no version":             {map[string]any{"token_wo": "t"}, "", "token_wo needs token_wo_version"},
		"empty":                  {token(map[string]any{"token_wo": ""}), "token_wo", `empty`},
		"token as env":           {map[string]any{"token_env": "dapi0123"}, "token_env", "looks like a token"},
		"bad env":                {map[string]any{"token_env": "A-B"}, "token_env", "not the name of an environment variable"},
		"port in host":           {token(map[string]any{"host": "dbc-1.cloud.databricks.com:443"}), "host", "put it into port"},
		"path in host":           {token(map[string]any{"host": "https://dbc-1.cloud.databricks.com/sql"}), "host", "put it into http_path"},
		"user in host":           {token(map[string]any{"host": "https://u:p@dbc-1.cloud.databricks.com"}), "host", "user name or password"},
		"scheme":                 {token(map[string]any{"host": "ftp://dbc-1.cloud.databricks.com"}), "host", "scheme"},
		"space":                  {token(map[string]any{"host": "my host"}), "host", "is not a host name"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkRefused(t, "lytics_databricks_authorization", base, c)
		})
	}
}

func TestExportIsRefused(t *testing.T) {
	t.Parallel()
	base := with(jobBase, map[string]any{"audience_id": "x"})
	for name, c := range map[string]refusedCase{
		"no fields":   {map[string]any{"fields": []string{}}, "fields", "fields"},
		"twice":       {map[string]any{"fields": []string{"a", "a"}}, "", "(?i)duplicate|unique"},
		"null field":  {map[string]any{"fields": []any{nil}}, "", "(?i)null"},
		"empty field": {map[string]any{"fields": []string{""}}, "", "empty"},
		"grows":       {map[string]any{"max_shrink_percent": -1}, "max_shrink_percent", "between 0 and 100"},
		"above all":   {map[string]any{"max_shrink_percent": 101}, "max_shrink_percent", "between 0 and 100"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkRefused(t, "lytics_databricks_audience_export", base, c)
		})
	}
	t.Run("unknown audience", func(t *testing.T) {
		t.Parallel()
		c := newClient(t, documentedEnvironment(t))
		const resource = "lytics_databricks_audience_export"
		_, diags := c.apply(t.Context(), resource, nil, build(c.typ(resource), with(base, map[string]any{"audience_id": "nobody"})))
		checkError(t, diags, "audience_id", "There is no audience nobody")
	})
}

func TestPlatformObjectsAreRefusedAtPlan(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		resource        string
		given           map[string]any
		attribute, want string
	}{
		"merge operation": {"lytics_field", map[string]any{"id": "f", "type": "string", "merge_operation": "sum"}, "merge_operation",
			`Change merge_operation`},
		"capacity":   {"lytics_field", map[string]any{"id": "f", "type": "[]string", "capacity": 0}, "capacity", `capacity`},
		"expression": {"lytics_mapping", map[string]any{"stream": "s", "field": "f", "expression": "f("}, "expression", `no function f`},
		"filter":     {"lytics_audience", map[string]any{"name": "A", "filter": "SELECT"}, "filter", `filter cannot be read`},
		"slug":       {"lytics_audience", map[string]any{"name": "!!!", "filter": "FILTER *"}, "slug", `!!!.*Set slug`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkRefused(t, c.resource, c.given, refusedCase{nil, c.attribute, c.want})
		})
	}
}

// A mapping is checked against its field at plan, whether the field is only
// planned, or in the store and in no configuration of this process.
func TestAMappingThatDoesNotFitItsFieldIsRefusedAtPlan(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	mapping := map[string]any{"stream": "s", "field": "visits", "expression": "tolower(visits)"}
	field := func(typ string) map[string]any { return map[string]any{"id": "visits", "type": typ} }
	const want = `does not fit field "visits".*toint`

	c := newClient(t, env)
	if diags := c.validateAndPlan("lytics_field", field("int")); failed(diags) {
		t.Fatalf("the field gives %q", messages(diags))
	}
	checkError(t, c.validateAndPlan("lytics_mapping", mapping), "expression", want)

	c = newClient(t, env)
	stored := c.create("lytics_field", field("string"))
	c.create("lytics_mapping", mapping)

	// The field changes, and its mapping does not fit any more.
	c = newClient(t, env)
	if plan := c.plan("lytics_field", stored, build(c.typ("lytics_field"), field("int"))); failed(plan.Diagnostics) {
		t.Fatalf("the field gives %q", messages(plan.Diagnostics))
	}
	checkError(t, c.validateAndPlan("lytics_mapping", mapping), "expression", want)

	env.Change(func() {
		f := env.Only().Fields["visits"]
		f.Type = "int"
		env.Only().Fields["visits"] = f
	})
	checkError(t, newClient(t, env).validateAndPlan("lytics_mapping", mapping), "expression", want)
}

func TestPlatformObjectsOfOthersAreNotTaken(t *testing.T) {
	t.Parallel()
	env := documentedEnvironment(t)
	c := newClient(t, env)
	env.Change(func() {
		f := env.Only().Fields["email"]
		f.Type = "int"
		env.Only().Fields["email"] = f
	})
	given := build(c.typ("lytics_field"), map[string]any{"id": "email", "type": "string"})
	_, diags := c.apply(t.Context(), "lytics_field", nil, given)
	checkError(t, diags, "id", "exists already(.|\n)*import \\{\n    to = lytics_field.NAME\n    id = \"email\"")
	env.Change(func() { clear(env.Only().Fields) })
	if _, diags := c.apply(t.Context(), "lytics_field", nil, given); failed(diags) {
		t.Errorf("after the other field is gone: %q", messages(diags))
	}
}
