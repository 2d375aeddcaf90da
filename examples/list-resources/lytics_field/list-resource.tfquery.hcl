# terraform query -generate-config-out=fields.tf
list "lytics_field" "identifiers" {
  provider         = lytics
  include_resource = true

  config {
    is_identifier = true
  }
}
