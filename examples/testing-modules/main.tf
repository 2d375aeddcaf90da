# A module with every type of the provider. Its tests run without a warehouse, an account
# and a store: terraform test, Terraform 1.7 or newer.
terraform {
  required_version = ">= 1.8"
  required_providers {
    lytics = {
      source = "terraform-provider-lytics/lytics"
    }
  }
}

variable "tables" {
  description = "Tables of main.sales to import, with their timestamp columns"
  type        = map(string)
  default     = { customers = "updated_at" }

  validation {
    condition     = alltrue([for column in values(var.tables) : column != ""])
    error_message = "Each table needs a timestamp column."
  }
}

variable "token" {
  type      = string
  ephemeral = true
  default   = null
}

resource "lytics_databricks_authorization" "warehouse" {
  label            = "Warehouse"
  host             = "dbc-a1b2c3d4-e5f6.cloud.databricks.com"
  http_path        = "/sql/1.0/warehouses/a1b2c3d4e5f6a7b8"
  token_wo         = var.token
  token_wo_version = 1
}

resource "lytics_databricks_table_import" "all" {
  for_each = var.tables

  label            = title(each.key)
  authorization_id = lytics_databricks_authorization.warehouse.id
  catalog          = "main"
  database         = "sales"
  table            = each.key
  timestamp_column = each.value
  schedule         = { frequency = "daily", time_of_day = "02:30" }
}

resource "lytics_field" "email" {
  id            = "email"
  type          = "string"
  is_identifier = true
}

resource "lytics_mapping" "email" {
  for_each = lytics_databricks_table_import.all

  stream     = each.value.stream
  field      = lytics_field.email.id
  expression = "tolower(email)"
}

resource "lytics_audience" "reachable" {
  name   = "Reachable"
  filter = "FILTER EXISTS ${lytics_field.email.id}"
}

resource "lytics_databricks_audience_export" "reachable" {
  label            = "Reachable"
  authorization_id = lytics_databricks_authorization.warehouse.id
  audience_id      = lytics_audience.reachable.id
  catalog          = "main"
  database         = "crm"
  after            = [for i in lytics_databricks_table_import.all : i.id]
}

data "lytics_audience" "reachable" {
  id = lytics_audience.reachable.id
}

output "table" {
  value = lytics_databricks_audience_export.reachable.table_name
}

output "size" {
  value = data.lytics_audience.reachable.size
}
