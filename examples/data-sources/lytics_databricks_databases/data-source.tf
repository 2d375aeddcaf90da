data "lytics_databricks_databases" "sales" {
  authorization_id = lytics_databricks_authorization.warehouse.id
  catalog          = "main"
  pattern          = "sales*"
}
