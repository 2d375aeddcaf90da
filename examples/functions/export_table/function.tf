# "lytics_user_vip"
output "table" {
  value = provider::lytics::export_table("vip")
}
