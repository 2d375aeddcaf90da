resource "lytics_mapping" "email" {
  stream     = "orders"
  field      = lytics_field.email.id
  expression = "tolower(email)"
}

resource "lytics_mapping" "lifetime_value" {
  stream           = "orders"
  field            = lytics_field.lifetime_value.id
  expression       = "total"
  guard_expression = "status != 'cancelled'"
}
