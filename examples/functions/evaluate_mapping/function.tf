# "ann@example.com"
output "email" {
  value = provider::lytics::evaluate_mapping("email(email)", { email = "Ann <ANN@example.com>" }, "2026-01-31T12:00:00Z")
}

# { "17" = 59.97 }
output "order_totals" {
  value = provider::lytics::evaluate_mapping(
    "map(order_id, price * quantity)",
    { order_id = 17, price = 19.99, quantity = 3 },
    "2026-01-31T12:00:00Z",
  )
}
