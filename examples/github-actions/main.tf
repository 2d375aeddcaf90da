# Imports and exports from a job of GitHub Actions, without a stored secret: the job's
# identity token is exchanged for an access token of the workspace. The workflow is in
# terraform.yml.
#
# In Databricks, once: a federation policy of the service principal.
#   databricks account service-principal-federation-policy create SERVICE_PRINCIPAL_ID --json '{
#     "oidc_policy": {
#       "issuer": "https://token.actions.githubusercontent.com",
#       "audiences": ["https://github.com/acme"],
#       "subject": "repo:acme/customer-data:environment:production"
#     }
#   }'

terraform {
  required_providers {
    lytics = {
      source = "terraform-provider-lytics/lytics"
    }
  }
}

variable "host" {
  type    = string
  default = "dbc-a1b2c3d4-e5f6.cloud.databricks.com"
}

variable "client_id" {
  type        = string
  description = "Application id of the service principal."
  default     = "1f3e2d1c-0b9a-4876-8543-210fedcba987"
}

# The store has to be the same in every run of the workflow: it is a directory that the
# self-hosted machine keeps. Exports stage their files in a volume of the workspace, which
# needs no key.
provider "lytics" {
  data_dir = "/var/lib/lytics"
  staging = {
    volume = {
      catalog = "main"
      schema  = "lytics"
      volume  = "staging"
    }
  }
}

resource "lytics_databricks_authorization" "warehouse" {
  label     = "production warehouse"
  host      = var.host
  http_path = "/sql/1.0/warehouses/a1b2c3d4e5f6a7b8"

  auth_type = "github-oidc"
  client_id = var.client_id
  audience  = "https://github.com/acme"
}

resource "lytics_field" "email" {
  id            = "email"
  type          = "string"
  is_identifier = true
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

resource "lytics_audience" "everyone" {
  name   = "Everyone"
  filter = "FILTER *"
}

resource "lytics_databricks_audience_export" "everyone" {
  label            = "everyone"
  authorization_id = lytics_databricks_authorization.warehouse.id
  audience_id      = lytics_audience.everyone.id
  catalog          = "main"
  database         = "marketing"
  depends_on       = [lytics_databricks_table_import.customers]
}
