resource "lytics_audience" "vip" {
  name        = "VIP customers"
  slug        = "vip"
  description = "Have spent 1,000 or more, and can be reached"
  filter      = "FILTER AND (EXISTS email, lifetime_value >= 1000)"

  depends_on = [lytics_field.email, lytics_field.lifetime_value]
}
