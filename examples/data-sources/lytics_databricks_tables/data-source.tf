data "lytics_databricks_tables" "sales" {
  authorization_id = lytics_databricks_authorization.warehouse.id
  catalog          = "main"
  database         = "sales"
  pattern          = "customers|orders"
}

output "views" {
  value = [for t in data.lytics_databricks_tables.sales.tables : t.name if t.type == "VIEW"]
}
