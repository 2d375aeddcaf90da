data "lytics_job_runs" "orders" {
  job_id = lytics_databricks_table_import.orders.id
  limit  = 10
}

output "failed_runs" {
  value = [for r in data.lytics_job_runs.orders.runs : r.error if r.status == "failed"]
}
