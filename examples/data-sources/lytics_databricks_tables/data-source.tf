data "lytics_databricks_tables" "sales" {
  authorization_id = lytics_databricks_authorization.warehouse.id
  catalog          = "main"
  database         = "sales"
  pattern          = "customers|orders"
}

# Without an authorization, the plan can list the tables before there is anything. The
# provider block can have the same databricks for all data sources.
data "lytics_databricks_tables" "before_the_first_apply" {
  databricks = {
    host      = "dbc-a1b2c3d4-e5f6.cloud.databricks.com"
    token_env = "LYTICS_DATABRICKS_REPORTING_TOKEN"
  }
  catalog  = "main"
  database = "sales"
}

output "views" {
  value = [for t in data.lytics_databricks_tables.sales.tables : t.name if t.type == "VIEW"]
}
