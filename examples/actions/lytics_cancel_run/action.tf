terraform {
  required_version = ">= 1.14"
}

# Stop it now: terraform apply -invoke=action.lytics_cancel_run.customers
action "lytics_cancel_run" "customers" {
  config {
    job_id = lytics_databricks_table_import.customers.id
  }
}
