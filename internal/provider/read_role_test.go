package provider_test

import (
	"slices"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs/jobstest"
)

// With a runner's token that may only read, Terraform refreshes and plans without a
// finding: what the runner would record of a plan is left to the next apply.
func TestATokenThatOnlyReadsCanPlan(t *testing.T) {
	t.Parallel()
	env := documentedEnvironment(t)
	r := newClient(t, env)
	authorization := r.create("lytics_databricks_authorization", authorizationGiven)
	job := r.create("lytics_databricks_table_import", importGiven)
	field := r.create("lytics_field", map[string]any{"id": "phone", "type": "string"})
	var refused []string
	env.Change(func() {
		env.Intercept = func(c *jobstest.Call) (bool, error) {
			if c.Method == "Confirm" || c.Method == "Claim" {
				refused = append(refused, c.Method)
				return true, &jobs.Error{Code: jobs.CodeForbidden, Attribute: "runner.token", Summary: "The token \"plan\" may not do this"}
			}
			return false, nil
		}
	})
	for resource, s := range map[string]*resourceState{
		"lytics_databricks_authorization": authorization, "lytics_databricks_table_import": job, "lytics_field": field,
	} {
		now, diags := r.read(resource, s)
		if len(diags) > 0 || now == nil {
			t.Errorf("refresh %s: got %q, want none", resource, messages(diags))
		}
	}
	plan := r.plan("lytics_databricks_table_import", job, build(r.typ("lytics_databricks_table_import"), importGiven))
	if failed(plan.Diagnostics) {
		t.Errorf("plan: got %q, want no error", messages(plan.Diagnostics))
	}
	if !slices.Contains(refused, "Confirm") || !slices.Contains(refused, "Claim") {
		t.Errorf("the plan asked for %v, want Confirm and Claim: the test shows nothing", refused)
	}
}
