# terraform query -generate-config-out=authorizations.tf
list "lytics_databricks_authorization" "own" {
  provider         = lytics
  include_resource = true

  config {
    managed_by = "provider"
  }
}
