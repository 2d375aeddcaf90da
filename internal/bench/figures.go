package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// measureImport compares the import's CPU and wall time with reading the same
// rows and discarding them as JSON.
func measureImport(ctx context.Context, b *bench) error {
	s, err := b.duckdb(ctx)
	if err != nil {
		return err
	}
	if err := s.table(ctx, "usual", b.options.rows); err != nil {
		return err
	}
	floor, err := b.best(ctx, work{Kind: "floor-json", Sandbox: s, Table: "usual", Rows: b.options.rows})
	if err != nil {
		return err
	}
	plain, err := b.best(ctx, work{Kind: "import", Sandbox: s, Table: "usual", Rows: b.options.rows, Dir: b.store("import")})
	if err != nil {
		return err
	}
	b.add(figure{
		Name: "import into the embedded stream, rows per CPU-second", Floor: "driver Arrow -> JSON text -> discard",
		Measured: plain.perCPU(), Base: floor.perCPU(), Unit: "rows/s", Ratio: plain.perCPU() / floor.perCPU(), Goal: 0.6, AtLeast: true,
	})
	built, err := b.process(
		ctx,
		work{Kind: "import", Sandbox: s, Table: "usual", Rows: b.options.rows, Mapped: true, Dir: b.store("profiles")},
		0,
	)
	if err != nil {
		return err
	}
	b.add(figure{
		Name: "import, wall time", Floor: "the same",
		Measured: plain.Seconds, Base: floor.Seconds, Unit: "s", Ratio: plain.Seconds / floor.Seconds,
		Note: fmt.Sprintf(
			"the sandbox computes JSON and digests of the rows, but not for the floor; peak memory %d MiB",
			plain.Memory>>20,
		),
	})
	b.add(figure{
		Name: "import with profiles built, wall time", Floor: "the same",
		Measured: built.Seconds, Base: floor.Seconds, Unit: "s", Ratio: built.Seconds / floor.Seconds,
		Note: fmt.Sprintf("%d profiles of ten fields", b.options.rows),
	})
	return nil
}

// measureHTTP measures the import into the stand-in for Lytics, over HTTP.
func measureHTTP(ctx context.Context, b *bench) (err error) {
	s, err := b.duckdb(ctx)
	if err != nil {
		return err
	}
	if err := s.table(ctx, "usual", b.options.rows); err != nil {
		return err
	}
	account, stop, err := b.lytics(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	floor, err := b.best(ctx, work{Kind: "floor-json", Sandbox: s, Table: "usual", Rows: b.options.rows, Gzip: true})
	if err != nil {
		return err
	}
	sent, err := b.process(
		ctx,
		work{Kind: "import", Sandbox: s, Table: "usual", Rows: b.options.rows, Lytics: account, Dir: b.store("http")},
		0,
	)
	if err != nil {
		return err
	}
	b.add(figure{
		Name: "import over the HTTP backend, rows per CPU-second", Floor: "driver Arrow -> JSON text -> gzip-1 -> discard",
		Measured: sent.perCPU(), Base: floor.perCPU(), Unit: "rows/s", Ratio: sent.perCPU() / floor.perCPU(), Goal: 0.5, AtLeast: true,
	})
	return nil
}

// lytics starts the stand-in for Lytics in a separate process.
func (b *bench) lytics(ctx context.Context) (*lyticsAccount, func() error, error) {
	const token = "bench"
	cmd := exec.CommandContext(ctx, b.options.lytics, "-api", "127.0.0.1:0", "-bulk", "127.0.0.1:0", "-token", token)
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, fmt.Errorf("the stand-in for Lytics does not start: %w", err)
	}
	account := &lyticsAccount{Token: token}
	for lines := bufio.NewScanner(stdout); lines.Scan() && account.BulkURL == ""; {
		if _, url, ok := strings.Cut(lines.Text(), "LYTICS_API_URL="); ok {
			account.APIURL = url
		}
		if _, url, ok := strings.Cut(lines.Text(), "LYTICS_BULK_URL="); ok {
			account.BulkURL = url
		}
	}
	return account, func() error {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			return err
		}
		_ = cmd.Wait() // the signal that ends it is not an error
		return nil
	}, nil
}

// measureExport compares the export's CPU time with encoding as many rows as
// CSV, compressing them with gzip -1 and discarding them.
func measureExport(ctx context.Context, b *bench) error {
	s, err := b.duckdb(ctx)
	if err != nil {
		return err
	}
	dir := b.store("profiles") // filled by measureImport
	if _, err := os.Stat(dir); err != nil {
		if err := s.table(ctx, "usual", b.options.rows); err != nil {
			return err
		}
		if _, err := b.process(
			ctx,
			work{Kind: "import", Sandbox: s, Table: "usual", Rows: b.options.rows, Mapped: true, Dir: dir},
			0,
		); err != nil {
			return err
		}
	}
	floor, err := b.best(ctx, work{Kind: "floor-csv", Sandbox: s, Rows: b.options.rows})
	if err != nil {
		return err
	}
	moved, err := b.best(ctx, work{Kind: "export-prepared", Sandbox: s, Rows: b.options.rows, Name: "prepared"})
	if err != nil {
		return err
	}
	b.add(figure{
		Name: "export of a prepared audience, rows per CPU-second", Floor: "CSV by hand + gzip-1 -> discard",
		Measured: moved.perCPU(), Base: floor.perCPU(), Unit: "rows/s", Ratio: moved.perCPU() / floor.perCPU(), Goal: 0.7, AtLeast: true,
		Note: "from profiles to the table, without the platform's scan",
	})
	var best result
	for i := range b.options.runs {
		r, err := b.process(ctx, work{Kind: "export", Sandbox: s, Rows: b.options.rows, Dir: dir, Name: fmt.Sprint(i)}, 0)
		if err != nil {
			return err
		}
		if i == 0 || r.CPU < best.CPU {
			best = r
		}
	}
	b.add(figure{
		Name: "export with the embedded platform's scan, rows per CPU-second", Floor: "the same",
		Measured: best.perCPU(), Base: floor.perCPU(), Unit: "rows/s", Ratio: best.perCPU() / floor.perCPU(),
	})
	b.add(figure{
		Name:     "export, wall time",
		Floor:    "the same",
		Measured: best.Seconds,
		Base:     floor.Seconds,
		Unit:     "s",
		Ratio:    best.Seconds / floor.Seconds,
		Note:     "with COPY INTO and the replace at the sandbox",
	})
	return nil
}

// measureResume kills an import at 90 % and measures the rest of it.
func measureResume(ctx context.Context, b *bench) error {
	s, err := b.duckdb(ctx)
	if err != nil {
		return err
	}
	return b.resume(ctx, s, "DuckDB", 10*b.options.rows)
}

func measureResumeSpark(ctx context.Context, b *bench) (err error) {
	if _, err := os.Stat(b.options.sparkHome); err != nil {
		fmt.Println("  LEFT OUT: there is no Spark; make spark installs it")
		return nil //nolint:nilerr // printed above
	}
	if b.spark, err = b.start(ctx, "spark", "-engine", "spark", "-spark-home", b.options.sparkHome); err != nil {
		return err
	}
	return b.resume(ctx, b.spark, "Spark", 2*b.options.rows)
}

func (b *bench) resume(ctx context.Context, s *sandbox, name string, rows int) error {
	if err := s.table(ctx, "resumed", rows); err != nil {
		return err
	}
	whole, err := b.process(ctx, work{Kind: "import", Sandbox: s, Table: "resumed", Rows: rows, Dir: b.store("whole")}, 0)
	if err != nil {
		return err
	}
	dir := b.store("killed")
	w := work{Kind: "import", Sandbox: s, Table: "resumed", Dir: dir}
	if _, err := b.process(ctx, w, 0.9); err != nil {
		return err
	}
	rest, err := b.process(ctx, w, 0)
	if err != nil {
		return err
	}
	b.add(figure{
		Name: "resume after a kill at 90 %, on " + name, Floor: fmt.Sprintf("a whole run of %s rows", short(rows)),
		Measured: rest.Seconds, Base: whole.Seconds, Unit: "s", Ratio: rest.Seconds / whole.Seconds, Goal: 0.2,
		Note: fmt.Sprintf("%d rows were left", rest.Rows),
	})
	return errors.Join(os.RemoveAll(b.store("whole")), os.RemoveAll(dir))
}

func (b *bench) store(name string) string { return filepath.Join(b.dir, "store-"+name) }

// waitTimeout bounds the waits of a measurement.
const waitTimeout = 5 * time.Minute

// measureIncremental measures the rows that a run reads to find 1,000 new rows
// in ten million, with half a million rows in the lookback window.
func measureIncremental(ctx context.Context, b *bench) (err error) {
	const fresh, window = 1_000, 500_000
	rows := 10 * b.options.rows
	s, err := b.start(ctx, "profiled", "-profile")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Stop()) }()
	if err := s.table(ctx, "grown", rows); err != nil {
		return err
	}
	w := work{Kind: "import", Sandbox: s, Table: "grown", Dir: b.store("incremental"), Lookback: window * 25 * time.Millisecond}
	if _, err := b.process(ctx, w, 0); err != nil {
		return err
	}
	if err := s.exec(ctx, "INSERT INTO main.bench.grown "+tableRows(rows, rows+fresh)); err != nil {
		return err
	}
	if err := s.forget(ctx); err != nil {
		return err
	}
	w.Rows = fresh
	if _, err := b.process(ctx, w, 0); err != nil {
		return err
	}
	scanned, err := s.scanned(ctx)
	if err != nil {
		return err
	}
	const least = fresh + window + 1 // the window includes both of its ends
	b.add(figure{
		Name: fmt.Sprintf("rows scanned for %d new ones in %s", fresh, short(rows)), Floor: "the new rows and the lookback window",
		Measured: float64(scanned), Base: least, Unit: "rows", Ratio: float64(scanned) / least, Goal: 2,
	})
	if err := b.measureFeed(ctx, s, w, rows); err != nil {
		return err
	}
	return os.RemoveAll(w.Dir)
}

// updateOf changes some rows all over a table.
func updateOf(table string, rows, changed int) string {
	return fmt.Sprintf("UPDATE %s SET note = 'changed' WHERE id < %d AND id %% %d = 7", table, rows, rows/changed)
}

// measureFeed measures the rows that a run reads with the change data feed, after an
// update of 1,000 rows all over the table. An update has two images of a row.
func (b *bench) measureFeed(ctx context.Context, s *sandbox, w work, rows int) error {
	const changed = 1_000
	if err := s.exec(ctx, "ALTER TABLE main.bench.grown SET TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')"); err != nil {
		return err
	}
	if err := s.exec(ctx, updateOf("main.bench.grown", rows, changed)); err != nil {
		return err
	}
	if err := s.forget(ctx); err != nil {
		return err
	}
	w.Rows = changed
	if _, err := b.process(ctx, w, 0); err != nil {
		return err
	}
	scanned, err := s.scanned(ctx)
	if err != nil {
		return err
	}
	// A year before the first row, far outside of every lookback.
	late := fmt.Sprintf("INSERT INTO main.bench.grown SELECT id, ts - INTERVAL 365 DAYS AS ts, email, name, country, amount, score, active, day, note "+
		"FROM main.bench.grown WHERE id < %d", changed)
	for _, after := range []struct {
		statement string
		events    int64
	}{
		{"INSERT OVERWRITE main.bench.grown SELECT * FROM main.bench.grown", 0},
		{late, changed},
	} {
		if err := s.exec(ctx, after.statement); err != nil {
			return err
		}
		w.Rows = 0
		r, err := b.process(ctx, w, 0)
		if err != nil {
			return err
		}
		if r.Rows != after.events {
			return fmt.Errorf("after %s: got %d events, want %d", after.statement, r.Rows, after.events)
		}
	}
	b.add(figure{
		Name:  fmt.Sprintf("rows scanned for %d changed ones in %s, with the change data feed", changed, short(rows)),
		Floor: "five times the rows that changed", Measured: float64(scanned), Base: 5 * changed, Unit: "rows",
		Ratio: float64(scanned) / (5 * changed), Goal: 1,
		Note: fmt.Sprintf("rebuilt with the same rows, the table gave no event; %d rows a year late gave one each", changed),
	})
	return nil
}
