package provider_test

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/provider/providertest"
)

// A sum or a count of rows that are updated is warned about at plan, whichever
// platform there is, and whichever of the two is planned last.
//
// checklist 64
func TestASumOverRowsThatChangeIsWarnedAbout(t *testing.T) {
	t.Parallel()
	for name, block := range map[string]map[string]any{
		"embedded": nil,
		"Lytics":   {"platform": map[string]any{"lytics": map[string]any{"token": "t"}}},
		"runner":   {"runner": map[string]any{"url": "https://runner.example.com", "token": "t"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantDoubleCountingWarnings(t, newConfiguredClient(t, providertest.New(), block), name == "Lytics")
		})
	}
}

func wantDoubleCountingWarnings(t *testing.T, r *client, lytics bool) {
	t.Helper()
	base := with(jobBase, map[string]any{"table": "orders", "timestamp_column": "updated_at", "stream": "s"})
	warnings := func(resource string, values map[string]any) (found []*tfprotov6.Diagnostic) {
		t.Helper()
		for _, d := range r.plan(resource, nil, build(r.typ(resource), values)).Diagnostics {
			if strings.Contains(d.Summary, "more than once") {
				found = append(found, d)
			}
		}
		return found
	}
	check := func(what string, got []*tfprotov6.Diagnostic, attribute string) {
		t.Helper()
		if len(got) != 1 || got[0].Severity != tfprotov6.DiagnosticSeverityWarning || got[0].Attribute.String() != `AttributeName("`+attribute+`")` {
			t.Fatalf("%s: got %q, want one warning at %s", what, messages(got), attribute)
		}
		for _, want := range []string{"latestmap", "map(KEY, total)", "mapping total of field spent", "main.sales.orders by updated_at"} {
			if !strings.Contains(got[0].Detail, want) {
				t.Errorf("%s: got %q, want %q in it", what, got[0].Detail, want)
			}
		}
		if says := strings.Contains(got[0].Detail, "upload is repeated"); says != lytics {
			t.Errorf("%s: got %v, want %v for whether it says that Lytics adds a repeated upload", what, says, lytics)
		}
	}
	warnings("lytics_field", map[string]any{"id": "spent", "type": "number", "merge_operation": "sum"})
	warnings("lytics_field", map[string]any{"id": "name", "type": "string"})
	warnings("lytics_field", map[string]any{"id": "totals", "type": "map[string]number", "merge_operation": "latestmap"})
	sum := map[string]any{"stream": "s", "field": "spent", "expression": "total"}
	if got := warnings("lytics_mapping", sum); len(got) != 0 {
		t.Errorf("before the import is known: got %q, want no warning", messages(got))
	}
	warnings("lytics_mapping", map[string]any{"stream": "s", "field": "name", "expression": "name"})
	warnings("lytics_mapping", map[string]any{"stream": "s", "field": "totals", "expression": "map(order_id, total)"})
	check("the import's plan", warnings("lytics_databricks_table_import", base), "timestamp_column")
	check("the mapping's plan", warnings("lytics_mapping", sum), "expression")
	if got := warnings("lytics_databricks_table_import", with(base, map[string]any{"timestamp_column": "created_at"})); len(got) != 0 {
		t.Errorf("by a timestamp that does not change: got %q, want no warning", messages(got))
	}
}
