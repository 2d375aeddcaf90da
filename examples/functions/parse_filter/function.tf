# Fields that an audience needs: a module can require a mapping for each of them.
output "fields_of_the_vips" {
  value = provider::lytics::parse_filter(lytics_audience.vip.filter).fields
}
