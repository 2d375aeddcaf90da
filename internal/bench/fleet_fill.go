package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// fillFleet creates the store with the schedules. The engine creates one
// authorization, an hourly and a daily job, and a run; the database copies these rows,
// so that all of them have the form that the engine gives them.
func fillFleet(ctx context.Context, dir, url string) error {
	hourly, daily, run, err := fleetTemplates(ctx, dir, url)
	if err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	for _, s := range []struct {
		query string
		args  []any
	}{
		{`SET search_path = lytics`, nil},
		{copyAuthorizations, []any{fleetWarehouses}},
		// The schedules of a minute have different authorizations: first the hourly ones.
		{copyJobs, []any{fleetHourly, hourly, 60, "t", 0}},
		{copyJobs, []any{fleetDaily, daily, 1440, "d", fleetHourly / 60}},
		{copyRuns, []any{fleetHistory, run, hourly, daily}},
		{`DELETE FROM job_versions WHERE job_id IN ($1, $2)`, []any{hourly, daily}},
		{`INSERT INTO job_versions (job_id, label, authorization_id, managed_by, spec, actor, at)
			SELECT id, label, authorization_id, managed_by, spec, '', created_at FROM jobs WHERE id NOT IN ($1, $2)`, []any{hourly, daily}},
		{`DELETE FROM runs WHERE job_id IN ($1, $2)`, []any{hourly, daily}},
		{`DELETE FROM jobs WHERE id IN ($1, $2)`, []any{hourly, daily}},
		{`TRUNCATE run_log, audit`, nil},
		// Autovacuum would do the same within minutes.
		{`VACUUM ANALYZE`, nil},
	} {
		if _, err := conn.Exec(ctx, s.query, s.args...); err != nil {
			return fmt.Errorf("filling the store: %w", err)
		}
	}
	return nil
}

// fleetTemplates creates the rows to copy, and returns the ids of the jobs and of
// a run.
func fleetTemplates(ctx context.Context, dir, url string) (hourly, daily, run string, err error) {
	e := engine.New(engine.Options{
		DataDir: filepath.Join(dir, "data"), DatabaseURL: jobs.NewSecret(url), EncryptionKeyFile: filepath.Join(dir, "key"),
		AllowPrivateHosts: true, Getenv: func(string) string { return "token" }, Name: "runner-0",
		Work: func(context.Context, jobs.Job, engine.Progress) error { return nil },
	})
	defer func() { err = errors.Join(err, e.Close()) }()
	auth, err := e.CreateAuthorization(ctx, jobs.AuthorizationChange{AuthorizationSpec: jobs.AuthorizationSpec{
		Label: "warehouse", Host: "http://127.0.0.1", Port: 1, HTTPPath: "/sql/1.0/warehouses/template", TokenEnv: "BENCH",
	}})
	if err != nil {
		return "", "", "", err
	}
	create := func(table string, frequency jobs.Frequency) (string, error) {
		job, err := e.CreateJob(ctx, jobs.JobSpec{
			Label: table, AuthorizationID: auth.ID, QueryTimeout: time.Hour, Schedule: &jobs.Schedule{Frequency: frequency, TimeOfDay: "00:00"},
			Import: &jobs.TableImport{Catalog: "main", Database: "bench", Table: table, TimestampColumn: "ts"},
		})
		return job.ID, err
	}
	if hourly, err = create("template_t", jobs.Hourly); err != nil {
		return "", "", "", err
	}
	if daily, err = create("template_d", jobs.Daily); err != nil {
		return "", "", "", err
	}
	begun, err := e.StartRun(ctx, hourly, jobs.ReasonSchedule)
	if err != nil {
		return "", "", "", err
	}
	ended, err := e.WaitRun(ctx, begun.ID, nil)
	if err == nil && ended.Status != jobs.StatusSucceeded {
		err = fmt.Errorf("the run to copy ended as %s: %s", ended.Status, ended.Failure)
	}
	return hourly, daily, begun.ID, err
}

// copyAuthorizations makes $1 authorizations auth_0, auth_1 and so on.
const copyAuthorizations = `INSERT INTO authorizations SELECT r.* FROM generate_series(0, $1::int - 1) AS i
	CROSS JOIN authorizations AS a
	CROSS JOIN LATERAL jsonb_populate_record(a, jsonb_build_object('id', 'auth_' || i, 'label', 'warehouse ' || i,
		'http_path', '/sql/1.0/warehouses/' || i)) AS r`

// copyJobs makes $1 jobs from the job $2. Each minute of $3, the period of the schedule
// in minutes, has as many of them as the others. The names of their tables begin with $4,
// and their authorizations with that of number $5.
const copyJobs = `INSERT INTO jobs SELECT r.* FROM generate_series(0, $1::int - 1) AS i
	JOIN jobs AS j ON j.id = $2
	CROSS JOIN LATERAL (SELECT i % $3::int AS minute, 1 + CAST(floor(extract(epoch FROM now()) / 60) AS bigint) AS following,
		$4::text || i AS name) AS m
	CROSS JOIN LATERAL jsonb_populate_record(j, jsonb_build_object(
		'id', 'job_' || substr(md5(m.name), 1, 26), 'label', m.name, 'key', replace(j.key, 'template_' || $4, m.name),
		'authorization_id', 'auth_' || ($5::int + i / $3::int),
		'spec', replace(replace(j.spec, 'template_' || $4, m.name), '"00:00"',
			'"' || lpad((m.minute / 60)::text, 2, '0') || ':' || lpad((m.minute % 60)::text, 2, '0') || '"'),
		'next_run_at', 60000000 * (m.following + (m.minute + $3::int - m.following % $3::int) % $3::int))) AS r`

// copyRuns makes $1 runs of each job but $3 and $4 from the run $2, at the times before
// its next one.
const copyRuns = `INSERT INTO runs SELECT r.* FROM jobs AS j CROSS JOIN generate_series(1, $1::int) AS n
	JOIN runs AS t ON t.id = $2
	CROSS JOIN LATERAL (SELECT j.next_run_at - n * CASE WHEN j.spec LIKE '%"daily"%' THEN 86400000000 ELSE 3600000000 END AS planned) AS p
	CROSS JOIN LATERAL jsonb_populate_record(t, jsonb_build_object(
		'id', 'run_' || substr(md5(j.id || n), 1, 26), 'job_id', j.id, 'authorization_id', j.authorization_id, 'shared', 1,
		'planned_at', p.planned, 'created_at', p.planned + 20000, 'dispatched_at', p.planned + 20000, 'started_at', p.planned + 500000,
		'finished_at', p.planned + 30000000)) AS r
	WHERE j.id NOT IN ($3, $4) ORDER BY p.planned`
