package store

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// loginColumn is the column of an authorization's login: JSON, or the empty text for
// none.
type loginColumn struct{ login **jobs.Login }

// Value implements driver.Valuer.
func (c loginColumn) Value() (driver.Value, error) {
	if *c.login == nil {
		return "", nil
	}
	text, err := json.Marshal(*c.login)
	return string(text), err
}

// Scan implements sql.Scanner.
func (c *loginColumn) Scan(value any) error {
	text, ok := value.(string)
	if !ok {
		return fmt.Errorf("the login of an authorization is stored as %T, not as a text", value)
	}
	*c.login = nil
	if text == "" {
		return nil
	}
	return json.Unmarshal([]byte(text), c.login)
}
