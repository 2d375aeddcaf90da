resource "lytics_mapping" "email" {
  stream     = "orders"
  field      = lytics_field.email.id
  expression = "tolower(email)"
}

resource "lytics_mapping" "lifetime_value" {
  stream     = "databricks_main_sales_customers"
  field      = lytics_field.lifetime_value.id
  expression = "lifetime_value"
}

resource "lytics_mapping" "order_totals" {
  stream           = "orders"
  field            = lytics_field.order_totals.id
  expression       = "map(order_id, total)"
  guard_expression = "currency == 'EUR'"
}
