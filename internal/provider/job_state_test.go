package provider_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/provider/providertest"
)

// State that was written with version 0 of the jobs' schemas is read. What last_run
// keeps is unchanged, and the rest of it is gone.
//
// checklist 9
func TestStateOfVersion0IsUpgraded(t *testing.T) {
	t.Parallel()
	r := newClient(t, providertest.New())
	for resource, want := range map[string]struct {
		written  int64
		triggers int
		gone     string
	}{
		"lytics_databricks_table_import":    {100, 0, "snapshot"},
		"lytics_databricks_audience_export": {7, 1, "bytes"},
	} {
		document, err := os.ReadFile(filepath.Join("testdata", "state", resource+".v0.json"))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := r.server.UpgradeResourceState(t.Context(), &tfprotov6.UpgradeResourceStateRequest{
			TypeName: resource, Version: 0, RawState: &tfprotov6.RawState{JSON: document},
		})
		if err != nil || failed(resp.Diagnostics) {
			t.Fatalf("%s: %v, %v", resource, err, messages(resp.Diagnostics))
		}
		v := r.value(resource, resp.UpgradedState)
		if got := pick(t, v, "last_run", "rows_written"); !got.Equal(tftypes.NewValue(tftypes.Number, want.written)) {
			t.Errorf("%s: rows_written is %s, want %d", resource, got, want.written)
		}
		var triggers, run map[string]tftypes.Value
		if err := pick(t, v, "triggers").As(&triggers); err != nil || len(triggers) != want.triggers || pick(t, v, "triggers").IsNull() {
			t.Errorf("%s: triggers are %v, %v", resource, triggers, err)
		}
		if err := pick(t, v, "last_run").As(&run); err != nil {
			t.Fatal(err)
		}
		if _, has := run[want.gone]; has || run["id"].IsNull() {
			t.Errorf("%s: last_run is %v, want an id and no %s", resource, run, want.gone)
		}
		if pick(t, v, "label").IsNull() {
			t.Errorf("%s: the label is lost", resource)
		}
	}
	broken, err := r.server.UpgradeResourceState(t.Context(), &tfprotov6.UpgradeResourceStateRequest{
		TypeName: "lytics_databricks_table_import", Version: 0, RawState: &tfprotov6.RawState{JSON: []byte(`{"label": [5]}`)},
	})
	if err != nil || !failed(broken.Diagnostics) {
		t.Errorf("a label that is a list is read: %v", err)
	}
}

// {} and no triggers are the same: neither adding nor removing it is a change.
func TestEmptyTriggersAreNoTriggers(t *testing.T) {
	t.Parallel()
	const resource = "lytics_databricks_table_import"
	r := newClient(t, documentedEnvironment(t))
	without := with(importGiven, map[string]any{"triggers": nil})
	s := r.create(resource, without)
	for _, given := range []map[string]any{with(importGiven, map[string]any{"triggers": map[string]any{}}), without} {
		var diags []*tfprotov6.Diagnostic
		if s, diags = r.read(resource, s); failed(diags) {
			t.Fatal(messages(diags))
		}
		plan := r.plan(resource, s, build(r.typ(resource), given))
		if failed(plan.Diagnostics) || !r.value(resource, plan.PlannedState).Equal(s.value) {
			t.Errorf("triggers %v: %v, planned %s", given["triggers"], messages(plan.Diagnostics), r.value(resource, plan.PlannedState))
		}
	}
}
