package protocol

import "github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"

// DryRunRequest is jobs.DryRunRequest.
type DryRunRequest struct {
	Definition jobs.JobSpec         `json:"definition"`
	Connection *AuthorizationChange `json:"connection,omitempty" doc:"Used in place of the authorization of the definition, and not saved."`
	Samples    int                  `json:"samples,omitempty" doc:"The number of samples, at most 100."`
}

// DryRunRequestOf converts a request for the wire.
func DryRunRequestOf(r jobs.DryRunRequest) DryRunRequest {
	out := DryRunRequest{Definition: r.Definition, Samples: r.Samples}
	if r.Connection != nil {
		c := ChangeOf(*r.Connection)
		out.Connection = &c
	}
	return out
}

// Jobs converts the value from the wire.
func (r DryRunRequest) Jobs() jobs.DryRunRequest {
	out := jobs.DryRunRequest{Definition: r.Definition, Samples: r.Samples}
	if r.Connection != nil {
		c := r.Connection.Jobs()
		out.Connection = &c
	}
	return out
}
