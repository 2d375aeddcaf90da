package terraformtest

import (
	"regexp"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/provider/providertest"
)

const importAddress = "lytics_databricks_table_import.t"

// checklist 47
func TestImportRunsOnceAndAgainWhenTriggersChange(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	runTerraform(t, env,
		resource.TestStep{
			Config: importConfig(`triggers = { day = "1" }`),
			ConfigPlanChecks: plans(
				plancheck.ExpectKnownValue(importAddress, at("stream"), knownvalue.StringExact(customers)),
				plancheck.ExpectUnknownValue(importAddress, at("last_run")),
			),
			ConfigStateChecks: []statecheck.StateCheck{
				holds(importAddress, at("last_run", "status"), knownvalue.StringExact("succeeded")),
				holds(importAddress, at("last_run", "rows_written"), knownvalue.Int64Exact(100)),
				holds(importAddress, at("query_timeout_minutes"), knownvalue.Int64Exact(60)),
			},
			Check: expectEvents(env, customers, 100),
		},
		// The same again: nothing, although rows have arrived.
		resource.TestStep{
			PreConfig:        addRows(env, 5),
			Config:           importConfig(`triggers = { day = "1" }`),
			ConfigPlanChecks: plans(plancheck.ExpectEmptyPlan()),
			Check:            expectEvents(env, customers, 100),
		},
		// A changed definition runs nothing, and leaves what is known known.
		resource.TestStep{
			Config: importConfig(`
				triggers = { day = "1" }
				description = "who buys"`),
			ConfigPlanChecks: plans(
				action(importAddress, plancheck.ResourceActionUpdate),
				plancheck.ExpectKnownValue(importAddress, at("last_run", "rows_written"), knownvalue.Int64Exact(100)),
				plancheck.ExpectKnownValue(importAddress, at("stream"), knownvalue.StringExact(customers)),
				plancheck.ExpectKnownValue(importAddress, at("id"), knownvalue.NotNull()),
			),
			Check: expectEvents(env, customers, 100),
		},
		// Changed triggers run it, from the watermark.
		resource.TestStep{
			Config: importConfig(`
				triggers = { day = "2" }
				description = "who buys"`),
			ConfigPlanChecks: plans(
				action(importAddress, plancheck.ResourceActionUpdate),
				plancheck.ExpectUnknownValue(importAddress, at("last_run")),
			),
			ConfigStateChecks: []statecheck.StateCheck{
				holds(importAddress, at("last_run", "rows_written"), knownvalue.Int64Exact(5)),
			},
			Check: expectEvents(env, customers, 105),
		},
		resource.TestStep{
			ResourceName: importAddress, ImportState: true, ImportStateKind: resource.ImportBlockWithID,
		},
		resource.TestStep{
			ResourceName: importAddress, ImportState: true, ImportStateVerify: true,
		},
	)
}

// checklist 57
func TestTaintedImportContinuesFromItsCursor(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	env.RunError = &jobs.Error{Code: jobs.CodeUnreachable, Attribute: "timestamp_column", Summary: "The warehouse is gone", Next: "Start it."}
	runTerraform(t, env,
		resource.TestStep{
			Config:      importConfig(""),
			ExpectError: regexp.MustCompile(`(?s)The run of "customers" failed.*timestamp_column = "updated_at".*Start\s+it`),
		},
		resource.TestStep{
			PreConfig:        failRuns(env, nil),
			Config:           importConfig(""),
			ConfigPlanChecks: plans(action(importAddress, plancheck.ResourceActionReplace)),
			ConfigStateChecks: []statecheck.StateCheck{
				holds(importAddress, at("last_run", "rows_written"), knownvalue.Int64Exact(50)),
			},
			Check: expectEvents(env, customers, 100),
		},
	)
}

func TestFailedRerunIsPlannedAgainUntilItSucceeds(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	second := importConfig(`
		triggers = { day = "2" }
		description = "new"`)
	runTerraform(t, env,
		resource.TestStep{Config: importConfig(`triggers = { day = "1" }`)},
		resource.TestStep{
			PreConfig: func() {
				addRows(env, 10)()
				failRuns(env, &jobs.Error{Code: jobs.CodeUnauthorized, Attribute: "token_wo", Summary: "The token has expired"})()
			},
			Config: second,
			// The token is another resource's: the error points to the way there.
			ExpectError: regexp.MustCompile(`(?s)authorization_id = lytics_databricks_authorization.a.id.*The token has expired.*attribute at fault is token_wo`),
		},
		resource.TestStep{
			PreConfig: failRuns(env, nil),
			Config:    second,
			ConfigPlanChecks: plans(
				action(importAddress, plancheck.ResourceActionUpdate),
				plancheck.ExpectUnknownValue(importAddress, at("last_run")),
				// The rest of the definition was saved the first time.
				plancheck.ExpectKnownValue(importAddress, at("description"), knownvalue.StringExact("new")),
			),
			Check: expectEvents(env, customers, 110),
		},
	)
}

func TestFailureThatDoesNotFailTheApply(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	env.RunError = &jobs.Error{Code: jobs.CodeFailed, Summary: "No rows today"}
	runTerraform(t, env,
		resource.TestStep{
			Config: importConfig("fail_on_error = false"),
			ConfigStateChecks: []statecheck.StateCheck{
				holds(importAddress, at("last_run", "status"), knownvalue.StringExact("failed")),
				holds(importAddress, at("last_run", "error"), knownvalue.StringExact("No rows today")),
			},
		},
		resource.TestStep{
			Config:           importConfig("fail_on_error = false"),
			ConfigPlanChecks: plans(plancheck.ExpectEmptyPlan()),
		},
		resource.TestStep{
			ResourceName: importAddress, ImportState: true, ImportStateKind: resource.ImportBlockWithID,
		},
	)
}

func TestKeyAttributesReplaceTheImport(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	replaces := func(stream string) resource.ConfigPlanChecks {
		return plans(action(importAddress, plancheck.ResourceActionReplace),
			plancheck.ExpectKnownValue(importAddress, at("stream"), knownvalue.StringExact(stream)))
	}
	runTerraform(t, env,
		resource.TestStep{Config: importConfig("")},
		resource.TestStep{Config: importConfig(`stream = "people"`), ConfigPlanChecks: replaces("people")},
		// The cursor of the first key is still there: nothing is sent again.
		resource.TestStep{Config: importConfig(""), ConfigPlanChecks: replaces(customers), Check: expectEvents(env, customers, 100)},
	)
}

// checklist 47
func TestScheduledImportIsLeftToTheRunner(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	weekly := func(more string) string {
		return importConfig(`schedule = {
			frequency   = "weekly"
			time_of_day = "06:30"
			day_of_week = "friday"
			timezone    = "Europe/Berlin"
			` + more + `
		}`)
	}
	operator := func(paused bool) func() {
		return func() {
			env.Change(func() {
				for id, j := range env.Only().Jobs {
					j.Paused = paused
					env.Only().Jobs[id] = j
				}
			})
		}
	}
	paused := at("schedule", "paused")
	runTerraform(t, env,
		resource.TestStep{
			Config: weekly(""),
			ConfigPlanChecks: plans(
				plancheck.ExpectKnownValue(importAddress, at("last_run"), knownvalue.Null()),
				plancheck.ExpectKnownValue(importAddress, at("schedule", "catch_up"), knownvalue.StringExact("one")),
			),
			Check: expectEvents(env, customers, 0),
		},
		// Left out, paused is the operator's.
		resource.TestStep{PreConfig: operator(true), Config: weekly(""), ConfigPlanChecks: plans(plancheck.ExpectEmptyPlan())},
		resource.TestStep{
			ResourceName: importAddress, ImportState: true, ImportStateKind: resource.ImportBlockWithID,
		},
		// Said, it is the definition's, and the operator's change is drift.
		resource.TestStep{Config: weekly("paused = true")},
		resource.TestStep{
			PreConfig: operator(false), Config: weekly("paused = true"),
			ConfigPlanChecks:  plans(action(importAddress, plancheck.ResourceActionUpdate)),
			ConfigStateChecks: []statecheck.StateCheck{holds(importAddress, paused, knownvalue.Bool(true))},
		},
		// Without a schedule nothing runs either, until triggers change.
		resource.TestStep{Config: importConfig(""), Check: expectEvents(env, customers, 0)},
		resource.TestStep{Config: importConfig(`triggers = { now = "1" }`), Check: expectEvents(env, customers, 100)},
	)
}

// checklist 47
func TestDriftAndRemovalOutside(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	runTerraform(t, env,
		resource.TestStep{Config: importConfig(`triggers = {}`)},
		resource.TestStep{
			PreConfig: func() {
				env.Change(func() {
					for id, j := range env.Only().Jobs {
						j.Label = "renamed"
						env.Only().Jobs[id] = j
					}
				})
			},
			Config:            importConfig(`triggers = {}`),
			ConfigPlanChecks:  plans(action(importAddress, plancheck.ResourceActionUpdate)),
			ConfigStateChecks: []statecheck.StateCheck{holds(importAddress, at("label"), knownvalue.StringExact("customers"))},
		},
		resource.TestStep{
			PreConfig: func() { env.Change(func() { clear(env.Only().Jobs) }) },
			Config:    importConfig(`triggers = {}`),
			ConfigPlanChecks: plans(
				action(importAddress, plancheck.ResourceActionCreate),
				action("lytics_databricks_authorization.a", plancheck.ResourceActionNoop)),
			Check: expectEvents(env, customers, 100),
		},
	)
}
