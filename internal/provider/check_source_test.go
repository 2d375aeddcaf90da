package provider_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs/jobstest"
)

// The definition says whether its table is checked. The check is part of the apply, and its
// error is shown at the attribute at fault; a plan does not ask.
func TestCheckSourceIsAtApply(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		given map[string]any
		want  bool
	}{
		"left out": {nil, true},
		"false":    {map[string]any{"check_source": false}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := documentedEnvironment(t)
			var sent []jobs.JobSpec
			env.Intercept = func(call *jobstest.Call) (bool, error) {
				switch call.Method {
				case "Catalogs", "Databases", "Tables", "Columns", "ListCatalog", "DryRunOf":
					t.Errorf("%s was called", call.Method)
				case "CreateJob":
					s, _ := call.Args[0].(jobs.JobSpec)
					if sent = append(sent, s); s.ChecksSource() {
						return true, jobs.Invalid("table", `The table "customers" was not found`, "It does not exist.", "Correct it")
					}
				}
				return false, nil
			}
			r := newClient(t, env)
			given := build(r.typ(tableImport), with(importGiven, with(c.given, map[string]any{"schedule": daily(nil)})))
			if plan := r.plan(tableImport, nil, given); failed(plan.Diagnostics) || len(sent) > 0 {
				t.Fatalf("the plan sent %v, and says %v", sent, messages(plan.Diagnostics))
			}
			_, diags := r.apply(t.Context(), tableImport, nil, given)
			if len(sent) != 1 || sent[0].CheckSource == nil {
				t.Fatalf("the apply sent %+v, want one definition that says whether it is checked", sent)
			}
			if d := cmp.Diff(c.want, *sent[0].CheckSource); d != "" {
				t.Errorf("check_source (-want +sent):\n%s", d)
			}
			if failed(diags) != c.want {
				t.Fatalf("the apply says %v, want an error: %t", messages(diags), c.want)
			}
			if c.want {
				checkError(t, diags, "table", "was not found")
			}
		})
	}
}

// A job of an earlier release says nothing of the check, which is no change.
func TestAJobWithoutCheckSourceShowsTheDefault(t *testing.T) {
	t.Parallel()
	env := documentedEnvironment(t)
	r := newClient(t, env)
	given := with(importGiven, map[string]any{"schedule": daily(nil)})
	s := r.create(tableImport, given)
	env.Change(func() {
		for id, j := range env.Only().Jobs {
			j.CheckSource = nil
			env.Only().Jobs[id] = j
		}
	})
	s, diags := r.read(tableImport, s)
	if failed(diags) {
		t.Fatal(messages(diags))
	}
	plan := r.plan(tableImport, s, build(r.typ(tableImport), given))
	if failed(plan.Diagnostics) || !r.value(tableImport, plan.PlannedState).Equal(s.value) {
		t.Errorf("a plan after the refresh has changes: %v", messages(plan.Diagnostics))
	}
}
