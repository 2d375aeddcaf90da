variable "databricks_token" {
  type      = string
  ephemeral = true
  sensitive = true
}

resource "lytics_databricks_authorization" "warehouse" {
  label     = "production warehouse"
  host      = "dbc-a1b2c3d4-e5f6.cloud.databricks.com"
  http_path = "/sql/1.0/warehouses/a1b2c3d4e5f6a7b8"

  # Sent again when the version is raised. Never in state.
  token_wo         = var.databricks_token
  token_wo_version = 1
}

# The token stays in an environment variable, which each run reads.
resource "lytics_databricks_authorization" "from_environment" {
  label     = "reporting warehouse"
  host      = "dbc-a1b2c3d4-e5f6.cloud.databricks.com"
  http_path = "/sql/1.0/warehouses/b2c3d4e5f6a7b8c9"
  token_env = "LYTICS_DATABRICKS_REPORTING_TOKEN"
}

# No secret at all: a job of GitHub Actions exchanges its identity token.
resource "lytics_databricks_authorization" "from_ci" {
  label     = "warehouse of the pipeline"
  host      = "dbc-a1b2c3d4-e5f6.cloud.databricks.com"
  http_path = "/sql/1.0/warehouses/c3d4e5f6a7b8c9d0"
  auth_type = "github-oidc"
  client_id = "1f3e2d1c-0b9a-4876-8543-210fedcba987"
  audience  = "https://github.com/acme"
}

# A token that another program writes to a file, and replaces before it expires.
resource "lytics_databricks_authorization" "from_file" {
  label      = "warehouse of the cluster"
  host       = "dbc-a1b2c3d4-e5f6.cloud.databricks.com"
  http_path  = "/sql/1.0/warehouses/d4e5f6a7b8c9d0e1"
  token_file = "/run/secrets/databricks/token"
}
