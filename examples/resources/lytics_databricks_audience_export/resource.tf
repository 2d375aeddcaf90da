# Writes main.sales.lytics_user_vip.
resource "lytics_databricks_audience_export" "vip" {
  label            = "vip customers"
  authorization_id = lytics_databricks_authorization.warehouse.id
  audience_id      = lytics_audience.vip.id
  catalog          = "main"
  database         = "sales"
  fields           = ["email", "lifetime_value", "tags"]

  # A run that would take away more than half of the rows fails.
  max_shrink_percent = 50

  # The import has to run before the export.
  triggers = {
    import = lytics_databricks_table_import.customers.last_run.id
  }
}
