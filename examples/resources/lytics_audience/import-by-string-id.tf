import {
  to = lytics_audience.vip
  id = "vip"
}
