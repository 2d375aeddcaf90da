data "lytics_databricks_catalogs" "all" {
  authorization_id = lytics_databricks_authorization.warehouse.id
}

output "catalogs" {
  value = data.lytics_databricks_catalogs.all.catalogs[*].name
}
