# Checks a mapping after an import, and keeps nothing of the person's data.
ephemeral "lytics_profile" "ann" {
  field = lytics_field.email.id
  value = "ann@example.com"
}

resource "terraform_data" "ann_has_spent" {
  triggers_replace = ["0.10"]

  provisioner "local-exec" {
    command = "test \"$SPENT\" = \"$EXPECTED\""
    environment = {
      SPENT    = ephemeral.lytics_profile.ann.values["lifetime_value"]
      EXPECTED = self.triggers_replace[0]
    }
  }
}
