# Mappings and an audience with tests. "terraform test" needs no warehouse, no
# Lytics account and no store: the tests evaluate the texts below.

terraform {
  required_version = ">= 1.11"
  required_providers {
    lytics = {
      source = "terraform-provider-lytics/lytics"
    }
  }
}

provider "lytics" {}

locals {
  types = {
    email        = "string"
    country      = "string"
    order_totals = "map[string]number"
    last_order   = "date"
  }

  merge_operations = {
    order_totals = "latestmap"
    last_order   = "max"
  }

  expressions = {
    email        = "email(email)"
    country      = "oneof(shipping_country, billing_country)"
    order_totals = "map(order_id, total)"
    last_order   = "todate(ordered_at)"
  }

  # Test orders are left out.
  guard = "not(eq(emaildomain(email), \"test.example.com\"))"

  recent_buyers = "FILTER AND (EXISTS email, country IN (\"DE\", \"AT\", \"CH\"), last_order > \"now-30d\")"
}

resource "lytics_field" "this" {
  for_each = local.types

  id              = each.key
  type            = each.value
  is_identifier   = each.key == "email"
  is_pii          = each.key == "email"
  merge_operation = lookup(local.merge_operations, each.key, null)
}

resource "lytics_mapping" "this" {
  for_each = local.expressions

  stream           = "orders"
  field            = lytics_field.this[each.key].id
  expression       = each.value
  guard_expression = local.guard
}

resource "lytics_audience" "recent_buyers" {
  name   = "Recent buyers"
  filter = local.recent_buyers

  depends_on = [lytics_field.this]
}
