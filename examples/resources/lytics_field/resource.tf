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
  merge_operation = "sum"
}

resource "lytics_field" "tags" {
  id              = "tags"
  type            = "[]string"
  merge_operation = "merge"
  capacity        = 100
}
