# terraform query -generate-config-out=mappings.tf
list "lytics_mapping" "customers" {
  provider         = lytics
  include_resource = true

  config {
    stream = "databricks_main_sales_*"
  }
}
