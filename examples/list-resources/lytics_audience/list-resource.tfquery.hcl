# terraform query -generate-config-out=audiences.tf
list "lytics_audience" "vips" {
  provider         = lytics
  include_resource = true

  config {
    slug = "vip*"
  }
}
