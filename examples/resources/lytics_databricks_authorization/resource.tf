variable "databricks_token" {
  type      = string
  ephemeral = true
  sensitive = true
}

resource "lytics_databricks_authorization" "warehouse" {
  label     = "production warehouse"
  host      = "dbc-a1b2c3d4-e5f6.cloud.databricks.com"
  http_path = "/sql/1.0/warehouses/a1b2c3d4e5f6a7b8"

  # Sent again when the version is raised. Never in state.
  token_wo         = var.databricks_token
  token_wo_version = 1
}

# The token stays in an environment variable, which each run reads.
resource "lytics_databricks_authorization" "from_environment" {
  label     = "reporting warehouse"
  host      = "dbc-a1b2c3d4-e5f6.cloud.databricks.com"
  http_path = "/sql/1.0/warehouses/b2c3d4e5f6a7b8c9"
  token_env = "REPORTING_DATABRICKS_TOKEN"
}
