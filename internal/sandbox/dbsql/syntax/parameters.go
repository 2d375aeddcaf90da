package syntax

import (
	"strconv"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// Value returns the marker's value, or Databricks' error if there is none. Names of
// parameters are not case-sensitive.
func (m *Param) Value(values []warehouse.Parameter) (warehouse.Parameter, error) {
	positional := 0
	for _, v := range values {
		switch {
		case m.Name != "" && strings.EqualFold(v.Name, m.Name):
			return v, nil
		case m.Name == "" && v.Name == "":
			if positional++; positional == m.Ordinal {
				return v, nil
			}
		}
	}
	name := m.Name
	if name == "" {
		name = "_" + strconv.Itoa(m.Ordinal-1)
	}
	return warehouse.Parameter{}, sqlerror.New("UNBOUND_SQL_PARAMETER", "42P02",
		"Found the unbound parameter: %s. Please, fix `args` and provide a mapping of the parameter to either a SQL literal or "+
			"collection constructor functions such as `map()`, `array()`, `struct()`.", name)
}
