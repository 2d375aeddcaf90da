# With depends_on it is read after the import has run.
data "lytics_streams" "all" {
  depends_on = [lytics_databricks_table_import.orders]
}

output "events" {
  value = { for s in data.lytics_streams.all.streams : s.name => s.events }
}
