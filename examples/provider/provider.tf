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

  # Only exports need it. Credentials come from the AWS environment.
  staging = {
    s3 = {
      bucket = "acme-lytics-staging"
      prefix = "exports"
      region = "eu-central-1"
    }
  }
}
