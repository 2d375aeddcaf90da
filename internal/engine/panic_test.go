package engine_test

import (
	"context"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/panics"
)

// checklist 73: a panic of a run in the process of an apply fails that run, with its
// message and its stack in the log. The process and its other runs go on.
func TestAPanicFailsItsRunOnly(t *testing.T) {
	t.Parallel()
	type row struct{ email string }
	e := process(t, t.TempDir(), func(_ context.Context, job jobs.Job, p engine.Progress) error {
		var rows []row
		switch job.Import.Table {
		case "malformed":
			p.Phase(rows[len(job.Label)].email, 0)
		case "value":
			panic(row{"ann@example.com"})
		case "explained":
			err := panics.Catch(func() error { panic(row{"ann@example.com"}) })
			return &jobs.Error{Code: jobs.CodeFailed, Summary: "The answer is malformed", Detail: err.Error(), Err: err}
		}
		return nil
	})
	for table, want := range map[string]string{
		"malformed": "panic: runtime error: index out of range [9] with length 0",
		"value":     "panic: a value of type engine_test.row",
		"explained": "panic: a value of type engine_test.row",
		"good":      "",
	} {
		run, err := e.WaitRun(t.Context(), start(t, e, createJob(t, e, table), jobs.ReasonApply).ID, nil)
		if err != nil {
			t.Fatal(err)
		}
		if want == "" {
			if run.Status != jobs.StatusSucceeded {
				t.Errorf("%s: %+v", table, run)
			}
			continue
		}
		if run.Status != jobs.StatusFailed || run.Failure.Code != jobs.CodeFailed || !strings.Contains(run.Failure.Detail, want) {
			t.Errorf("%s: %+v", table, run.Failure)
		}
		if table == "explained" && run.Failure.Summary != "The answer is malformed" {
			t.Errorf("%s: got %q, want the summary of the error", table, run.Failure.Summary)
		}
		lines, err := e.RunLog(t.Context(), run.ID)
		if err != nil {
			t.Fatal(err)
		}
		var log strings.Builder
		for _, l := range lines {
			log.WriteString(l.Level + " " + l.Message + "\n")
		}
		for _, text := range []string{"error " + want, "error   at ", "TestAPanicFailsItsRunOnly", "(internal/engine/panic_test.go:"} {
			if !strings.Contains(log.String(), text) {
				t.Errorf("%s: the log does not contain %q:\n%s", table, text, log.String())
			}
		}
		if strings.Contains(log.String()+run.Failure.String(), "ann@") {
			t.Errorf("%s: a value is shown", table)
		}
	}
}
