mock_provider "lytics" {
  mock_resource "lytics_databricks_audience_export" {
    defaults = {
      table_name = "lytics_user_reachable"
    }
  }

  # A mocked list of objects is empty: what a module makes of one is tested with a variable.
  mock_data "lytics_audience" {
    defaults = {
      size = 7
    }
  }
}

run "one_import_for_each_table" {
  variables {
    tables = { customers = "updated_at", orders = "created_at" }
    token  = "not a token"
  }

  assert {
    condition     = length(lytics_databricks_table_import.all) == 2
    error_message = "Each table has its import."
  }

  assert {
    condition     = lytics_mapping.email["orders"].stream == lytics_databricks_table_import.all["orders"].stream
    error_message = "Each mapping reads the stream of its import."
  }

  assert {
    condition     = length(lytics_databricks_audience_export.reachable.after) == 2
    error_message = "The export runs after both imports."
  }

  assert {
    condition     = output.table == "lytics_user_reachable"
    error_message = "The module shows the table of the export."
  }

  assert {
    condition     = output.size == 7
    error_message = "The module shows the size of the audience."
  }
}

run "a_table_without_a_timestamp_column" {
  command = plan

  variables {
    tables = { customers = "" }
  }

  expect_failures = [var.tables]
}
