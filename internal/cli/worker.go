package cli

import (
	"cmp"
	"log/slog"
	"os"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/config"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/worker"
)

// WorkerCommand is the argument that makes this program a worker process of a runner. The
// help text does not have it: only a runner can talk to a worker.
const WorkerCommand = "worker"

// workerConnections bounds the connections of a worker to a store in PostgreSQL: two for
// writing, and as many for reading meanwhile.
const workerConnections = 4

// runnerOptions are the options of a runner's engine, and of that of its workers.
func (in *invocation) runnerOptions(c config.Runner) engine.Options {
	return engine.RunnerOptions(c, in.Version)
}

// workers is the pool of a runner's worker processes; nil if it executes runs itself.
func (in *invocation) workers(c config.Runner, log *slog.Logger) (*worker.Pool, error) {
	if in.Worker == nil {
		return nil, nil
	}
	settings, err := c.Transfer()
	if err != nil {
		return nil, err
	}
	return worker.NewPool(worker.Config{
		Command: in.Worker, Version: in.Version, Log: log,
		Setup: worker.Setup{Settings: settings, Environment: os.Environ(), MemoryMB: cmp.Or(c.WorkerMemoryMB, worker.DefaultMemoryMB)},
	}), nil
}

// work is the life of a worker process.
func (in *invocation) work() error {
	return worker.Serve(in.Version, func(s worker.Setup) (*engine.Engine, error) {
		c, err := config.Received(s.Settings)
		if err != nil {
			return nil, err
		}
		o := in.runnerOptions(c)
		o.Connections = workerConnections
		return engine.New(o), nil
	})
}
