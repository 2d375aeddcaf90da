# The functions see no configuration and no clock, so a mocked provider is enough.
mock_provider "lytics" {}

variables {
  now = "2026-01-31T12:00:00Z"
  order = {
    order_id         = 17
    email            = "Ann <ANN@example.com>"
    total            = 59.97
    shipping_country = null
    billing_country  = "AT"
    ordered_at       = "2026-01-20T09:30:00Z"
  }
  profile = {
    email      = "ann@example.com"
    country    = "AT"
    last_order = "2026-01-20T09:30:00Z"
  }
}

run "mappings" {
  command = plan

  assert {
    condition     = provider::lytics::evaluate_mapping(local.expressions.email, var.order, var.now) == "ann@example.com"
    error_message = "The email is not normalized."
  }

  assert {
    condition     = provider::lytics::evaluate_mapping(local.expressions.country, var.order, var.now) == "AT"
    error_message = "Without a shipping country, the billing country counts."
  }

  assert {
    condition     = provider::lytics::evaluate_mapping(local.expressions.order_totals, var.order, var.now) == { "17" = 59.97 }
    error_message = "An order does not keep its total under its id."
  }

  assert {
    condition     = provider::lytics::evaluate_mapping(local.expressions.email, { email = "no address" }, var.now) == null
    error_message = "A text that is no address gives a value."
  }
}

run "guard" {
  command = plan

  assert {
    condition     = provider::lytics::evaluate_mapping(local.guard, var.order, var.now)
    error_message = "The guard refuses a real order."
  }

  assert {
    condition     = !provider::lytics::evaluate_mapping(local.guard, { email = "bot@test.example.com" }, var.now)
    error_message = "The guard lets a test order pass."
  }
}

run "audience" {
  command = plan

  assert {
    condition     = provider::lytics::evaluate_filter(local.recent_buyers, var.profile, local.types, var.now)
    error_message = "A buyer of the last 30 days is not in the audience."
  }

  # The same profile, 60 days later.
  assert {
    condition     = !provider::lytics::evaluate_filter(local.recent_buyers, var.profile, local.types, timeadd(var.now, "1440h"))
    error_message = "A buyer of 71 days ago is in the audience."
  }

  assert {
    condition     = !provider::lytics::evaluate_filter(local.recent_buyers, merge(var.profile, { country = "US" }), local.types, var.now)
    error_message = "A buyer from another country is in the audience."
  }
}
