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

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/redact"
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
	execute   func(ctx context.Context, runID string) error
	delivered *deliveries
}

// Timeout implements river.Worker. It returns no timeout, because the engine
// bounds a run.
func (w *worker) Timeout(*river.Job[runArgs]) time.Duration { return -1 }

// NextRetry implements river.Worker, for an execution that failed because the
// store could not be written.
func (w *worker) NextRetry(*river.Job[runArgs]) time.Time { return time.Now().Add(afterFailure) }

// Work implements river.Worker.
func (w *worker) Work(ctx context.Context, job *river.Job[runArgs]) error {
	w.delivered.add(job.ID, job.Args.RunID)
	// River stores the text of an error.
	return redact.Error(w.execute(ctx, job.Args.RunID))
}

type queueConfig struct {
	id      string
	workers int
	log     *slog.Logger
	execute func(ctx context.Context, runID string) error
	clock   rivertype.TimeGenerator
	// fetchedBy is a SQL expression over river_job: the process that last fetched
	// the row.
	fetchedBy string
}

// queue delivers runs to workers, by River on the store's database.
type queue struct {
	insert store.Enqueue
	start  func(ctx context.Context) error
	stop   func(ctx context.Context) error
	// oldest returns when the run was queued that has waited longest for a
	// worker; nil if none waits. A run that was queued later is not lost: it
	// waits because the workers are busy.
	oldest    func(ctx context.Context) (*time.Time, error)
	fetchedBy string
}

// forgetAbandoned removes the deliveries that lost processes had fetched. River
// never removes them itself, because runs have no timeout. The sweeper takes
// over the runs when their leases expire.
func (q *queue) forgetAbandoned(ctx context.Context, db *store.DB) error {
	return db.WriteCommitted(ctx, func(tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM river_job WHERE state = 'running' AND `+q.fetchedBy+` NOT IN (SELECT id FROM instances)`)
		return err
	})
}

// newQueue migrates River's tables and returns the queue for the store's
// database.
func newQueue(ctx context.Context, db *store.DB, c queueConfig) (*queue, error) {
	if db.Shared() {
		return postgresQueue(ctx, db, c)
	}
	return sqliteQueue(ctx, db, c)
}

// riverQueue returns the queue on one of River's drivers. unwrap passes the
// driver's transaction within a store transaction.
func riverQueue[Tx any](ctx context.Context, db *store.DB, driver riverdriver.Driver[Tx], c queueConfig, tune func(*river.Config),
	unwrap func(tx *store.Tx, f func(Tx) error) error,
) (*queue, error) {
	delivered := &deliveries{}
	quiet := slog.New(quietHandler{c.log.Handler(), delivered})
	if err := migrateRiver(ctx, db, driver, quiet); err != nil {
		return nil, err
	}
	workers := river.NewWorkers()
	river.AddWorker(workers, &worker{execute: c.execute, delivered: delivered})
	config := &river.Config{
		ID: c.id, Logger: quiet, Workers: workers,
		Queues:     map[string]river.QueueConfig{queueName: {MaxWorkers: c.workers}},
		JobTimeout: -1,
		// River's rows of completed jobs are not needed: the store keeps the runs.
		CompletedJobRetentionPeriod: 10 * time.Minute, CancelledJobRetentionPeriod: 10 * time.Minute, DiscardedJobRetentionPeriod: time.Hour,
	}
	config.Test.Time = c.clock
	tune(config)
	client, err := river.NewClient(driver, config)
	if err != nil {
		return nil, fmt.Errorf("creating the queue: %w", err)
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

// stopTimeout bounds the time to hand over the runs in progress when the runner
// stops.
const stopTimeout = 45 * time.Second

func (q *queue) run(ctx context.Context) error {
	// River must not see the end of ctx: it would stop, but nothing would wait
	// for it.
	if err := q.start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("starting the queue: %w", err)
	}
	<-ctx.Done()
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	if err := q.stop(stop); err != nil {
		return errors.Join(errors.New("runs did not stop in time; other runners will take them over"), err)
	}
	return nil
}
