// Package providertest joins the provider to the fake stores of jobstest. The
// protocol tests of package provider use it, and the tests in terraformtest
// that run Terraform.
package providertest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/config"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs/jobstest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/provider"
)

// Environment is what outlives the provider processes of a test: the stores,
// by their data directory, and the warehouse.
type Environment struct {
	*jobstest.Environment
	// Variables are the environment variables that the provider sees.
	Variables map[string]string
	// RunnerPlace, if set, is where the runner is that owns every data directory.
	RunnerPlace string

	mu      sync.Mutex
	targets []config.Target
	opened  []jobs.API
}

// New makes an environment without stores. Its warehouse has 100 rows in
// main.sales.customers, and each audience has 7 profiles; one of them is Ann's.
func New() *Environment {
	e := &Environment{Environment: jobstest.NewEnvironment()}
	e.Now = func() time.Time { return time.Unix(1700000000, 0).UTC() }
	e.Judge = platform.JudgeDraft
	e.Profiles = make([]jobs.Profile, 7)
	e.Profiles[0] = jobs.Profile{"email": {Text: "ann@example.com"}, "lifetime_value": {Text: "0.10"}, "city": {Null: true}}
	return e
}

// Targets are the configurations that providers opened a store with, in order.
func (e *Environment) Targets() []config.Target {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.targets)
}

// End ends the provider processes normally, as Terraform does.
func (e *Environment) End() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	var errs []error
	for _, api := range e.opened {
		errs = append(errs, api.Close())
	}
	e.opened = nil
	return errors.Join(errs...)
}

// Server starts a provider, as Terraform starts a plugin process.
func (e *Environment) Server() (tfprotov6.ProviderServer, error) {
	return provider.NewServer(provider.New("test", provider.Dependencies{Open: e.open, LookupEnv: e.lookupEnv})()), nil
}

// Factories are those of a resource.TestCase.
func (e *Environment) Factories() map[string]func() (tfprotov6.ProviderServer, error) {
	return map[string]func() (tfprotov6.ProviderServer, error){"lytics": e.Server}
}

// AddRows adds n rows to each table of the warehouse.
func (e *Environment) AddRows(n int) {
	e.Change(func() {
		for table := range e.Rows {
			e.Rows[table] += n
		}
	})
}

// FailRuns makes all following runs fail with err, or succeed if it is nil.
func (e *Environment) FailRuns(err *jobs.Error) {
	e.Change(func() { e.RunError = err })
}

func (e *Environment) lookupEnv(name string) (string, bool) {
	value, ok := e.Variables[name]
	return value, ok
}

func (e *Environment) open(_ context.Context, t config.Target) (jobs.API, error) {
	api := e.Open(t.Engine.DataDir)
	e.mu.Lock()
	e.targets, e.opened = append(e.targets, t), append(e.opened, api)
	e.mu.Unlock()
	if e.RunnerPlace != "" {
		return remoteAPI{api, e.RunnerPlace}, nil
	}
	return api, nil
}

// remoteAPI is the API of a runner.
type remoteAPI struct {
	*jobstest.Fake
	place string
}

// Place implements jobs.Remote.
func (a remoteAPI) Place() string { return a.place }
