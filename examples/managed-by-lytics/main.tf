# Lytics itself executes these jobs: what the forms of the Lytics account configure.
terraform {
  required_providers {
    lytics = {
      source = "terraform-provider-lytics/lytics"
    }
  }
}

provider "lytics" {
  platform = { lytics = {} } # the token: LYTICS_API_TOKEN
}

variable "databricks_token" {
  type      = string
  sensitive = true
}

resource "lytics_databricks_authorization" "warehouse" {
  label            = "Warehouse"
  host             = "dbc-a1b2c3d4-e5f6.cloud.databricks.com"
  http_path        = "/sql/1.0/warehouses/a1b2c3d4e5f6a7b8"
  token_wo         = var.databricks_token
  token_wo_version = 1
  managed_by       = "lytics"
}

resource "lytics_databricks_table_import" "customers" {
  label            = "Customers"
  authorization_id = lytics_databricks_authorization.warehouse.id
  catalog          = "main"
  database         = "sales"
  table            = "customers"
  timestamp_column = "updated_at"
  managed_by       = "lytics"

  schedule = {
    frequency   = "daily"
    time_of_day = "03:00"
    timezone    = "Europe/Berlin"
  }
}

resource "lytics_audience" "vip" {
  name   = "VIP customers"
  slug   = "vip_customers"
  filter = "FILTER AND (lifetime_value >= 90000)"
}

resource "lytics_databricks_audience_export" "vip" {
  label            = "VIP customers"
  authorization_id = lytics_databricks_authorization.warehouse.id
  audience_id      = lytics_audience.vip.id
  catalog          = "main"
  database         = "sales"
  managed_by       = "lytics"

  schedule = {
    frequency   = "weekly"
    day_of_week = "monday"
    time_of_day = "06:00"
  }
}
