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

// How many schedules a runner has, how many of them are due at once, and for
// how long it is watched while nothing is due.
const (
	schedules = 10_000
	dueAtOnce = 100
	idleFor   = 30 * time.Second
)

// measureRunner is what a runner with 10,000 schedules costs while nothing is
// due, and how soon 100 runs begin that are due at once.
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

// daemon serves a store of 10,000 schedules, of which some fire at a minute of
// every hour, and the rest in half a day.
func daemon(ctx context.Context, w work, minute int, do func(context.Context, jobs.API) (result, error)) (r result, err error) {
	o := engine.Options{
		DataDir: filepath.Join(w.Dir, "data"), EncryptionKeyFile: filepath.Join(w.Dir, "key"), AllowPrivateHosts: true,
		Getenv: func(string) string { return "token" },
		// What a run does is measured elsewhere.
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
		if i%dueAtOnce == 0 || i < dueAtOnce { // those that are due at once have a warehouse each
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
		time.Sleep(5 * time.Second) // it has begun
		watch := startWatch()
		time.Sleep(idleFor)
		return watch.stop(schedules), nil
	})
}

// dueRunner gives the 99th percentile of the time from the planned to the
// actual beginning.
func dueRunner(ctx context.Context, w work, _ func(result)) (result, error) {
	// Declaring them takes its time.
	minute := time.Now().Add(3 * time.Minute).Minute()
	return daemon(ctx, w, minute, func(ctx context.Context, api jobs.API) (result, error) {
		deadline := time.Now().Add(waiting)
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
		return result{}, errors.New("the due runs did not begin")
	})
}
