data "lytics_fields" "all" {
  depends_on = [lytics_field.email]
}

output "identifiers" {
  value = [for f in data.lytics_fields.all.fields : f.id if f.is_identifier]
}
