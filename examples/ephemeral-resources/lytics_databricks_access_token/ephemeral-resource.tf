ephemeral "lytics_databricks_access_token" "warehouse" {
  authorization_id = lytics_databricks_authorization.warehouse.id
}

# The provider of Databricks works as the same service principal, without a secret of its own.
provider "databricks" {
  host  = ephemeral.lytics_databricks_access_token.warehouse.host
  token = ephemeral.lytics_databricks_access_token.warehouse.token
}
