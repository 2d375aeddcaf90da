package config

import "github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"

// Target is the store that a provider block or a command uses: the store of a
// runner, or one that the process opens itself.
type Target struct {
	// Runner is nil if the process opens the store that Engine configures.
	Runner *RunnerAddress
	Engine Engine
}

// RunnerAddress is how to reach a runner.
type RunnerAddress struct {
	// URL is https, or http on this machine.
	URL   string
	Token jobs.Secret
	// CAFile is a PEM file with the certificate authority of the runner's
	// certificate; empty means the system's authorities.
	CAFile string
}

// RunnerURLEnv names the environment variable that holds a runner's URL.
const RunnerURLEnv = "LYTICS_RUNNER_URL"

// Complete fills unset values from the environment.
func (a RunnerAddress) Complete(lookup func(string) (string, bool)) RunnerAddress {
	e, token := environment{lookup: lookup}, Secret{a.Token}
	e.text(&a.URL, RunnerURLEnv)
	e.secret(&token, "LYTICS_RUNNER_TOKEN")
	e.text(&a.CAFile, "LYTICS_RUNNER_CA_FILE")
	a.Token = token.Secret
	return a
}
