import {
  to = lytics_field.email
  identity = {
    id = "email"
  }
}
