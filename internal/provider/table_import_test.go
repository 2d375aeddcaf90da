package provider_test

import (
	"maps"
	"regexp"
	"slices"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

const importAddress = "lytics_databricks_table_import.t"

// checklist 47
func TestImportRunsOnceAndAgainWhenTriggersChange(t *testing.T) {
	t.Parallel()
	w := newWorld()
	runTerraform(t, w,
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
			Check: expectEvents(w, customers, 100),
		},
		// The same again: nothing, although rows have arrived.
		resource.TestStep{
			PreConfig:        w.arrive(5),
			Config:           importConfig(`triggers = { day = "1" }`),
			ConfigPlanChecks: plans(plancheck.ExpectEmptyPlan()),
			Check:            expectEvents(w, customers, 100),
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
			Check: expectEvents(w, customers, 100),
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
			Check: expectEvents(w, customers, 105),
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
func TestTaintedImportGoesOnFromItsCursor(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.fail = &jobs.Error{Code: jobs.CodeUnreachable, Attribute: "timestamp_column", Summary: "The warehouse is gone", Next: "Start it."}
	runTerraform(t, w,
		resource.TestStep{
			Config:      importConfig(""),
			ExpectError: regexp.MustCompile(`(?s)The run of "customers" failed.*timestamp_column = "updated_at".*Start\s+it`),
		},
		resource.TestStep{
			PreConfig:        w.failing(nil),
			Config:           importConfig(""),
			ConfigPlanChecks: plans(action(importAddress, plancheck.ResourceActionReplace)),
			ConfigStateChecks: []statecheck.StateCheck{
				holds(importAddress, at("last_run", "rows_written"), knownvalue.Int64Exact(50)),
			},
			Check: expectEvents(w, customers, 100),
		},
	)
}

func TestFailedRerunComesBackUntilItSucceeds(t *testing.T) {
	t.Parallel()
	w := newWorld()
	second := importConfig(`
		triggers = { day = "2" }
		description = "new"`)
	runTerraform(t, w,
		resource.TestStep{Config: importConfig(`triggers = { day = "1" }`)},
		resource.TestStep{
			PreConfig: func() {
				w.arrive(10)()
				w.failing(&jobs.Error{Code: jobs.CodeUnauthorized, Attribute: "token_wo", Summary: "The token has expired"})()
			},
			Config: second,
			// The token is another resource's: the error points to the way there.
			ExpectError: regexp.MustCompile(`(?s)authorization_id = lytics_databricks_authorization.a.id.*The token has expired.*attribute at fault is token_wo`),
		},
		resource.TestStep{
			PreConfig: w.failing(nil),
			Config:    second,
			ConfigPlanChecks: plans(
				action(importAddress, plancheck.ResourceActionUpdate),
				plancheck.ExpectUnknownValue(importAddress, at("last_run")),
				// The rest of the definition was saved the first time.
				plancheck.ExpectKnownValue(importAddress, at("description"), knownvalue.StringExact("new")),
			),
			Check: expectEvents(w, customers, 110),
		},
	)
}

func TestFailureThatDoesNotFailTheApply(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.fail = &jobs.Error{Code: jobs.CodeFailed, Summary: "No rows today"}
	runTerraform(t, w,
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

func TestTimeLimitOfAnApply(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.hang = true
	runTerraform(t, w, resource.TestStep{
		Config:      importConfig(`timeouts = { create = "300ms" }`),
		ExpectError: regexp.MustCompile(`(?s)took longer than 300ms.*cursor is kept.*Raise\s+timeouts.create`),
	})
}

func TestKeyAttributesReplaceTheImport(t *testing.T) {
	t.Parallel()
	w := newWorld()
	replaces := func(stream string) resource.ConfigPlanChecks {
		return plans(action(importAddress, plancheck.ResourceActionReplace),
			plancheck.ExpectKnownValue(importAddress, at("stream"), knownvalue.StringExact(stream)))
	}
	runTerraform(t, w,
		resource.TestStep{Config: importConfig("")},
		resource.TestStep{Config: importConfig(`stream = "people"`), ConfigPlanChecks: replaces("people")},
		// The cursor of the first key is still there: nothing is sent again.
		resource.TestStep{Config: importConfig(""), ConfigPlanChecks: replaces(customers), Check: expectEvents(w, customers, 100)},
	)
}

// checklist 47
func TestScheduledImportIsLeftToTheRunner(t *testing.T) {
	t.Parallel()
	w := newWorld()
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
			w.change(func(w *world) {
				for id, j := range w.only().jobs {
					j.Paused = paused
					w.only().jobs[id] = j
				}
			})
		}
	}
	paused := at("schedule", "paused")
	runTerraform(t, w,
		resource.TestStep{
			Config: weekly(""),
			ConfigPlanChecks: plans(
				plancheck.ExpectKnownValue(importAddress, at("last_run"), knownvalue.Null()),
				plancheck.ExpectKnownValue(importAddress, at("schedule", "catch_up"), knownvalue.StringExact("one")),
			),
			Check: expectEvents(w, customers, 0),
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
		resource.TestStep{Config: importConfig(""), Check: expectEvents(w, customers, 0)},
		resource.TestStep{Config: importConfig(`triggers = { now = "1" }`), Check: expectEvents(w, customers, 100)},
	)
}

// checklist 47
func TestDriftAndRemovalOutside(t *testing.T) {
	t.Parallel()
	w := newWorld()
	runTerraform(t, w,
		resource.TestStep{Config: importConfig(`triggers = {}`)},
		resource.TestStep{
			PreConfig: func() {
				w.change(func(w *world) {
					for id, j := range w.only().jobs {
						j.Label = "renamed"
						w.only().jobs[id] = j
					}
				})
			},
			Config:            importConfig(`triggers = {}`),
			ConfigPlanChecks:  plans(action(importAddress, plancheck.ResourceActionUpdate)),
			ConfigStateChecks: []statecheck.StateCheck{holds(importAddress, at("label"), knownvalue.StringExact("customers"))},
		},
		resource.TestStep{
			PreConfig: func() { w.change(func(w *world) { clear(w.only().jobs) }) },
			Config:    importConfig(`triggers = {}`),
			ConfigPlanChecks: plans(
				action(importAddress, plancheck.ResourceActionCreate),
				action("lytics_databricks_authorization.a", plancheck.ResourceActionNoop)),
			Check: expectEvents(w, customers, 100),
		},
	)
}

func TestTwoResourcesOfOneKey(t *testing.T) {
	t.Parallel()
	w := newWorld()
	twin := `
resource "lytics_databricks_table_import" "twin" {
  label            = "twin"
  authorization_id = lytics_databricks_authorization.a.id
  catalog          = "main"
  database         = "sales"
  table            = "customers"
  timestamp_column = "updated_at"
}
`
	runTerraform(t, w,
		resource.TestStep{Config: importConfig("")},
		resource.TestStep{Config: importConfig("") + twin,
			ExpectError: regexp.MustCompile(`(?s)Another job moves the same table.*terraform\s+import`)},
	)
}

// An apply that was killed before it wrote state has registered a job that no
// state knows.
//
// checklist 44
func TestInterruptedCreateConvergesOnOneJob(t *testing.T) {
	t.Parallel()
	w := newWorld()
	runTerraform(t, w,
		resource.TestStep{Config: authorizationConfig},
		resource.TestStep{
			PreConfig: func() {
				w.change(func(w *world) {
					s := w.only()
					auth := slices.Collect(maps.Keys(s.authorizations))[0]
					s.jobs["job-lost"] = jobs.Job{ID: "job-lost", JobSpec: jobs.JobSpec{AuthorizationID: auth, Import: &jobs.TableImport{
						Catalog: "main", Database: "sales", Table: "customers", TimestampColumn: "updated_at", Stream: customers}}}
				})
			},
			Config: importConfig(""),
			ConfigStateChecks: []statecheck.StateCheck{
				holds(importAddress, at("id"), knownvalue.StringExact("job-lost")),
			},
			Check: expectEvents(w, customers, 100),
		},
	)
}
