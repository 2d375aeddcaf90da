terraform {
  required_version = ">= 1.14"
}

# Before maintenance: terraform apply -invoke=action.lytics_pause_job.customers
action "lytics_pause_job" "customers" {
  config {
    job_id = lytics_databricks_table_import.customers.id
  }
}
