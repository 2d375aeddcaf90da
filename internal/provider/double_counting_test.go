package provider_test

import (
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/provider/providertest"
)

// checklist 64
func TestALyticsAccountCountsUpdatedRowsAgain(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	r := newConfiguredClient(t, env, map[string]any{"platform": map[string]any{"lytics": map[string]any{"token": "t"}}})
	base := with(jobBase, map[string]any{"table": "orders", "timestamp_column": "updated_at", "stream": "s"})
	warnings := func(resource string, values map[string]any) (found []string) {
		t.Helper()
		for _, m := range messages(r.plan(resource, nil, build(r.typ(resource), values)).Diagnostics) {
			if strings.Contains(m, "more than once") {
				found = append(found, m)
			}
		}
		return found
	}
	warnings("lytics_field", map[string]any{"id": "spent", "type": "number", "merge_operation": "sum"})
	warnings("lytics_field", map[string]any{"id": "name", "type": "string"})
	sum := map[string]any{"stream": "s", "field": "spent", "expression": "total"}
	if got := warnings("lytics_mapping", sum); len(got) != 0 {
		t.Errorf("before the import is known: %v", got)
	}
	warnings("lytics_mapping", map[string]any{"stream": "s", "field": "name", "expression": "name"})
	if got := warnings("lytics_databricks_table_import", base); len(got) != 1 || !strings.Contains(got[0],
		"latestmap") || !strings.Contains(got[0], "map(KEY, total)") {
		t.Errorf("the import's plan says %v", got)
	}
	if got := warnings("lytics_mapping", sum); len(got) != 1 {
		t.Errorf("the mapping's plan says %v", got)
	}
	if got := warnings("lytics_databricks_table_import", with(base, map[string]any{"timestamp_column": "created_at"})); len(got) != 0 {
		t.Errorf("rows that are only added: %v", got)
	}
}
