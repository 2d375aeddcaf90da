package jobs

import (
	"encoding/json"
	"strings"
)

// FailureTexts are a run's failure as single texts beside its other fields. A
// run's JSON has them for clients written before it had "failure".
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

// failure gives the parts that the texts have: a runner of an earlier release
// sends no others.
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

// UnmarshalJSON takes the failure from FailureTexts where there is no "failure".
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
