package provider_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

func imports(address string) []resource.TestStep {
	return []resource.TestStep{
		{ResourceName: address, ImportState: true, ImportStateKind: resource.ImportBlockWithID},
		{ResourceName: address, ImportState: true, ImportStateVerify: true},
	}
}

// checklist 47
func TestFieldAndMapping(t *testing.T) {
	t.Parallel()
	const field, mapping = "lytics_field.f", "lytics_mapping.m"
	config := func(f, m string) string {
		return `
resource "lytics_field" "f" {
  ` + f + `
}
resource "lytics_mapping" "m" {
  stream = "s"
  field  = lytics_field.f.id
  ` + m + `
}
`
	}
	w := newWorld()
	steps := []resource.TestStep{{
		Config: config(`
			id = "email"
			type = "string"
			is_identifier = true`, `expression = "tolower(email)"`),
		ConfigPlanChecks: plans(
			plancheck.ExpectKnownValue(field, at("merge_operation"), knownvalue.StringExact("latest")),
			plancheck.ExpectKnownValue(field, at("id"), knownvalue.StringExact("email"))),
		ConfigStateChecks: []statecheck.StateCheck{
			holds(field, at("is_pii"), knownvalue.Bool(false)),
			holds(field, at("capacity"), knownvalue.Null()),
			holds(mapping, at("guard_expression"), knownvalue.StringExact("")),
		},
	}}
	steps = append(steps, imports(field)...)
	steps = append(steps, imports(mapping)...)
	steps = append(steps,
		// The merge operation follows the type.
		resource.TestStep{
			Config: config(`
				id = "email"
				type = "[]string"
				description = "how to reach them"
				capacity = 5`, `
				expression = "email"
				guard_expression = "email != ''"`),
			ConfigPlanChecks: plans(action(field, plancheck.ResourceActionUpdate), action(mapping, plancheck.ResourceActionUpdate),
				plancheck.ExpectKnownValue(field, at("merge_operation"), knownvalue.StringExact("merge"))),
		},
		// Drift, and removal outside.
		resource.TestStep{
			PreConfig: func() {
				w.change(func(w *world) {
					f := w.only().fields["email"]
					f.IsPII = true
					w.only().fields["email"] = f
					clear(w.only().mappings)
				})
			},
			Config: config(`
				id = "email"
				type = "string"`, `expression = "email"`),
			ConfigPlanChecks: plans(action(field, plancheck.ResourceActionUpdate), action(mapping, plancheck.ResourceActionCreate)),
		},
		resource.TestStep{
			Config: config(`
				id = "mail"
				type = "string"`, `expression = "email"`),
			ConfigPlanChecks: plans(action(field, plancheck.ResourceActionReplace), action(mapping, plancheck.ResourceActionReplace)),
		})
	runTerraform(t, w, steps...)
}

// checklist 47
func TestAudience(t *testing.T) {
	t.Parallel()
	const address = "lytics_audience.vip"
	config := func(name, more string) string {
		return `
resource "lytics_audience" "vip" {
  name   = "` + name + `"
  filter = "FILTER EXISTS email"
  ` + more + `
}
`
	}
	slug := func(a plancheck.ResourceActionType, s string) resource.ConfigPlanChecks {
		return plans(action(address, a), plancheck.ExpectKnownValue(address, at("slug"), knownvalue.StringExact(s)))
	}
	steps := []resource.TestStep{{Config: config("VIP", ""), ConfigPlanChecks: slug(plancheck.ResourceActionCreate, "vip")}}
	steps = append(steps, imports(address)...)
	steps = append(steps,
		resource.TestStep{ResourceName: address, ImportState: true, ImportStateId: "vip", ImportStateKind: resource.ImportBlockWithID},
		// A new name keeps the slug, which tables are named after.
		resource.TestStep{Config: config("Best", ""), ConfigPlanChecks: slug(plancheck.ResourceActionUpdate, "vip")},
		resource.TestStep{Config: config("Best", `slug = "best"`), ConfigPlanChecks: slug(plancheck.ResourceActionReplace, "best")},
	)
	runTerraform(t, newWorld(), steps...)
}

func TestPlatformObjectsAreRefusedAtPlan(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ config, want string }{
		"merge": {`resource "lytics_field" "f" {
			id = "f"
			type = "string"
			merge_operation = "sum"
		}`, `(?s)merge_operation = "sum".*Change merge_operation`},
		"expression": {`resource "lytics_mapping" "m" {
			stream = "s"
			field = "f"
			expression = "f("
		}`, `(?s)expression = "f\(".*no function f`},
		"filter": {`resource "lytics_audience" "a" {
			name = "A"
			filter = "SELECT"
		}`, `(?s)filter cannot be read.*filter = "SELECT"`},
		"slug": {`resource "lytics_audience" "a" {
			name = "!!!"
			filter = "FILTER *"
		}`, `(?s)!!!.*Set slug`},
		"capacity": {`resource "lytics_field" "f" {
			id = "f"
			type = "[]string"
			capacity = 0
		}`, `capacity`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			runTerraform(t, newWorld(), resource.TestStep{Config: c.config, PlanOnly: true, ExpectError: regexp.MustCompile(c.want)})
		})
	}
}

func TestPlatformObjectsOfOthersAreNotTaken(t *testing.T) {
	t.Parallel()
	w := newWorld()
	const field = `
resource "lytics_field" "f" {
  id   = "email"
  type = "string"
}
`
	runTerraform(t, w,
		resource.TestStep{Config: audienceConfig},
		resource.TestStep{
			PreConfig:   func() { w.change(func(w *world) { w.only().fields["email"] = jobs.Field{ID: "email", Type: "int"} }) },
			Config:      audienceConfig + field,
			ExpectError: regexp.MustCompile("(?s)exists with another definition.*Import it"),
		},
		resource.TestStep{
			PreConfig: func() { w.change(func(w *world) { clear(w.only().fields) }) },
			Config:    audienceConfig + field,
		},
	)
}

// A mapping is held against its field at plan time, whether the field is only
// planned, or in the store and another configuration's.
func TestAMappingThatDoesNotFitItsFieldIsRefusedAtPlan(t *testing.T) {
	t.Parallel()
	field := func(typ string) string {
		return `
resource "lytics_field" "f" {
  id   = "visits"
  type = "` + typ + `"
}
`
	}
	const mapping = `
resource "lytics_mapping" "m" {
  stream     = "s"
  field      = "visits"
  expression = "tolower(visits)"
  depends_on = [lytics_field.f]
}
`
	wrong := regexp.MustCompile(`(?s)does not fit field "visits".*expression = "tolower\(visits\)".*toint`)
	alone := strings.Replace(mapping, "depends_on = [lytics_field.f]", "", 1)
	w := newWorld()
	runTerraform(t, w,
		resource.TestStep{Config: field("int") + mapping, PlanOnly: true, ExpectError: wrong},
		resource.TestStep{Config: field("string") + mapping},
		// The field changes, and its mapping does not fit any more.
		resource.TestStep{Config: field("int") + mapping, PlanOnly: true, ExpectError: wrong},
		resource.TestStep{
			PreConfig: func() {
				w.change(func(w *world) {
					f := w.only().fields["visits"]
					f.Type = "int"
					w.only().fields["visits"] = f
				})
			},
			Config: alone, PlanOnly: true, ExpectError: wrong,
		},
		resource.TestStep{Config: field("string")},
	)
}

// checklist 64
func TestALyticsAccountCountsUpdatedRowsAgain(t *testing.T) {
	t.Parallel()
	w := newWorld()
	r := newRPCWith(t, w, map[string]any{"platform": map[string]any{"lytics": map[string]any{"token": "t"}}})
	base := with(jobBase, map[string]any{"table": "orders", "timestamp_column": "updated_at", "stream": "s"})
	warnings := func(resource string, values map[string]any) (found []string) {
		t.Helper()
		for _, m := range messages(r.plan(resource, nil, build(r.typ(resource), values)).Diagnostics) {
			if strings.Contains(m, "more than once") {
				found = append(found, m)
			}
		}
		return found
	}
	warnings("lytics_field", map[string]any{"id": "spent", "type": "number", "merge_operation": "sum"})
	warnings("lytics_field", map[string]any{"id": "name", "type": "string"})
	sum := map[string]any{"stream": "s", "field": "spent", "expression": "total"}
	if got := warnings("lytics_mapping", sum); len(got) != 0 {
		t.Errorf("before the import is known: %v", got)
	}
	warnings("lytics_mapping", map[string]any{"stream": "s", "field": "name", "expression": "name"})
	if got := warnings("lytics_databricks_table_import", base); len(got) != 1 || !strings.Contains(got[0], "latestmap") || !strings.Contains(got[0], "map(KEY, total)") {
		t.Errorf("the import's plan says %v", got)
	}
	if got := warnings("lytics_mapping", sum); len(got) != 1 {
		t.Errorf("the mapping's plan says %v", got)
	}
	if got := warnings("lytics_databricks_table_import", with(base, map[string]any{"timestamp_column": "created_at"})); len(got) != 0 {
		t.Errorf("rows that are only added: %v", got)
	}
}
