# Real purchases of 2,469 households. Each purchase is imported as an event and
# summed into a profile; the best customers who have not come back are exported.

terraform {
  required_version = ">= 1.11"
  required_providers {
    lytics = {
      source = "terraform-provider-lytics/lytics"
    }
  }
}

variable "host" { type = string }
variable "port" { type = number }
variable "http_path" { type = string }
variable "token" {
  type      = string
  ephemeral = true
  sensitive = true
}

# The staging volume comes from the environment: LYTICS_STAGING_VOLUME_CATALOG and so on.
provider "lytics" {}

resource "lytics_databricks_authorization" "warehouse" {
  label            = "retail"
  host             = var.host
  port             = var.port
  http_path        = var.http_path
  token_wo         = var.token
  token_wo_version = 1
}

locals {
  stream = "purchases"
  fields = {
    household_id   = { type = "string", merge = "latest", expression = "tostring(household_id)", identifier = true }
    spend          = { type = "number", merge = "sum", expression = "sales_value" }
    items          = { type = "int", merge = "sum", expression = "quantity" }
    lines          = { type = "int", merge = "count", expression = "product_id" }
    baskets        = { type = "[]string", merge = "merge", expression = "tostring(basket_id)" }
    first_purchase = { type = "date", merge = "min", expression = "todate(transaction_timestamp)" }
    last_purchase  = { type = "date", merge = "max", expression = "todate(transaction_timestamp)" }
  }
}

resource "lytics_field" "this" {
  for_each = local.fields

  id              = each.key
  type            = each.value.type
  is_identifier   = try(each.value.identifier, false)
  merge_operation = each.value.merge
  capacity        = each.value.type == "[]string" ? 10000 : null
}

resource "lytics_mapping" "this" {
  for_each = local.fields

  stream     = local.stream
  field      = lytics_field.this[each.key].id
  expression = each.value.expression
}

resource "lytics_databricks_table_import" "purchases" {
  label            = "purchases"
  authorization_id = lytics_databricks_authorization.warehouse.id
  catalog          = "main"
  database         = "retail"
  table            = "transactions"
  timestamp_column = "transaction_timestamp"
  stream           = local.stream

  depends_on = [lytics_mapping.this]
}

resource "lytics_audience" "all" {
  name   = "All households"
  slug   = "all_households"
  filter = "FILTER EXISTS household_id"

  depends_on = [lytics_field.this]
}

resource "lytics_audience" "lapsed" {
  name   = "Lapsed best customers"
  slug   = "lapsed_best_customers"
  filter = "FILTER AND (spend >= 4000, last_purchase < \"2017-12-15T00:00:00Z\")"

  depends_on = [lytics_field.this]
}

resource "lytics_databricks_audience_export" "this" {
  for_each = { all = lytics_audience.all.id, lapsed = lytics_audience.lapsed.id }

  label            = each.key
  authorization_id = lytics_databricks_authorization.warehouse.id
  audience_id      = each.value
  catalog          = "main"
  database         = "retail"

  depends_on = [lytics_databricks_table_import.purchases]
}
