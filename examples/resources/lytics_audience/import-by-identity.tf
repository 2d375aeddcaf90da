import {
  to = lytics_audience.vip
  identity = {
    slug = "vip"
  }
}
