package provider_test

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// Checklist 70: for the replacement of a tainted resource Terraform plans a new one. The
// plan says, at the attribute, what becomes of the job, and that create_before_destroy
// stands in the way.
func TestTheReplacementOfAJobIsExplainedAtPlan(t *testing.T) {
	t.Parallel()
	for resource, c := range map[string]struct {
		given     map[string]any
		attribute string
	}{
		importResource:                      {importGiven, "table"},
		"lytics_databricks_audience_export": {documentedResources["databricks_audience_export"].base, "table_name"},
	} {
		t.Run(resource, func(t *testing.T) {
			t.Parallel()
			env := documentedEnvironment(t)
			env.RunError = &jobs.Error{Code: jobs.CodeFailed, Summary: "broken"}
			r := newClient(t, env)
			config := build(r.typ(resource), c.given)
			if plan := r.plan(resource, nil, config); len(plan.Diagnostics) != 0 {
				t.Errorf("a new job: %v", messages(plan.Diagnostics))
			}
			tainted, _ := r.apply(t.Context(), resource, nil, config)
			tainted, _ = r.read(resource, tainted)

			plan := r.plan(resource, nil, config)
			d := plan.Diagnostics
			if len(d) != 1 || d[0].Severity != tfprotov6.DiagnosticSeverityWarning || !strings.Contains(d[0].Detail, "remove create_before_destroy") ||
				!d[0].Attribute.Equal(tftypes.NewAttributePath().WithAttributeName(c.attribute)) {
				t.Fatalf("got %v, want one warning at %s", messages(d), c.attribute)
			}
			if _, diags := r.apply(t.Context(), resource, nil, config); !failed(diags) {
				t.Error("a create before the destroy is not refused")
			}

			env.FailRuns(nil)
			if _, diags := r.apply(t.Context(), resource, tainted, tftypes.NewValue(r.typ(resource), nil)); failed(diags) {
				t.Fatal(messages(diags))
			}
			again := r.create(resource, c.given)
			if got, want := idOf(t, again), idOf(t, tainted); got != want {
				t.Errorf("the replacement has id %s, want %s", got, want)
			}
			if n := len(env.Only().Runs); n != 2 || env.Only().Runs[0].JobID != env.Only().Runs[1].JobID {
				t.Errorf("the runs are %+v, want two of one job", env.Only().Runs)
			}
		})
	}
}
