package page

import (
	"net/http"
	"strings"
)

// exampleConfig imports a table every hour.
const exampleConfig = `terraform {
  required_providers {
    lytics = {
      source = "terraform-provider-lytics/lytics"
    }
  }
}

provider "lytics" {
  runner = {
    url = "RUNNER_URL" # its token: the variable LYTICS_RUNNER_TOKEN
  }
}

variable "databricks_token" {
  type      = string
  ephemeral = true
  sensitive = true
}

resource "lytics_databricks_authorization" "warehouse" {
  label            = "Warehouse"
  host             = "dbc-a1b2c3d4-e5f6.cloud.databricks.com"
  http_path        = "/sql/1.0/warehouses/0123456789abcdef"
  token_wo         = var.databricks_token
  token_wo_version = 1
}

resource "lytics_databricks_table_import" "orders" {
  label            = "orders"
  authorization_id = lytics_databricks_authorization.warehouse.id
  catalog          = "main"
  database         = "sales"
  table            = "orders"
  timestamp_column = "updated_at"

  schedule = {
    frequency = "hourly"
  }
}
`

// ExampleConfig is the configuration that the page of a store without jobs shows, for
// the runner at a URL.
func ExampleConfig(url string) string { return strings.ReplaceAll(exampleConfig, "RUNNER_URL", url) }

// runnerURL is the URL of the runner that a request was sent to.
func runnerURL(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}
