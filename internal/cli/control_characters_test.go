package cli_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// harmful would clear the screen, rename the window, forge a row and reverse text.
const harmful = "orders\x1b[2J\x1b]0;owned\a\nforged\trow\r\u009b31m\u202ereversed\x7f"

const escapedText = `orders\u001b[2J\u001b]0;owned\u0007\u000aforged\u0009row\u000d\u009b31m\u202ereversed\u007f`

// checklist 79: labels, names and errors do not reach the terminal as they are.
func TestNoCommandPrintsControlCharacters(t *testing.T) {
	t.Parallel()
	failed := oneRun(jobs.StatusFailed)
	failed.Failure = jobs.Failure{Code: jobs.CodeFailed, Summary: harmful, Detail: harmful}
	f := &fake{
		all:  []jobs.Job{{ID: "job_1", JobSpec: jobs.JobSpec{Label: harmful, Import: &jobs.TableImport{}}, LastRun: &failed}},
		runs: func() []jobs.Run { return []jobs.Run{failed} },
	}
	for _, args := range [][]string{{"jobs"}, {"jobs", "--json"}, {"runs"}, {"runs", "--json"}, {"runs", "--follow"}} {
		code, out, errOut := run(t, f, args...)
		if code != 0 {
			t.Fatalf("%v: code %d, %s", args, code, errOut)
		}
		hasNoControl(t, args, out)
		switch {
		case len(args) == 1 && !strings.Contains(out, escapedText):
			t.Errorf("%v: got %q, want %q in it", args, out, escapedText)
		case len(args) == 1 && strings.Count(out, "\n") != 2:
			t.Errorf("%v: got %q, want a header and one row", args, out)
		case len(args) == 2 && args[1] == "--json":
			var got struct {
				Label string
				Error string
			}
			if err := json.Unmarshal([]byte(out), &got); err != nil || got.Label+got.Error == "" {
				t.Errorf("%v: got %v of %s", args, err, out)
			}
			if got.Label != "" && got.Label != harmful {
				t.Errorf("%v: the label is %q, want %q", args, got.Label, harmful)
			}
		}
	}
	code, out, errOut := run(t, &fake{err: errors.New("the host says " + harmful)}, "jobs")
	if code != 1 || !strings.Contains(errOut, `the host says orders\u001b[2J`) {
		t.Errorf("got code %d, %q", code, errOut)
	}
	hasNoControl(t, []string{"an error"}, out+errOut)
}

func hasNoControl(t *testing.T, args []string, text string) {
	t.Helper()
	if strings.ContainsFunc(text, func(r rune) bool {
		return r != '\n' && r != '\t' && unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)
	}) {
		t.Errorf("%v: %q has control characters", args, text)
	}
}
