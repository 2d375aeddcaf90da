package jobstest_test

import (
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs/jobstest"
)

func TestFakeConforms(t *testing.T) {
	t.Parallel()
	jobstest.Conformance(t, func(*testing.T, bool) jobstest.Opener {
		env := jobstest.NewEnvironment()
		return func() jobs.API { return env.Open("memory") }
	})
}
