# A complete example: a table is imported as events, which build profiles, and an
# audience of the profiles is exported to a table. "make demo" runs it against the local sandbox.

terraform {
  required_version = ">= 1.11"
  required_providers {
    lytics = {
      source = "terraform-provider-lytics/lytics"
    }
  }
}

variable "host" {
  description = "Server hostname of the SQL warehouse"
  type        = string
}

variable "port" {
  type    = number
  default = 443
}

variable "http_path" {
  description = "HTTP path of the SQL warehouse"
  type        = string
}

variable "token" {
  description = "Personal access token; ephemeral, so in neither state nor plan"
  type        = string
  ephemeral   = true
  sensitive   = true
}

# Exports stage their files in a Unity Catalog volume, which comes from the environment:
# LYTICS_STAGING_VOLUME_CATALOG, LYTICS_STAGING_VOLUME_SCHEMA and LYTICS_STAGING_VOLUME_VOLUME.
provider "lytics" {}

resource "lytics_databricks_authorization" "warehouse" {
  label            = "quickstart"
  host             = var.host
  port             = var.port
  http_path        = var.http_path
  token_wo         = var.token
  token_wo_version = 1
}

# The fields of the profiles, and how the events of the two streams fill them.
# Customers and orders are joined in one profile by customer_id. An order that is
# updated is imported again, so its total is kept under its id: a sum or a count
# would add it twice.

locals {
  customers = provider::lytics::default_stream("main", "sales", "customers")
  orders    = provider::lytics::default_stream("main", "sales", "orders")

  fields = {
    customer_id    = { type = "string", merge = "latest", identifier = true }
    email          = { type = "string", merge = "latest", identifier = true, pii = true }
    name           = { type = "string", merge = "latest", pii = true }
    postal_code    = { type = "string", merge = "latest" }
    tags           = { type = "[]string", merge = "merge" }
    lifetime_value = { type = "number", merge = "latest" }
    order_totals   = { type = "map[string]number", merge = "latestmap" }
    last_order     = { type = "date", merge = "max" }
  }

  mappings = {
    customer       = { stream = local.customers, field = "customer_id", expression = "tostring(customer_id)" }
    email          = { stream = local.customers, field = "email", expression = "email(email)" }
    name           = { stream = local.customers, field = "name", expression = "join(first_name, last_name, \" \")" }
    postal_code    = { stream = local.customers, field = "postal_code", expression = "postal_code" }
    tags           = { stream = local.customers, field = "tags", expression = "tags" }
    lifetime_value = { stream = local.customers, field = "lifetime_value", expression = "lifetime_value" }
    buyer          = { stream = local.orders, field = "customer_id", expression = "tostring(customer_id)" }
    order_totals   = { stream = local.orders, field = "order_totals", expression = "map(order_id, total)" }
    last_order     = { stream = local.orders, field = "last_order", expression = "todate(ordered_at)" }
  }
}

resource "lytics_field" "this" {
  for_each = local.fields

  id              = each.key
  type            = each.value.type
  merge_operation = each.value.merge
  is_identifier   = try(each.value.identifier, false)
  is_pii          = try(each.value.pii, false)
}

resource "lytics_mapping" "this" {
  for_each = local.mappings

  stream     = each.value.stream
  field      = lytics_field.this[each.value.field].id
  expression = each.value.expression
}

resource "lytics_databricks_table_import" "this" {
  for_each = {
    customers = local.customers
    orders    = local.orders
  }

  label            = each.key
  authorization_id = lytics_databricks_authorization.warehouse.id
  catalog          = "main"
  database         = "sales"
  table            = each.key
  timestamp_column = "updated_at"
  stream           = each.value

  depends_on = [lytics_mapping.this]
}

resource "lytics_audience" "vip" {
  name   = "VIP customers"
  slug   = "vip_customers"
  filter = "FILTER AND (EXISTS email, lifetime_value >= 90000, last_order > \"2024-01-01\", NOT (postal_code = \"\"))"

  depends_on = [lytics_field.this]
}

# Writes main.sales.lytics_user_vip_customers.
resource "lytics_databricks_audience_export" "vip" {
  label            = "vip customers"
  authorization_id = lytics_databricks_authorization.warehouse.id
  audience_id      = lytics_audience.vip.id
  catalog          = "main"
  database         = "sales"

  depends_on = [lytics_databricks_table_import.this]
}

output "imported" {
  value = { for table, import in lytics_databricks_table_import.this : table => import.last_run.rows_written }
}

output "exported" {
  value = lytics_databricks_audience_export.vip.last_run.rows_written
}
