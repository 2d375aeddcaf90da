terraform {
  required_version = ">= 1.14"
}

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
  }
}

# Run it now: terraform apply -invoke=action.lytics_run_job.customers
action "lytics_run_job" "customers" {
  config {
    job_id = lytics_databricks_table_import.customers.id
  }
}

# Or run it whenever another resource has changed.
resource "terraform_data" "model" {
  input = "customer model, version 7"

  lifecycle {
    action_trigger {
      events  = [after_update]
      actions = [action.lytics_run_job.customers]
    }
  }
}

# Every row once more: terraform apply -invoke=action.lytics_run_job.again
action "lytics_run_job" "again" {
  config {
    job_id       = lytics_databricks_table_import.customers.id
    full_refresh = true
    timeout      = "6h"
  }
}
