# terraform query -generate-config-out=exports.tf
list "lytics_databricks_audience_export" "crm" {
  provider         = lytics
  include_resource = true

  config {
    database = "crm"
  }
}
