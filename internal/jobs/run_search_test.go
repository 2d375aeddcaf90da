package jobs_test

import (
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

func TestEqualFailuresOfDifferentJobsHaveOneProblem(t *testing.T) {
	t.Parallel()
	for summary, want := range map[string]string{
		"dbc-1.cloud.databricks.com refused the access token":       "… refused the access token",
		"10.0.0.7:8443 refused the access token":                    "… refused the access token",
		"The import of main.sales.refunds failed: it was refused":   "The import of … failed: it was refused",
		"3,200 rows of main.sales.orders were counted and 3 read":   "… rows of … were counted and … read",
		"The stored cursor of the import \"a b\" cannot be read":    "The stored cursor of the import … cannot be read",
		"Run run_7f3a did not end in time":                          "Run … did not end in time",
		"The warehouse does not answer":                             "The warehouse does not answer",
		"Column `unit price` of the table is missing. Add it again": "Column … of the table is missing. Add it again",
	} {
		if got := jobs.ProblemOf(summary); got != want {
			t.Errorf("%q: got %q, want %q", summary, got, want)
		}
	}
}
