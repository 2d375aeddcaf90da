terraform {
  required_version = ">= 1.11"
  required_providers {
    lytics = {
      source = "terraform-provider-lytics/lytics"
    }
  }
}

# The token comes from LYTICS_RUNNER_TOKEN.
provider "lytics" {
  runner = {
    url = "https://lytics-runner.example.com:8443"
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

resource "lytics_field" "email" {
  id            = "email"
  type          = "string"
  is_identifier = true
  is_pii        = true
}

resource "lytics_mapping" "email" {
  stream     = lytics_databricks_table_import.customers.stream
  field      = lytics_field.email.id
  expression = "email(email)"
}

# The runner executes the first run at once, and then by the schedule.
resource "lytics_databricks_table_import" "customers" {
  label            = "Customers"
  authorization_id = lytics_databricks_authorization.warehouse.id
  catalog          = "main"
  database         = "sales"
  table            = "customers"
  timestamp_column = "updated_at"

  schedule = {
    frequency   = "daily"
    time_of_day = "02:30"
    timezone    = "Europe/Berlin"
  }
}

resource "lytics_audience" "everyone" {
  name   = "Everyone"
  filter = "FILTER EXISTS email"
}

# Runs whenever the import has succeeded.
resource "lytics_databricks_audience_export" "everyone" {
  label            = "Everyone"
  authorization_id = lytics_databricks_authorization.warehouse.id
  audience_id      = lytics_audience.everyone.id
  catalog          = "main"
  database         = "marketing"
  after            = [lytics_databricks_table_import.customers.id]
}
