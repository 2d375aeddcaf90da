# "databricks_main_sales_orders"
output "stream" {
  value = provider::lytics::default_stream("main", "sales", "orders")
}
