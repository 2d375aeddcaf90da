# What the next run of a job would do. With import = { ... } in place of job_id it is an
# import that need not exist.
data "lytics_job_preview" "customers" {
  job_id = lytics_databricks_table_import.customers.id
}

output "next_import_of_customers" {
  value = data.lytics_job_preview.customers.summary
}
