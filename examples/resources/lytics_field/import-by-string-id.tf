import {
  to = lytics_field.email
  id = "email"
}
