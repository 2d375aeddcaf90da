terraform {
  required_version = ">= 1.11"
  required_providers {
    lytics = {
      source = "terraform-provider-lytics/lytics"
    }
  }
}

provider "lytics" {
  # The default, beside the configuration. It contains cursors and profiles: keep it.
  data_dir = ".lytics"

  # Only exports need it: a Unity Catalog volume, on any cloud. No bucket and no key.
  staging = {
    volume = {
      catalog = "main"
      schema  = "marketing"
      volume  = "staging"
    }
  }
}
