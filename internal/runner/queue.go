package runner

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/riverqueue/river/rivertype"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// runArgs are the arguments of a River job: the id of a run. The store holds
// everything else.
type runArgs struct {
	RunID string `json:"run_id"`
}

// Kind implements river.JobArgs.
func (runArgs) Kind() string { return "run" }

// queueName is River's queue of runs.
const queueName = "runs"

type worker struct {
	river.WorkerDefaults[runArgs]
	execute func(ctx context.Context, runID string) error
}

// Timeout implements river.Worker: a run has its own deadlines.
func (w *worker) Timeout(*river.Job[runArgs]) time.Duration { return -1 }

// NextRetry implements river.Worker, where the store could not be written.
func (w *worker) NextRetry(*river.Job[runArgs]) time.Time { return time.Now().Add(afterFailure) }

// Work implements river.Worker.
func (w *worker) Work(ctx context.Context, job *river.Job[runArgs]) error {
	return w.execute(ctx, job.Args.RunID)
}

type queueConfig struct {
	id      string
	workers int
	log     *slog.Logger
	execute func(ctx context.Context, runID string) error
	clock   rivertype.TimeGenerator
	// fetchedBy is who fetched a row of River's last, in the database's SQL.
	fetchedBy string
}

// queue is River on the store's own database.
type queue struct {
	insert store.Enqueue
	start  func(ctx context.Context) error
	stop   func(ctx context.Context) error
	// oldest is when the run was handed over that waits longest for a worker:
	// while workers are busy, runs just wait.
	oldest    func(ctx context.Context) (*time.Time, error)
	fetchedBy string
}

// forgetAbandoned removes what processes that are gone had fetched: River itself
// never gives it up, because runs have no timeout. The runs are taken over when
// their leases end.
func (q *queue) forgetAbandoned(ctx context.Context, db *store.DB) error {
	return db.WriteCommitted(ctx, func(tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM river_job WHERE state = 'running' AND `+q.fetchedBy+` NOT IN (SELECT id FROM instances)`)
		return err
	})
}

// newQueue migrates River's tables and makes its client.
func newQueue(ctx context.Context, db *store.DB, c queueConfig) (*queue, error) {
	if db.Shared() {
		return postgresQueue(ctx, db, c)
	}
	return sqliteQueue(ctx, db, c)
}

// riverQueue makes the queue on one of River's drivers. unwrap gives River the
// transaction of a write.
func riverQueue[Tx any](ctx context.Context, db *store.DB, driver riverdriver.Driver[Tx], c queueConfig, tune func(*river.Config),
	unwrap func(tx *store.Tx, f func(Tx) error) error,
) (*queue, error) {
	quiet := slog.New(quietHandler{c.log.Handler()})
	if err := migrateRiver(ctx, db, driver, quiet); err != nil {
		return nil, err
	}
	workers := river.NewWorkers()
	river.AddWorker(workers, &worker{execute: c.execute})
	config := &river.Config{
		ID: c.id, Logger: quiet, Workers: workers,
		Queues:     map[string]river.QueueConfig{queueName: {MaxWorkers: c.workers}},
		JobTimeout: -1,
		// Done jobs say nothing that the runs do not.
		CompletedJobRetentionPeriod: 10 * time.Minute, CancelledJobRetentionPeriod: 10 * time.Minute, DiscardedJobRetentionPeriod: time.Hour,
	}
	config.Test.Time = c.clock
	tune(config)
	client, err := river.NewClient(driver, config)
	if err != nil {
		return nil, fmt.Errorf("making the queue: %w", err)
	}
	return &queue{
		insert: func(ctx context.Context, tx *store.Tx, runIDs []string) error {
			params := make([]river.InsertManyParams, len(runIDs))
			for i, id := range runIDs {
				params[i] = river.InsertManyParams{Args: runArgs{RunID: id}, InsertOpts: &river.InsertOpts{Queue: queueName, MaxAttempts: 5}}
			}
			return unwrap(tx, func(t Tx) error {
				_, err := client.InsertManyFastTx(ctx, t, params)
				return err
			})
		},
		start: client.Start,
		stop:  client.StopAndCancel,
		oldest: func(ctx context.Context) (*time.Time, error) {
			found, err := client.JobList(ctx, river.NewJobListParams().Queues(queueName).States(rivertype.JobStateAvailable).
				OrderBy(river.JobListOrderByScheduledAt, river.SortOrderAsc).First(1))
			if err != nil || len(found.Jobs) == 0 {
				return nil, err
			}
			return &found.Jobs[0].ScheduledAt, nil
		},
		fetchedBy: c.fetchedBy,
	}, nil
}

func migrateRiver[Tx any](ctx context.Context, db *store.DB, driver riverdriver.Driver[Tx], log *slog.Logger) error {
	migrator, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: log})
	if err != nil {
		return err
	}
	unlock, err := db.MigrationLock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	_, err = migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return err
}

// stopTimeout bounds how long runs take to be handed over.
const stopTimeout = 45 * time.Second

func (q *queue) run(ctx context.Context) error {
	// Ending ctx would tell River to stop, but not wait for it.
	if err := q.start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("starting the queue: %w", err)
	}
	<-ctx.Done()
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	if err := q.stop(stop); err != nil {
		return errors.Join(errors.New("runs did not stop in time; other runners take them over"), err)
	}
	return nil
}
