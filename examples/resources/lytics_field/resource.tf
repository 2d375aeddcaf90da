resource "lytics_field" "email" {
  id            = "email"
  type          = "string"
  is_identifier = true
  is_pii        = true
}

resource "lytics_field" "lifetime_value" {
  id              = "lifetime_value"
  description     = "Everything the customer has ever spent"
  type            = "number"
  merge_operation = "latest"
}

# One total per order: an order that is imported again replaces its own total.
resource "lytics_field" "order_totals" {
  id              = "order_totals"
  type            = "map[string]number"
  merge_operation = "latestmap"
  capacity        = 1000
}

resource "lytics_field" "tags" {
  id              = "tags"
  type            = "[]string"
  merge_operation = "merge"
  capacity        = 100
}
