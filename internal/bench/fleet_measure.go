package main

import (
	"context"
	"errors"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// fleet is a running fleet.
type fleet struct {
	runners []*fleetProcess
	// postgres is the process that is the ancestor of all of PostgreSQL's.
	postgres int
	// counted reports that PostgreSQL counts statements.
	counted bool
	// conn is a connection to another database than the store's, whose statements are
	// not counted with the fleet's.
	conn *pgx.Conn
}

// fleetResult is what was measured.
type fleetResult struct {
	from, until time.Time
	counted     bool
	// due, begun are runs of the window; late50, late99 and longest are times from
	// the planned to the actual start, in seconds.
	due, begun              int64
	late50, late99, longest float64
	// The CPU times are seconds a minute. otherCPU is that of all other processes.
	runnerCPU             []float64
	postgresCPU, otherCPU float64
	// memory is the peak of the largest runner, in bytes.
	memory      int64
	connections int
	wal         int64
	statements  int64
	// queryTime is the time of all statements, in seconds.
	queryTime float64
	queries   []costlyQuery
	history   int64
	// logRows and auditRows are rows a run, the others bytes a run with their indexes.
	logRows, auditRows             float64
	runBytes, logBytes, auditBytes float64
	// jobBytes is what a job keeps, with its versions and indexes.
	jobBytes float64
	load     string
}

// costlyQuery is a statement with its parameters left out; times are milliseconds.
type costlyQuery struct {
	text        string
	calls       int64
	total, mean float64
}

func (f *fleet) close(ctx context.Context) error {
	var errs []error
	for _, r := range f.runners {
		errs = append(errs, r.stop())
	}
	if f.conn != nil {
		errs = append(errs, f.conn.Close(context.WithoutCancel(ctx)))
	}
	return errors.Join(errs...)
}

// fleetReading is a state of what the processes have used so far.
type fleetReading struct {
	runners  []result
	postgres float64
	// machine is the CPU time of all processes.
	machine float64
	own     float64
	wal     int64
}

func (f *fleet) read(ctx context.Context) (r fleetReading, err error) {
	for _, p := range f.runners {
		u, err := p.usage()
		if err != nil {
			return r, err
		}
		r.runners = append(r.runners, u)
	}
	// Without /proc these stay 0.
	r.postgres, r.machine, r.own = treeCPU(f.postgres), machineCPU(), cpuTime()
	return r, f.conn.QueryRow(ctx, `SELECT (pg_current_wal_lsn() - '0/0')::bigint`).Scan(&r.wal)
}

// measure watches the fleet for fleetMinutes.
func (f *fleet) measure(ctx context.Context) (*fleetResult, error) {
	m := &fleetResult{from: time.Now(), counted: f.counted}
	if f.counted {
		if _, err := f.conn.Exec(ctx, `CREATE EXTENSION IF NOT EXISTS pg_stat_statements`); err != nil {
			return nil, err
		}
		if _, err := f.conn.Exec(ctx, `SELECT pg_stat_statements_reset()`); err != nil {
			return nil, err
		}
	}
	before, err := f.read(ctx)
	if err != nil {
		return nil, err
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for time.Since(m.from) < fleetMinutes*time.Minute {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-tick.C:
		}
		var n int
		err := f.conn.QueryRow(ctx, `SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND backend_type = 'client backend'`,
			fleetDatabase).Scan(&n)
		if err != nil {
			return nil, err
		}
		m.connections = max(m.connections, n)
	}
	after, err := f.read(ctx)
	if err != nil {
		return nil, err
	}
	m.until, m.wal = time.Now(), after.wal-before.wal
	m.postgresCPU = (after.postgres - before.postgres) / fleetMinutes
	m.otherCPU = (after.machine-before.machine-after.own+before.own)/fleetMinutes - m.postgresCPU
	for i := range after.runners {
		cpu := (after.runners[i].CPU - before.runners[i].CPU) / fleetMinutes
		m.runnerCPU = append(m.runnerCPU, cpu)
		m.otherCPU -= cpu
		m.memory = max(m.memory, after.runners[i].Memory)
	}
	m.otherCPU = max(0, m.otherCPU) // below 0 without /proc
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		m.load, _, _ = strings.Cut(string(text), " ")
	}
	if !f.counted {
		return m, nil
	}
	return m, f.readStatements(ctx, m)
}

// readStatements reads what PostgreSQL counted since the reset.
func (f *fleet) readStatements(ctx context.Context, m *fleetResult) error {
	const from = ` FROM pg_stat_statements WHERE dbid = (SELECT oid FROM pg_database WHERE datname = $1)`
	if err := f.conn.QueryRow(ctx, `SELECT sum(calls)::bigint, sum(total_exec_time) / 1000`+from, fleetDatabase).
		Scan(&m.statements, &m.queryTime); err != nil {
		return err
	}
	rows, err := f.conn.Query(ctx, `SELECT query, calls, total_exec_time, mean_exec_time`+from+` ORDER BY total_exec_time DESC LIMIT 10`,
		fleetDatabase)
	if err != nil {
		return err
	}
	m.queries, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (q costlyQuery, err error) {
		err = row.Scan(&q.text, &q.calls, &q.total, &q.mean)
		q.text = shortQuery(q.text)
		return q, err
	})
	return err
}

// shownQuery is the number of characters that are shown of a query.
const shownQuery = 200

// shortQuery makes a query one line that fits into a cell of a table.
func shortQuery(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if cut := []rune(text); len(cut) > shownQuery {
		text = string(cut[:shownQuery]) + "..."
	}
	return strings.ReplaceAll(text, "|", `\|`)
}

// readRuns reads the runs of the window, and what the rows of a run take.
func (m *fleetResult) readRuns(ctx context.Context, url string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, `SET search_path = lytics`); err != nil {
		return err
	}
	// What is due is counted from the schedules: a run that was never queued is late, too.
	m.due = fleetDue * fleetMinutes
	err = conn.QueryRow(ctx, `SELECT count(*), coalesce(percentile_cont(0.5) WITHIN GROUP (ORDER BY late), 0),
		coalesce(percentile_cont(0.99) WITHIN GROUP (ORDER BY late), 0), coalesce(max(late), 0)::double precision
		FROM (SELECT (started_at - planned_at) / 1e6 AS late FROM runs WHERE planned_at >= $1 AND planned_at < $2 AND started_at < $2) AS r`,
		m.from.UnixMicro(), m.until.UnixMicro()).Scan(&m.begun, &m.late50, &m.late99, &m.longest)
	if err != nil {
		return err
	}
	if m.begun == 0 {
		return errors.New("no run began")
	}
	return conn.QueryRow(ctx, `WITH live AS (SELECT count(DISTINCT run_id)::double precision AS n FROM run_log),
		logged AS (SELECT greatest(1, count(*))::double precision AS n FROM run_log),
		audited AS (SELECT greatest(1, count(*))::double precision AS n FROM audit)
		SELECT (SELECT count(*) FROM runs) - (SELECT n FROM live)::bigint, logged.n / live.n, audited.n / live.n,
			pg_total_relation_size('runs') / (SELECT count(*) FROM runs)::double precision,
			pg_total_relation_size('run_log') / live.n, pg_total_relation_size('audit') / live.n,
			(pg_total_relation_size('jobs') + pg_total_relation_size('job_versions')) / (SELECT count(*) FROM jobs)::double precision
		FROM live, logged, audited`).Scan(&m.history, &m.logRows, &m.auditRows, &m.runBytes, &m.logBytes, &m.auditBytes, &m.jobBytes)
}
