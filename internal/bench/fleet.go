package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/pgtest/pgserver"
)

// The fleet of measureFleet.
const (
	fleetRunners = 4
	// fleetHourly and fleetDaily are numbers of schedules: 971 of the hourly ones and 29
	// of the daily ones are due at each minute.
	fleetHourly = 971 * 60
	fleetDaily  = 29 * 24 * 60
	fleetDue    = 971 + 29
	// fleetWarehouses is the number of authorizations. Runs that are due at the same
	// minute have different ones: a run that waits for its warehouse is other work.
	fleetWarehouses = fleetDue
	// fleetHistory is the number of ended runs of each job, as old as its schedule says.
	fleetHistory = 3
	// fleetMinutes is the measured time.
	fleetMinutes = 3
	// fleetScrape is how often each runner's metrics are read.
	fleetScrape = 15 * time.Second
	// fleetDatabase is the database of the store.
	fleetDatabase = "fleet"
	// fleetSection is the title of the section of the page.
	fleetSection = "A fleet"
)

// fleetSettings are those of a small database server: durable, with the defaults
// of PostgreSQL for all else.
var fleetSettings = []string{"shared_buffers=512MB", "max_connections=200", "max_wal_size=4GB"}

// statementSettings make the server count its statements, by a module of
// PostgreSQL's contrib.
var statementSettings = []string{"shared_preload_libraries=pg_stat_statements", "pg_stat_statements.max=5000"}

// measureFleet measures four runners on one PostgreSQL, with 100,000 schedules of
// which 1,000 are due each minute: how late their runs begin, what they cost, and
// which queries cost most. The runs do nothing: other measurements cover their work.
func measureFleet(ctx context.Context, b *bench) (err error) {
	server, counted, err := startPostgres()
	if errors.Is(err, exec.ErrNotFound) {
		fmt.Println("  LEFT OUT: there is no PostgreSQL; Debian's package postgresql has it")
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	if err := server.CreateDatabase(fleetDatabase, "template0"); err != nil {
		return err
	}
	url := server.URL(fleetDatabase)
	begun := time.Now()
	if err := fillFleet(ctx, b.store("fleet"), url); err != nil {
		return err
	}
	fmt.Printf("  %d schedules and %d ended runs after %.0f s\n", fleetHourly+fleetDaily, (fleetHourly+fleetDaily)*fleetHistory,
		time.Since(begun).Seconds())
	f := fleet{postgres: server.PID(), counted: counted}
	defer func() { err = errors.Join(err, f.close(ctx)) }()
	if f.conn, err = pgx.Connect(ctx, server.URL("postgres")); err != nil {
		return err
	}
	for i := range fleetRunners {
		name := fmt.Sprint(i)
		r, err := b.startFleetRunner(ctx, work{Kind: "fleet-runner", Dir: b.store("fleet-" + name), Database: url, Name: name})
		if err != nil {
			return err
		}
		f.runners = append(f.runners, r)
		if _, err := r.usage(); err != nil {
			return err
		}
	}
	// The window begins in the middle between two minutes at which schedules are due, at
	// least one such minute after the start.
	now := time.Now()
	from := now.Add(40 * time.Second).Truncate(time.Minute).Add(90 * time.Second)
	if err := sleep(ctx, from.Sub(now)); err != nil {
		return err
	}
	m, err := f.measure(ctx)
	if err != nil {
		return err
	}
	if err := m.readRuns(ctx, url); err != nil {
		return err
	}
	b.addFleet(m)
	return nil
}

// startPostgres starts a server that counts its statements, if it can.
func startPostgres() (server *pgserver.Server, counted bool, err error) {
	server, err = pgserver.Start(append(statementSettings, fleetSettings...)...)
	if err == nil || errors.Is(err, exec.ErrNotFound) {
		return server, err == nil, err
	}
	fmt.Println("  LEFT OUT: the statements; this PostgreSQL has no pg_stat_statements, Debian's package postgresql-contrib has it")
	server, err = pgserver.Start(fleetSettings...)
	return server, false, err
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// addFleet adds the figures and the section of the page.
func (b *bench) addFleet(m *fleetResult) {
	b.add(figure{
		Name:  fmt.Sprintf("fleet: %d schedules, %d runners, runs begun a minute", fleetHourly+fleetDaily, fleetRunners),
		Floor: "runs due a minute", Measured: float64(m.begun) / fleetMinutes, Base: float64(m.due) / fleetMinutes, Unit: "runs",
		Ratio: float64(m.begun) / float64(m.due), Goal: 0.99, AtLeast: true,
		Note: fmt.Sprintf("all of a minute are due at its first second; load of the machine %s", m.load),
	})
	b.add(figure{
		Name: fmt.Sprintf("fleet: %d runs due at once, the 99th of 100 begins after", fleetDue), Floor: "a minute",
		Measured: m.late99, Base: 60, Unit: "s", Ratio: m.late99 / 60,
		Note: fmt.Sprintf("the 50th after %.2f s", m.late50),
	})
	var runners float64
	for _, s := range m.runnerCPU {
		runners += s
	}
	for _, c := range []struct {
		who string
		cpu float64
	}{{"PostgreSQL", m.postgresCPU}, {fmt.Sprintf("%d runners together", fleetRunners), runners}} {
		if c.cpu == 0 {
			fmt.Printf("  LEFT OUT: the CPU time of %s; this system has no /proc\n", c.who)
			continue
		}
		b.add(figure{
			Name: "fleet: CPU seconds a minute, " + c.who, Floor: "a core", Measured: c.cpu, Base: 60, Unit: "s", Ratio: c.cpu / 60,
			Note: fmt.Sprintf("%.1f ms a run", c.cpu*1000*fleetMinutes/float64(m.begun)),
		})
	}
	text := m.text()
	fmt.Println(text)
	b.sections = append(b.sections, section{fleetSection, text})
}

// text is the section of the page.
func (m *fleetResult) text() string {
	var t strings.Builder
	perRun := func(v float64) float64 { return v / float64(m.begun) }
	fmt.Fprintf(&t, "`build/bench -only fleet`, a part of `make bench`: %d schedules, %d of them due at the first second of each minute on "+
		"%d authorizations; %d runners and one PostgreSQL (%s) on this machine, measured for %d minutes with %d ended runs in the store. "+
		"The runs do nothing. Each runner's metrics are read every %.0f s, and alerts are on. Other processes of the machine used %.1f CPU "+
		"seconds a minute.\n\n",
		fleetHourly+fleetDaily, fleetDue, fleetWarehouses, fleetRunners, strings.Join(fleetSettings, ", "), fleetMinutes,
		m.history, fleetScrape.Seconds(), m.otherCPU)
	t.WriteString("| what | figure |\n|---|---|\n")
	line := func(what, format string, args ...any) {
		fmt.Fprintf(&t, "| %s | %s |\n", what, fmt.Sprintf(format, args...))
	}
	line("runs begun a minute", "%.0f of %.0f due", float64(m.begun)/fleetMinutes, float64(m.due)/fleetMinutes)
	line("planned to begun, 50th and 99th of 100, longest", "%.2f s, %.2f s, %.2f s", m.late50, m.late99, m.longest)
	line("CPU seconds a minute, PostgreSQL", "%.1f", m.postgresCPU)
	var runners []string
	for _, s := range m.runnerCPU {
		runners = append(runners, fmt.Sprintf("%.1f", s))
	}
	line("CPU seconds a minute, each runner", "%s", strings.Join(runners, ", "))
	line("peak memory of a runner", "%d MiB", m.memory>>20)
	line("connections, most at a time", "%d", m.connections)
	if m.counted {
		line("statements a run", "%.1f", perRun(float64(m.statements)))
	}
	line("WAL a run", "%.1f kB", perRun(float64(m.wal))/1000)
	line("rows of the log and of the audit log a run", "%.1f and %.1f", m.logRows, m.auditRows)
	line("bytes that an ended run keeps: in runs, its log, the audit log", "%.0f, %.0f, %.0f", m.runBytes, m.logBytes, m.auditBytes)
	line("bytes that a job keeps, with a version of its definition", "%.0f", m.jobBytes)
	if len(m.queries) == 0 {
		return t.String()
	}
	fmt.Fprintf(&t, "\nThe %d queries that cost most, of %.1f s a minute that all of them took:\n\n", len(m.queries), m.queryTime/fleetMinutes)
	t.WriteString("| query | calls a minute | ms a minute | mean, ms |\n|---|---:|---:|---:|\n")
	for _, q := range m.queries {
		fmt.Fprintf(&t, "| `%s` | %.0f | %.0f | %.3f |\n", q.text, float64(q.calls)/fleetMinutes, q.total/fleetMinutes, q.mean)
	}
	return t.String()
}
