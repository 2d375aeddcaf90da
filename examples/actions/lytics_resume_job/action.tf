terraform {
  required_version = ">= 1.14"
}

# After maintenance: terraform apply -invoke=action.lytics_resume_job.customers
action "lytics_resume_job" "customers" {
  config {
    job_id = lytics_databricks_table_import.customers.id
  }
}
