data "lytics_databricks_tables" "sales" {
  authorization_id = lytics_databricks_authorization.warehouse.id
  catalog          = "main"
  database         = "sales"
  pattern          = "customers|orders"
}

# One import for each table that matches.
resource "lytics_databricks_table_import" "sales" {
  for_each = toset(data.lytics_databricks_tables.sales.tables[*].name)

  label            = each.key
  authorization_id = lytics_databricks_authorization.warehouse.id
  catalog          = "main"
  database         = "sales"
  table            = each.key
  timestamp_column = "updated_at"
}
