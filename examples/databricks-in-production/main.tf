# A governed table, imported every night with a service principal; an audience is exported
# through a Unity Catalog volume. The same on AWS, Azure and Google Cloud.

terraform {
  required_version = ">= 1.11"
  required_providers {
    lytics = {
      source = "terraform-provider-lytics/lytics"
    }
  }
}

variable "host" {
  description = "Host name of the workspace"
  type        = string
  default     = "adb-1234567890123456.7.azuredatabricks.net"
}

variable "client_secret" {
  description = "OAuth secret of the service principal; in neither state nor plan"
  type        = string
  ephemeral   = true
  sensitive   = true
}

provider "lytics" {
  staging = {
    volume = {
      catalog = "main"
      schema  = "marketing"
      volume  = "staging"
    }
  }
}

resource "lytics_databricks_authorization" "production" {
  label                    = "Production"
  host                     = var.host
  http_path                = "/sql/1.0/warehouses/0123456789abcdef"
  client_id                = "0b1f3d2c-5a4e-4978-8796-a5b4c3d2e1f0"
  client_secret_wo         = var.client_secret
  client_secret_wo_version = 1
}

resource "lytics_field" "email" {
  id            = "email"
  type          = "string"
  is_identifier = true
  is_pii        = true
}

resource "lytics_mapping" "email" {
  stream     = lytics_databricks_table_import.orders.stream
  field      = lytics_field.email.id
  expression = "email(email)"
}

resource "lytics_databricks_table_import" "orders" {
  label                 = "Orders"
  authorization_id      = lytics_databricks_authorization.production.id
  catalog               = "main"
  database              = "sales"
  table                 = "orders"
  timestamp_column      = "updated_at"
  key_columns           = ["order_id"]
  lookback              = "2h"
  scratch_schema        = "main.scratch"
  query_timeout_minutes = 30
}

resource "lytics_audience" "buyers" {
  name   = "Buyers"
  filter = "FILTER EXISTS email"
}

resource "lytics_databricks_audience_export" "buyers" {
  label              = "Buyers"
  authorization_id   = lytics_databricks_authorization.production.id
  audience_id        = lytics_audience.buyers.id
  catalog            = "main"
  database           = "marketing"
  scratch_schema     = "main.scratch"
  max_shrink_percent = 50

  depends_on = [lytics_databricks_table_import.orders]
}
