data "lytics_audiences" "all" {
  depends_on = [lytics_audience.vip]
}

output "slugs" {
  value = [for a in data.lytics_audiences.all.audiences : a.slug]
}
