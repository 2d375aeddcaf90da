import {
  to = lytics_mapping.email
  identity = {
    stream = "databricks_main_sales_customers"
    field  = "email"
  }
}
