import {
  to = lytics_databricks_audience_export.vip
  id = "job_01k2m3n4p5q6r7s8t9v0w1x2y4"
}
