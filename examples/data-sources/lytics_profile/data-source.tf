# The profile of one customer.
data "lytics_profile" "ann" {
  field = lytics_field.email.id
  value = "ann@example.com"

  depends_on = [lytics_databricks_table_import.orders]
}

output "ann_has_spent" {
  value     = data.lytics_profile.ann.values["lifetime_value"]
  sensitive = true
}
