import {
  to = lytics_databricks_audience_export.vip
  identity = {
    catalog    = "main"
    database   = "crm"
    table_name = "lytics_user_vip"
  }
}
