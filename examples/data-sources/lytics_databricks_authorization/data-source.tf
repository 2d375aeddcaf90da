# An authorization that another configuration made, in the same store. (Here depends_on
# stands for the order of the two applies.)
data "lytics_databricks_authorization" "shared" {
  label      = "production warehouse"
  depends_on = [lytics_databricks_authorization.warehouse]
}

output "warehouse_host" {
  value = data.lytics_databricks_authorization.shared.host
}
