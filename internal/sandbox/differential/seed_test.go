package differential_test

import (
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/differential"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/seed"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// storedDifferently are the queries of columns that Delta 4.0 stores differently. If an
// INSERT's struct type is not exactly the table's, including nullability, Delta stores a
// NULL struct as a struct with NULL fields.
var storedDifferently = map[string]bool{"SELECT `address` FROM main.sales.customers": true}

// The example data is the same on both engines, column by column.
func TestSeedIsTheSameOnBothEngines(t *testing.T) {
	t.Parallel()
	engines := []warehouse.Engine{openDuck(t), openSpark(t)}
	sessions := make([]warehouse.Session, len(engines))
	for i, e := range engines {
		s, err := e.OpenSession(t.Context(), warehouse.SessionOptions{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		if err := seed.Tables(t.Context(), s, 1500, nil); err != nil {
			t.Fatal(err)
		}
		sessions[i] = s
	}
	for _, table := range []string{"main.sales.customers", "main.sales.orders", "marketing.web.page_views", "marketing.web.campaigns", "marketing.`e-mail`.`Survey Results (2024)`"} {
		described := differential.Run(t.Context(), sessions[0], "DESCRIBE "+table, nil)
		if described.Message != "" {
			t.Fatalf("%s: %s", table, described.Message)
		}
		for _, row := range described.Rows {
			// The first value is the column's name, as a quoted string.
			name := "`" + strings.ReplaceAll(strings.ReplaceAll(strings.Trim(strings.SplitN(row, " | ", 2)[0], `"`), "`", "``"), "\\\"", `"`) + "`"
			statement := "SELECT " + name + " FROM " + table
			a := differential.Run(t.Context(), sessions[0], statement, nil)
			b := differential.Run(t.Context(), sessions[1], statement, nil)
			if difference := (differential.Rules{}).Difference(&a, &b); (difference != "") != storedDifferently[statement] {
				t.Errorf("%s: %q\n%s", statement, difference, differential.FormatBoth(&a, &b))
			}
		}
	}
}
