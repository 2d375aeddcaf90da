package acceptance

import (
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/clienttest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// The test applies the unchanged configuration of the README and of the demo.
func TestQuickstart(t *testing.T) {
	t.Parallel()
	applyQuickstart(t, "terraform")
}

// OpenTofu applies it too.
func TestQuickstartWithOpenTofu(t *testing.T) {
	t.Parallel()
	applyQuickstart(t, clienttest.OpenTofu(t, clienttest.OpenTofuEphemeral).Path)
}

func applyQuickstart(t *testing.T, client string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "examples", "quickstart", "main.tf"))
	if err != nil {
		t.Fatal(err)
	}
	s := sandboxtest.Start(t, sandboxtest.WithSeed(2000))
	w := newWorkspace(t, s, string(text))
	w.client = client
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
	wantExportedTotals(t, s)
	if text := w.apply(); !strings.Contains(text, "No changes") {
		t.Errorf("the second apply:\n%s", text)
	}

	// Orders that ship are imported again, and count once.
	s.Exec(t, "UPDATE main.sales.orders SET status = 'shipped', total = total + 0.01, updated_at = TIMESTAMP'2024-05-02 08:00:00Z' WHERE order_id <= 1000")
	w.apply(`-replace=lytics_databricks_table_import.this["orders"]`, "-replace=lytics_databricks_audience_export.vip")
	if n := len(w.events("databricks_main_sales_orders")); n != 5000 {
		t.Errorf("after 1,000 updates there are %d events of orders, want 5000", n)
	}
	wantExportedTotals(t, s)
}

// wantExportedTotals compares the members of the exported audience, and the totals
// of their orders, with a query over the source tables.
func wantExportedTotals(t *testing.T, s *sandboxtest.Sandbox) {
	t.Helper()
	want := s.Query(t, `SELECT count(*), CAST(sum(spent) AS STRING) FROM main.sales.customers c
		JOIN (SELECT customer_id, sum(total) AS spent, max(ordered_at) AS last_order FROM main.sales.orders GROUP BY customer_id) o USING (customer_id)
		WHERE lifetime_value >= 90000 AND last_order > TIMESTAMP '2024-01-01 00:00:00'`)
	members := s.Query(t, "SELECT order_totals FROM main.sales.lytics_user_vip_customers")
	spent := new(big.Rat)
	for _, row := range members {
		var totals map[string]json.Number
		if err := json.Unmarshal([]byte(row[0]), &totals); err != nil {
			t.Fatalf("order_totals %q: %v", row[0], err)
		}
		for order, total := range totals {
			n, ok := new(big.Rat).SetString(total.String())
			if !ok {
				t.Fatalf("order %s has the total %q", order, total)
			}
			spent.Add(spent, n)
		}
	}
	if got := []string{fmt.Sprint(len(members)), spent.FloatString(2)}; got[0] == "0" || !slices.Equal(got, want[0]) {
		t.Errorf("the exported audience has members and totals %v, want %v", got, want[0])
	}
}
