terraform import lytics_field.email email
