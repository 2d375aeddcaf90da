# With depends_on it is read after the jobs of this configuration are created.
data "lytics_jobs" "all" {
  depends_on = [lytics_databricks_table_import.orders]
}

output "next_runs" {
  value = { for j in data.lytics_jobs.all.jobs : j.id => j.next_run_at if j.next_run_at != null }
}
