package acceptance

import (
	"fmt"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/lyticstest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// judgedHCL includes an audience and names a field that the same apply creates, and
// has texts that the embedded platform cannot read.
const judgedHCL = `
resource "lytics_field" "email" {
  id            = "email"
  type          = "string"
  is_identifier = true
}
resource "lytics_mapping" "email" {
  stream     = "s"
  field      = lytics_field.email.id
  expression = %q
}
resource "lytics_audience" "reachable" {
  name   = "Reachable"
  filter = "EXISTS ${lytics_field.email.id}"
}
resource "lytics_audience" "both" {
  name   = "Both"
  filter = %q
}
`

// With a Lytics account, the account decides about texts: at plan, with its own
// message at the attribute.
func TestLyticsJudgesTextsAtPlan(t *testing.T) {
	t.Parallel()
	account, err := lyticstest.New(lyticstest.Options{Token: lyticsToken, Switches: lyticstest.Switches{ValidateFields: true}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = account.Close() })
	const block = `provider "lytics" {
  platform = {
    lytics = {
      api_url  = %q
      bulk_url = %q
    }
  }
}
`
	provider, own := fmt.Sprintf(block, account.APIURL, account.BulkURL), ""
	if deployment() != embedded {
		provider, own = providerHCL, fmt.Sprintf("platform: {lytics: {api_url: %q, bulk_url: %q}}\n", account.APIURL, account.BulkURL)
	}
	const later, include = "later.function(email)", "FILTER INCLUDE ${lytics_audience.reachable.slug}"
	account.Understand(later)
	hcl := func(expression, filter string) string {
		return provider + strings.ReplaceAll(fmt.Sprintf(judgedHCL, expression, filter), "$${", "${")
	}
	w := newWorkspace(t, sandboxtest.Start(t), hcl(later, include))
	w.runnerConfig, w.env["LYTICS_API_TOKEN"] = own, lyticsToken

	// What Lytics refuses is an error of the plan.
	w.file("main.tf", hcl("emial(email)", include))
	text, code := w.plan()
	if code != 1 {
		t.Errorf("plan with an expression that Lytics refuses exits with %d, want 1:\n%s", code, text)
	}
	wantError(t, text, "Lytics refuses the expression", `expression = "emial(email)"`, "there is no function emial")
	w.file("main.tf", hcl(later, "FILTER EXISTS ("))
	text, code = w.plan()
	if code != 1 {
		t.Errorf("plan with a filter that Lytics refuses exits with %d, want 1:\n%s", code, text)
	}
	wantError(t, text, "Lytics refuses the filter", `filter = "FILTER EXISTS ("`, "Failed parsing segment QL")

	// An account that gives no answer is a warning.
	w.file("main.tf", hcl(later, include))
	account.Inject(lyticstest.Fault{Path: "/api/segment/validate", Status: 403})
	text, code = w.plan()
	if code != 2 {
		t.Errorf("plan with an account that answers 403 exits with %d, want 2:\n%s", code, text)
	}
	wantError(t, text, "Filters and expressions were not checked by the platform", "403")

	// What is not there yet is a warning, and the apply creates it.
	text, code = w.plan()
	if code != 2 {
		t.Errorf("plan exits with %d, want 2:\n%s", code, text)
	}
	wantError(t, text, "Lytics does not take the filter yet", "The account does not have", "and one more similar warning",
		"A Lytics account decides by its own rules")
	w.apply()
	asked := len(account.Requests())
	w.wantNoChanges()
	for _, r := range account.Requests()[asked:] {
		if r.Path == "/api/segment/validate" || r.Path == "/v2/schema/expression/evaluate" {
			t.Errorf("a plan without changes asked %s %s", r.Method, r.Path)
		}
	}
	if text, code := w.terraform("validate", "-no-color"); code != 0 {
		t.Errorf("terraform validate refuses what Lytics takes:\n%s", text)
	}
	if wrong := account.Wrong(); len(wrong) != 0 {
		t.Errorf("requests that are not as documented: %v", wrong)
	}
}
