package acceptance

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// The test applies the unchanged configuration of the README and of the demo.
func TestQuickstart(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "examples", "quickstart", "main.tf"))
	if err != nil {
		t.Fatal(err)
	}
	s := sandboxtest.Start(t, sandboxtest.WithSeed(2000))
	w := newWorkspace(t, s, string(text))
	if err := os.Remove(filepath.Join(w.dir, "versions.tf")); err != nil { // the quickstart has its own
		t.Fatal(err)
	}
	w.apply()
	if n := len(w.events("databricks_main_sales_customers")); n != 2000 {
		t.Errorf("%d customers", n)
	}
	if n := len(w.events("databricks_main_sales_orders")); n != 4000 {
		t.Errorf("%d orders", n)
	}
	// The query selects the members of the audience from the source tables.
	want := s.Query(t, `SELECT count(*), CAST(sum(spent) AS STRING) FROM main.sales.customers c
		JOIN (SELECT customer_id, sum(total) AS spent, max(ordered_at) AS last_order FROM main.sales.orders GROUP BY customer_id) o USING (customer_id)
		WHERE lifetime_value >= 90000 AND last_order > TIMESTAMP '2024-01-01 00:00:00'`)
	got := s.Query(t, "SELECT count(*), CAST(CAST(sum(CAST(spent AS DECIMAL(20,2))) AS DECIMAL(22,2)) AS STRING) FROM main.sales.lytics_user_vip_customers")
	if got[0][0] != want[0][0] || got[0][0] == "0" || got[0][1] != want[0][1] {
		t.Errorf("the exported audience is %v, the source says %v", got, want)
	}
	if text := w.apply(); !strings.Contains(text, "No changes") {
		t.Errorf("the second apply:\n%s", text)
	}
}
