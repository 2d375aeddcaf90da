# A table of one's own: each row is an event, the events of one identifier are a profile,
# and all profiles are exported. "make demo DATA=file.csv" writes the variables for a file
# into own.auto.tfvars.json; for a table of a workspace they are written by hand.

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

variable "table" {
  description = "The table, and the column by which new and changed rows are found"
  type = object({
    catalog          = string
    database         = string
    name             = string
    timestamp_column = string
  })
}

variable "fields" {
  description = "The fields of a profile by their id; events with the same identifier are one profile"
  type = map(object({
    type       = string
    expression = string
    identifier = optional(bool, false)
  }))
}

variable "audience" {
  description = "Slug of the audience of all profiles; the table of the export is lytics_user_{slug}"
  type        = string
  default     = "everyone"
}

variable "frequency" {
  description = "hourly, daily, weekly or monthly: a runner then repeats the import, and the export after it. Null runs both in this apply"
  type        = string
  default     = null
}

# Exports stage their files in a Unity Catalog volume, which comes from the environment:
# LYTICS_STAGING_VOLUME_CATALOG, LYTICS_STAGING_VOLUME_SCHEMA and LYTICS_STAGING_VOLUME_VOLUME.
provider "lytics" {}

locals {
  stream      = provider::lytics::default_stream(var.table.catalog, var.table.database, var.table.name)
  identifiers = [for id, field in var.fields : id if field.identifier]
}

resource "lytics_databricks_authorization" "warehouse" {
  label            = "own data"
  host             = var.host
  port             = var.port
  http_path        = var.http_path
  token_wo         = var.token
  token_wo_version = 1
}

resource "lytics_field" "this" {
  for_each = var.fields

  id              = each.key
  type            = each.value.type
  merge_operation = "latest"
  is_identifier   = each.value.identifier
}

resource "lytics_mapping" "this" {
  for_each = var.fields

  stream     = local.stream
  field      = lytics_field.this[each.key].id
  expression = each.value.expression
}

resource "lytics_databricks_table_import" "own" {
  label            = var.table.name
  authorization_id = lytics_databricks_authorization.warehouse.id
  catalog          = var.table.catalog
  database         = var.table.database
  table            = var.table.name
  timestamp_column = var.table.timestamp_column
  stream           = local.stream
  schedule         = var.frequency == null ? null : { frequency = var.frequency }

  depends_on = [lytics_mapping.this]
}

resource "lytics_audience" "everyone" {
  name   = "Everyone in ${var.table.name}"
  slug   = var.audience
  filter = "FILTER OR (${join(", ", [for id in local.identifiers : "EXISTS ${id}"])})"

  depends_on = [lytics_field.this]
}

resource "lytics_databricks_audience_export" "everyone" {
  label            = var.audience
  authorization_id = lytics_databricks_authorization.warehouse.id
  audience_id      = lytics_audience.everyone.id
  catalog          = var.table.catalog
  database         = var.table.database
  after            = var.frequency == null ? null : [lytics_databricks_table_import.own.id]

  depends_on = [lytics_databricks_table_import.own]
}

output "imported" {
  value = try(lytics_databricks_table_import.own.last_run.rows_written, null)
}

output "exported" {
  value = try(lytics_databricks_audience_export.everyone.last_run.rows_written, null)
}
