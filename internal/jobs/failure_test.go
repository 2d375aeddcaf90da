package jobs_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

func TestErrorJoinsItsPartsAsSentences(t *testing.T) {
	t.Parallel()
	for want, e := range map[string]*jobs.Error{
		"No table. It was dropped. Create it": {Summary: "No table", Detail: "It was dropped.", Next: "Create it"},
		"No table. Create it":                 {Summary: "No table.", Next: "Create it"},
		"No table":                            {Summary: "No table"},
		"It was dropped. Create it":           {Detail: "It was dropped", Next: "Create it"},
	} {
		if got := e.Error(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestFailureOfKeepsPartsAndWrappingText(t *testing.T) {
	t.Parallel()
	cause := errors.New("connection reset")
	e := &jobs.Error{Code: jobs.CodeUnreachable, Attribute: "host", Summary: "No answer. Twice", Detail: "It is down.", Next: "Start it", Err: cause}
	parts := jobs.Failure{Code: jobs.CodeUnreachable, Attribute: "host", Summary: "No answer. Twice", Detail: "It is down.", Next: "Start it"}
	wrapped, joined := parts, parts
	wrapped.Summary = "reading rows: No answer. Twice"
	joined.Detail = "It is down. closing: broken pipe"
	for name, c := range map[string]struct {
		err  error
		want jobs.Failure
	}{
		"the error itself":         {e, parts},
		"wrapped":                  {fmt.Errorf("reading rows: %w", e), wrapped},
		"joined with another":      {errors.Join(e, errors.New("closing: broken pipe")), joined},
		"an error without parts":   {cause, jobs.Failure{Code: jobs.CodeFailed, Summary: "connection reset"}},
		"an Error without a code":  {&jobs.Error{Summary: "No"}, jobs.Failure{Code: jobs.CodeFailed, Summary: "No"}},
		"an Error with only a why": {&jobs.Error{Detail: "No"}, jobs.Failure{Code: jobs.CodeFailed, Detail: "No"}},
	} {
		if d := cmp.Diff(c.want, jobs.FailureOf(c.err)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
	if !jobs.IsCode(fmt.Errorf("a: %w", e), jobs.CodeUnreachable) || jobs.IsCode(cause, jobs.CodeUnreachable) || !errors.Is(e, cause) {
		t.Error("the code or the cause of a wrapped error is not found")
	}
}

// Older clients read the texts of a run's failure; an older runner sends only
// the texts.
func TestRunJSONHasFailureAsPartsAndAsTexts(t *testing.T) {
	t.Parallel()
	run := jobs.Run{ID: "run_1", Status: jobs.StatusFailed, Counts: jobs.Counts{RowsRead: 7}, Failure: jobs.Failure{
		Code: jobs.CodeForbidden, Summary: "No right", Detail: "The warehouse said so.", Next: "Grant it", Attribute: "host"}}
	text, err := json.Marshal(run)
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(text, &fields); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]any{
		"error": "No right. The warehouse said so. Grant it", "error_next": "Grant it", "error_code": "forbidden", "error_attribute": "host",
		"rows_read": 7.0, "status": "failed",
		"failure": map[string]any{"code": "forbidden", "summary": "No right", "detail": "The warehouse said so.", "next": "Grant it", "attribute": "host"},
	} {
		if d := cmp.Diff(want, fields[name]); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
	var back jobs.Run
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(run, back); d != "" {
		t.Errorf("read again (-want +got):\n%s", d)
	}
	earlier := `{"id": "run_2", "status": "failed", "error": "No right. The warehouse said so. Grant it", "error_next": "Grant it", "error_code": "forbidden"}`
	var fromEarlier jobs.Run
	if err := json.Unmarshal([]byte(earlier), &fromEarlier); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(jobs.Failure{Code: jobs.CodeForbidden, Summary: "No right. The warehouse said so.", Next: "Grant it"}, fromEarlier.Failure); d != "" {
		t.Errorf("from an earlier release (-want +got):\n%s", d)
	}
}

func TestJSONOfASuccessfulRunHasNoFailure(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(jobs.Run{ID: "run_1", Status: jobs.StatusSucceeded})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "error") || strings.Contains(string(text), "failure") {
		t.Errorf("got %s, want no error and no failure", text)
	}
}
