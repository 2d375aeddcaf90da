data "lytics_job" "orders" {
  id = lytics_databricks_table_import.orders.id
}

output "orders_status" {
  value = data.lytics_job.orders.status
}
