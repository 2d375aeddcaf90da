package terraformtest

import (
	"regexp"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/provider/providertest"
)

func object(m map[string]knownvalue.Check) knownvalue.Check { return knownvalue.ObjectPartial(m) }

func exact(s string) knownvalue.Check { return knownvalue.StringExact(s) }

func TestCatalogDataSources(t *testing.T) {
	t.Parallel()
	const at1 = "authorization_id = lytics_databricks_authorization.a.id\n"
	runTerraform(t, providertest.New(),
		resource.TestStep{
			Config: authorizationConfig + `
data "lytics_databricks_catalogs" "all" {
  ` + at1 + `
}
data "lytics_databricks_databases" "all" {
  ` + at1 + `
  catalog = "main"
}
data "lytics_databricks_tables" "some" {
  ` + at1 + `
  catalog  = "main"
  database = "sales"
  pattern  = "cust*|none"
}
data "lytics_databricks_columns" "all" {
  ` + at1 + `
  catalog  = "main"
  database = "sales"
  table    = "customers"
}
`,
			ConfigStateChecks: []statecheck.StateCheck{
				holds("data.lytics_databricks_catalogs.all", at("catalogs"), knownvalue.ListExact([]knownvalue.Check{
					object(map[string]knownvalue.Check{"name": exact("hive_metastore"), "comment": knownvalue.Null()}),
					object(map[string]knownvalue.Check{"name": exact("main"), "comment": exact("ours")}),
				})),
				holds("data.lytics_databricks_databases.all", at("databases"), knownvalue.ListSizeExact(1)),
				holds("data.lytics_databricks_tables.some", at("tables"), knownvalue.ListExact([]knownvalue.Check{
					object(map[string]knownvalue.Check{"name": exact("customers"), "type": exact("MANAGED"), "comment": exact("who buys")}),
				})),
				holds("data.lytics_databricks_columns.all", at("columns"), knownvalue.ListExact([]knownvalue.Check{
					object(map[string]knownvalue.Check{"name": exact("id"), "type": exact("bigint"), "nullable": knownvalue.Bool(false),
						"position": knownvalue.Int64Exact(1)}),
					object(map[string]knownvalue.Check{"name": exact("updated_at"), "nullable": knownvalue.Bool(true), "comment": exact("when")}),
				})),
			},
		},
		resource.TestStep{
			Config: authorizationConfig + `
data "lytics_databricks_databases" "none" {
  ` + at1 + `
  catalog = "mian"
}
`,
			ExpectError: regexp.MustCompile(`(?s)There is no catalog mian.*catalog = "mian".*Use main`),
		},
	)
}

// checklist 47
func TestJobsDataSourceShowsNextAndLastRuns(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	config := importConfig("") + `
resource "lytics_databricks_table_import" "daily" {
  label            = "orders"
  authorization_id = lytics_databricks_authorization.a.id
  catalog          = "main"
  database         = "sales"
  table            = "orders"
  timestamp_column = "updated_at"
  schedule         = { frequency = "daily", timezone = "Europe/Berlin" }
}
data "lytics_jobs" "all" {
  depends_on = [lytics_databricks_table_import.t, lytics_databricks_table_import.daily]
}
data "lytics_job_runs" "t" {
  job_id = lytics_databricks_table_import.t.id
  limit  = 1
}
`
	next := time.Date(2026, 3, 29, 1, 0, 0, 0, time.UTC)
	runTerraform(t, env,
		resource.TestStep{Config: config},
		resource.TestStep{
			PreConfig: func() {
				env.Change(func() {
					for id, j := range env.Only().Jobs {
						if j.Schedule != nil {
							j.NextRunAt, j.Paused = &next, true
							env.Only().Jobs[id] = j
						}
					}
				})
			},
			Config:           config,
			ConfigPlanChecks: plans(plancheck.ExpectEmptyPlan()),
			ConfigStateChecks: []statecheck.StateCheck{
				holds("data.lytics_jobs.all", at("jobs"), knownvalue.ListExact([]knownvalue.Check{
					object(map[string]knownvalue.Check{"label": exact("customers"), "kind": exact("table_import"), "stream": exact(customers),
						"next_run_at": knownvalue.Null(), "frequency": knownvalue.Null(), "paused": knownvalue.Bool(false),
						"last_run": object(map[string]knownvalue.Check{"status": exact("succeeded"), "reason": exact("apply"),
							"rows_written": knownvalue.Int64Exact(100)})}),
					object(map[string]knownvalue.Check{"label": exact("orders"), "next_run_at": exact("2026-03-29T01:00:00Z"),
						"paused":    knownvalue.Bool(true),
						"frequency": exact("daily"), "timezone": exact("Europe/Berlin"), "last_run": knownvalue.Null()}),
				})),
				holds("data.lytics_job_runs.t", at("runs"), knownvalue.ListExact([]knownvalue.Check{
					object(map[string]knownvalue.Check{"rows_read": knownvalue.Int64Exact(100), "snapshot": exact("version 3"),
						"unidentified": knownvalue.Int64Exact(2), "unfit": knownvalue.Int64Exact(3), "conflicts": knownvalue.Int64Exact(1),
						"conflict_example":    exact("email"),
						"possibly_duplicated": knownvalue.Int64Exact(0), "finished_at": exact("2023-11-14T22:14:20Z")}),
				})),
			},
		},
	)
}

const contentsConfig = `
resource "lytics_field" "email" {
  id            = "email"
  type          = "string"
  is_identifier = true
  is_pii        = true
}
resource "lytics_field" "tags" {
  id       = "tags"
  type     = "[]string"
  capacity = 5
}
`

func TestDataSourcesOfThePlatform(t *testing.T) {
	t.Parallel()
	runTerraform(t, providertest.New(), resource.TestStep{
		Config: importConfig("") + audienceConfig + contentsConfig + `
locals { all = [lytics_databricks_table_import.t, lytics_audience.vip, lytics_field.email, lytics_field.tags] }
data "lytics_fields" "all" { depends_on = [lytics_field.email, lytics_field.tags] }
data "lytics_streams" "all" { depends_on = [lytics_databricks_table_import.t] }
data "lytics_audiences" "all" { depends_on = [lytics_audience.vip] }
data "lytics_audience" "by_slug" { slug = lytics_audience.vip.slug }
data "lytics_audience" "by_id" { id = lytics_audience.vip.id }
data "lytics_profile" "ann" {
  field = lytics_field.email.id
  value = "ann@example.com"
}
`,
		ConfigStateChecks: []statecheck.StateCheck{
			holds("data.lytics_fields.all", at("fields"), knownvalue.ListExact([]knownvalue.Check{
				object(map[string]knownvalue.Check{"id": exact("email"), "type": exact("string"), "is_identifier": knownvalue.Bool(true),
					"is_pii":          knownvalue.Bool(true),
					"merge_operation": exact("latest"), "capacity": knownvalue.Null(), "keep_days": knownvalue.Null(), "description": knownvalue.Null()}),
				object(map[string]knownvalue.Check{"id": exact("tags"), "merge_operation": exact("merge"),
					"capacity": knownvalue.Int64Exact(5), "is_identifier": knownvalue.Bool(false)}),
			})),
			holds("data.lytics_streams.all", at("streams"), knownvalue.ListExact([]knownvalue.Check{
				object(map[string]knownvalue.Check{"name": exact(customers), "events": knownvalue.Int64Exact(100),
					"bytes":      knownvalue.Int64Exact(1 << 33),
					"first_time": exact("2023-11-14T22:13:20.000001Z"), "last_time": exact("2023-11-14T22:14:20Z")}),
			})),
			holds("data.lytics_audiences.all", at("audiences"), knownvalue.ListSizeExact(1)),
			holds("data.lytics_audience.by_slug", at("id"), exact("aud-vip_customers")),
			holds("data.lytics_audience.by_slug", at("size"), knownvalue.Int64Exact(7)),
			holds("data.lytics_audience.by_id", at("slug"), exact("vip_customers")),
			holds("data.lytics_audience.by_id", at("filter"), exact("FILTER EXISTS email")),
			holds("data.lytics_profile.ann", at("values"), knownvalue.MapExact(map[string]knownvalue.Check{
				"email": exact("ann@example.com"), "lifetime_value": exact("0.10")})),
		},
	})
}
