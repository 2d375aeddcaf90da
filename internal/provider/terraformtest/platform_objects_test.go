package terraformtest

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/provider/providertest"
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
	env := providertest.New()
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
				env.Change(func() {
					f := env.Only().Fields["email"]
					f.IsPII = true
					env.Only().Fields["email"] = f
					clear(env.Only().Mappings)
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
	runTerraform(t, env, steps...)
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
	runTerraform(t, providertest.New(), steps...)
}
