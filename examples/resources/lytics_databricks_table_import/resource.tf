# Runs in the apply that creates it, and again when triggers change.
resource "lytics_databricks_table_import" "customers" {
  label            = "customers"
  authorization_id = lytics_databricks_authorization.warehouse.id
  catalog          = "main"
  database         = "sales"
  table            = "customers"
  timestamp_column = "updated_at"
  since_timestamp  = "2025-01-01 00:00:00"

  triggers = {
    release = "2026-11-01"
  }
}

# A runner executes it by its schedule.
resource "lytics_databricks_table_import" "orders" {
  label                   = "orders"
  authorization_id        = lytics_databricks_authorization.warehouse.id
  catalog                 = "main"
  database                = "sales"
  table                   = "orders"
  timestamp_column        = "updated_at"
  record_timestamp_column = "ordered_at"
  stream                  = "orders"
  query_timeout_minutes   = 120
  expected_every          = "26h" # the job is late after that time without a success

  schedule = {
    frequency   = "daily"
    time_of_day = "06:30"
    timezone    = "Europe/Berlin"
  }
}
