package jobs

import (
	"encoding/json"
	"strings"
)

// FailureTexts repeats a run's failure as plain fields of the run. A run's JSON
// has them for clients written before "failure" was added.
type FailureTexts struct {
	// Error is the failure's summary, detail and next step in one text.
	Error string `json:"error,omitempty"`
	// ErrorNext is the next step alone.
	ErrorNext string `json:"error_next,omitempty"`
	// ErrorCode is the failure's code.
	ErrorCode Code `json:"error_code,omitempty"`
	// ErrorAttribute is the Terraform attribute at fault.
	ErrorAttribute string `json:"error_attribute,omitempty"`
}

// failure converts the texts to a Failure, for a run from a runner that does
// not send "failure" yet.
func (t FailureTexts) failure() Failure {
	return Failure{
		Code: t.ErrorCode, Summary: strings.TrimSpace(strings.TrimSuffix(t.Error, t.ErrorNext)), Next: t.ErrorNext, Attribute: t.ErrorAttribute,
	}
}

// plainRun is Run without its methods.
type plainRun Run

type runJSON struct {
	plainRun
	FailureTexts
}

// MarshalJSON adds FailureTexts to the run's own fields.
func (r Run) MarshalJSON() ([]byte, error) {
	f := r.Failure
	return json.Marshal(
		runJSON{plainRun(r), FailureTexts{Error: f.String(), ErrorNext: f.Next, ErrorCode: f.Code, ErrorAttribute: f.Attribute}},
	)
}

// UnmarshalJSON takes the failure from FailureTexts if there is no "failure".
func (r *Run) UnmarshalJSON(text []byte) error {
	j := runJSON{plainRun: plainRun(*r)}
	if err := json.Unmarshal(text, &j); err != nil {
		return err
	}
	*r = Run(j.plainRun)
	if r.Failure.IsZero() {
		r.Failure = j.failure()
	}
	return nil
}
