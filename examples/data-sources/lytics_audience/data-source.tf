data "lytics_audience" "vip" {
  slug = lytics_audience.vip.slug
}

output "vip_customers" {
  value = data.lytics_audience.vip.size
}
