# The whole job: a table becomes events and profiles, and an audience of the
# profiles becomes a table. "make demo" runs it against the local sandbox.

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

# The bucket for exports comes from the environment:
# LYTICS_STAGING_S3_BUCKET, LYTICS_STAGING_S3_REGION, and so on.
provider "lytics" {}

resource "lytics_databricks_authorization" "warehouse" {
  label            = "quickstart"
  host             = var.host
  port             = var.port
  http_path        = var.http_path
  token_wo         = var.token
  token_wo_version = 1
}

# What profiles hold, and how the events of the stream feed it.

locals {
  stream = provider::lytics::default_stream("main", "sales", "customers")
}

resource "lytics_field" "email" {
  id            = "email"
  type          = "string"
  is_identifier = true
  is_pii        = true
}

resource "lytics_field" "name" {
  id     = "name"
  type   = "string"
  is_pii = true
}

resource "lytics_field" "lifetime_value" {
  id              = "lifetime_value"
  type            = "number"
  merge_operation = "max"
}

resource "lytics_field" "last_seen" {
  id              = "last_seen"
  type            = "date"
  merge_operation = "max"
}

resource "lytics_mapping" "email" {
  stream           = local.stream
  field            = lytics_field.email.id
  expression       = "email(email)"
  guard_expression = "email != ''"
}

resource "lytics_mapping" "name" {
  stream     = local.stream
  field      = lytics_field.name.id
  expression = "name"
}

resource "lytics_mapping" "lifetime_value" {
  stream     = local.stream
  field      = lytics_field.lifetime_value.id
  expression = "lifetime_value"
}

resource "lytics_mapping" "last_seen" {
  stream     = local.stream
  field      = lytics_field.last_seen.id
  expression = "todate(updated_at)"
}

resource "lytics_databricks_table_import" "customers" {
  label            = "customers"
  authorization_id = lytics_databricks_authorization.warehouse.id
  catalog          = "main"
  database         = "sales"
  table            = "customers"
  timestamp_column = "updated_at"
  stream           = local.stream

  depends_on = [
    lytics_mapping.email,
    lytics_mapping.name,
    lytics_mapping.lifetime_value,
    lytics_mapping.last_seen,
  ]
}

resource "lytics_audience" "vip" {
  name   = "VIP customers"
  slug   = "vip_customers"
  filter = "FILTER AND (EXISTS email, lifetime_value >= 1000)"

  depends_on = [lytics_field.email, lytics_field.lifetime_value]
}

# Becomes main.sales.lytics_user_vip_customers.
resource "lytics_databricks_audience_export" "vip" {
  label            = "vip customers"
  authorization_id = lytics_databricks_authorization.warehouse.id
  audience_id      = lytics_audience.vip.id
  catalog          = "main"
  database         = "sales"

  depends_on = [lytics_databricks_table_import.customers]
}

output "imported" {
  value = lytics_databricks_table_import.customers.last_run.rows_written
}

output "exported" {
  value = lytics_databricks_audience_export.vip.last_run
}
