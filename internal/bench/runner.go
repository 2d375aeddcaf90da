package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner"
)

// The number of schedules, the number of schedules that are due at the same
// time, and the time for which an idle runner is measured.
const (
	schedules = 10_000
	dueAtOnce = 100
	idleFor   = 30 * time.Second
)

// measureRunner measures the CPU time of an idle runner with 10,000 schedules,
// and how late 100 runs start that are due at the same time.
func measureRunner(ctx context.Context, b *bench) error {
	idle, err := b.process(ctx, work{Kind: "idle", Dir: b.store("idle")}, 0)
	if err != nil {
		return err
	}
	b.add(figure{
		Name: fmt.Sprintf("runner idle with %d schedules, CPU seconds", schedules), Floor: "the time that passed",
		Measured: idle.CPU, Base: idle.Seconds, Unit: "s", Ratio: idle.CPU / idle.Seconds, Goal: 0.02,
	})
	due, err := b.process(ctx, work{Kind: "due", Dir: b.store("due")}, 0)
	if err != nil {
		return err
	}
	b.add(figure{
		Name: fmt.Sprintf("%d runs due at once, the 99th of 100 begins after", dueAtOnce), Floor: "1 s",
		Measured: due.Seconds, Base: 1, Unit: "s", Ratio: due.Seconds, Goal: 1,
	})
	return nil
}

// daemon runs a runner with 10,000 schedules. Some are due at a minute of every
// hour, the others in half a day.
func daemon(ctx context.Context, w work, minute int, do func(context.Context, jobs.API) (result, error)) (r result, err error) {
	o := engine.Options{
		DataDir: filepath.Join(w.Dir, "data"), EncryptionKeyFile: filepath.Join(w.Dir, "key"), AllowPrivateHosts: true,
		Getenv: func(string) string { return "token" },
		// The runs do nothing: other measurements cover their work.
		Work: func(context.Context, jobs.Job, engine.Progress) error { return nil },
	}
	if err := declare(ctx, o, minute); err != nil {
		return r, err
	}
	e := engine.New(o)
	defer func() { err = errors.Join(err, e.Close()) }()
	daemon, err := runner.New(e, runner.Config{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return r, err
	}
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- daemon.Run(ctx) }()
	r, err = do(ctx, daemon.API())
	stop()
	return r, errors.Join(err, <-ended)
}

func declare(ctx context.Context, o engine.Options, minute int) (err error) {
	e := engine.New(o)
	defer func() { err = errors.Join(err, e.Close()) }()
	later := time.Now().UTC().Add(12 * time.Hour).Format("15:04")
	var authorization string
	for i := range schedules {
		if i%dueAtOnce == 0 || i < dueAtOnce { // each of the schedules that are due at the same time has a separate warehouse
			a, err := e.CreateAuthorization(ctx, jobs.AuthorizationChange{AuthorizationSpec: jobs.AuthorizationSpec{
				Label: fmt.Sprint(i), Host: "http://127.0.0.1", Port: 1, HTTPPath: fmt.Sprintf("/sql/1.0/warehouses/%d", i), TokenEnv: "BENCH",
			}})
			if err != nil {
				return err
			}
			authorization = a.ID
		}
		s := jobs.Schedule{Frequency: jobs.Daily, TimeOfDay: later}
		if i < dueAtOnce {
			s = jobs.Schedule{Frequency: jobs.Hourly, TimeOfDay: fmt.Sprintf("00:%02d", minute)}
		}
		_, err := e.CreateJob(ctx, jobs.JobSpec{
			Label: fmt.Sprint(i), AuthorizationID: authorization, QueryTimeout: time.Hour, Schedule: &s,
			Import: &jobs.TableImport{Catalog: "main", Database: "bench", Table: fmt.Sprintf("t%d", i), TimestampColumn: "ts", Stream: "s"},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func idleRunner(ctx context.Context, w work, _ func(result)) (result, error) {
	return daemon(ctx, w, (time.Now().Minute()+30)%60, func(context.Context, jobs.API) (result, error) {
		time.Sleep(5 * time.Second) // the runner has started
		watch := startWatch()
		time.Sleep(idleFor)
		return watch.stop(schedules), nil
	})
}

// dueRunner returns the 99th percentile of the time from the planned to the
// actual start.
func dueRunner(ctx context.Context, w work, _ func(result)) (result, error) {
	// Creating the jobs takes some time.
	minute := time.Now().Add(3 * time.Minute).Minute()
	return daemon(ctx, w, minute, func(ctx context.Context, api jobs.API) (result, error) {
		deadline := time.Now().Add(waitTimeout)
		for time.Now().Before(deadline) {
			runs, err := api.ListRuns(ctx, jobs.RunFilter{Limit: 2 * dueAtOnce})
			if err != nil {
				return result{}, err
			}
			var late []time.Duration
			for _, r := range runs {
				if r.PlannedAt != nil && r.StartedAt != nil {
					late = append(late, r.StartedAt.Sub(*r.PlannedAt))
				}
			}
			if len(late) >= dueAtOnce {
				slices.Sort(late)
				return result{Rows: int64(len(late)), Seconds: late[len(late)*99/100-1].Seconds(), CPU: cpuTime()}, nil
			}
			time.Sleep(time.Second)
		}
		return result{}, errors.New("the due runs did not start")
	})
}
