import {
  to = lytics_databricks_table_import.customers
  identity = {
    catalog          = "main"
    database         = "sales"
    table            = "customers"
    timestamp_column = "updated_at"
    stream           = "databricks_main_sales_customers"
  }
}
