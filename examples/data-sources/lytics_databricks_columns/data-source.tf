data "lytics_databricks_columns" "customers" {
  authorization_id = lytics_databricks_authorization.warehouse.id
  catalog          = "main"
  database         = "sales"
  table            = "customers"
}

# The columns that can be a timestamp_column.
output "timestamp_columns" {
  value = [
    for c in data.lytics_databricks_columns.customers.columns : c.name
    if startswith(c.type, "timestamp")
  ]
}
