# Jobs with schedules, which a runner executes. The last part of "make demo".

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

# The runner's address and token come from the environment: LYTICS_RUNNER_URL
# and LYTICS_RUNNER_TOKEN. The runner has the staging volume in its own configuration.
provider "lytics" {
  runner = {}
}

resource "lytics_databricks_authorization" "warehouse" {
  label            = "kept updated"
  host             = var.host
  port             = var.port
  http_path        = var.http_path
  token_wo         = var.token
  token_wo_version = 1
}

locals {
  stream = provider::lytics::default_stream("main", "sales", "customers")
  fields = {
    customer_id    = { type = "string", expression = "tostring(customer_id)", identifier = true }
    email          = { type = "string", expression = "email(email)", identifier = true }
    lifetime_value = { type = "number", expression = "lifetime_value" }
  }
}

resource "lytics_field" "this" {
  for_each = local.fields

  id              = each.key
  type            = each.value.type
  merge_operation = "latest"
  is_identifier   = try(each.value.identifier, false)
}

resource "lytics_mapping" "this" {
  for_each = local.fields

  stream     = local.stream
  field      = lytics_field.this[each.key].id
  expression = each.value.expression
}

# The first run starts at once, the others every day at 06:30 in Berlin.
resource "lytics_databricks_table_import" "customers" {
  label            = "customers"
  authorization_id = lytics_databricks_authorization.warehouse.id
  catalog          = "main"
  database         = "sales"
  table            = "customers"
  timestamp_column = "updated_at"
  since_timestamp  = "2024-11-01 00:00:00"
  stream           = local.stream

  schedule = {
    frequency   = "daily"
    time_of_day = "06:30"
    timezone    = "Europe/Berlin"
  }

  depends_on = [lytics_mapping.this]
}

resource "lytics_audience" "best" {
  name   = "Best customers"
  slug   = "best_customers"
  filter = "FILTER AND (EXISTS email, lifetime_value >= 90000)"

  depends_on = [lytics_field.this]
}

# Writes main.sales.lytics_user_best_customers whenever the import has succeeded.
resource "lytics_databricks_audience_export" "best" {
  label            = "best customers"
  authorization_id = lytics_databricks_authorization.warehouse.id
  audience_id      = lytics_audience.best.id
  catalog          = "main"
  database         = "sales"

  after = [lytics_databricks_table_import.customers.id]
}
