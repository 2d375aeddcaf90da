# true: Ann has an email, and bought something in the 30 days before now.
output "is_recent" {
  value = provider::lytics::evaluate_filter(
    "FILTER AND (EXISTS email, last_order > \"now-30d\")",
    { email = "ann@example.com", last_order = "2026-01-20T09:30:00Z" },
    { last_order = "date" },
    "2026-01-31T12:00:00Z",
  )
}

# true: the filter includes another audience, whose filter is the fifth argument.
output "is_loyal" {
  value = provider::lytics::evaluate_filter(
    "FILTER AND (INCLUDE vip, NOT churned)",
    { spend = 1500, churned = false },
    {},
    "2026-01-31T12:00:00Z",
    { vip = "FILTER spend > 1000" },
  )
}
