# A table becomes profiles, and an audience of the profiles becomes a table.

variable "databricks_token" {
  type      = string
  ephemeral = true
  sensitive = true
}

resource "lytics_databricks_authorization" "warehouse" {
  label            = "production"
  host             = "dbc-a1b2c3d4-e5f6.cloud.databricks.com"
  http_path        = "/sql/1.0/warehouses/a1b2c3d4e5f6a7b8"
  token_wo         = var.databricks_token # in neither state nor plan
  token_wo_version = 1
}

resource "lytics_field" "email" {
  id            = "email"
  type          = "string"
  is_identifier = true
  is_pii        = true
}

resource "lytics_mapping" "email" {
  stream     = "customers"
  field      = lytics_field.email.id
  expression = "email(email)"
}

resource "lytics_databricks_table_import" "customers" {
  label            = "customers"
  authorization_id = lytics_databricks_authorization.warehouse.id
  catalog          = "main"
  database         = "sales"
  table            = "customers"
  timestamp_column = "updated_at"
  stream           = "customers"

  depends_on = [lytics_mapping.email]
}

resource "lytics_audience" "reachable" {
  name   = "Reachable"
  filter = "FILTER EXISTS email"

  depends_on = [lytics_field.email]
}

# Writes main.marketing.lytics_user_reachable.
resource "lytics_databricks_audience_export" "reachable" {
  label            = "reachable"
  authorization_id = lytics_databricks_authorization.warehouse.id
  audience_id      = lytics_audience.reachable.id
  catalog          = "main"
  database         = "marketing"

  depends_on = [lytics_databricks_table_import.customers]
}
