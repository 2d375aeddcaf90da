# terraform query -generate-config-out=imports.tf
list "lytics_databricks_table_import" "sales" {
  provider         = lytics
  include_resource = true
  limit            = 100

  config {
    catalog  = "main"
    database = "sales"
    table    = "orders*|customers"
  }
}
