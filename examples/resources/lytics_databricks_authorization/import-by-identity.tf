import {
  to = lytics_databricks_authorization.warehouse
  identity = {
    id = "auth_01k2m3n4p5q6r7s8t9v0w1x2y3"
  }
}
