package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// measureFeedSpark is measureFeed on Spark with Delta, whose own metric counts the rows that
// its tasks read: those of the change files, and the entries of the table's log.
func measureFeedSpark(ctx context.Context, b *bench) (err error) {
	if _, err := os.Stat(b.options.sparkHome); err != nil {
		fmt.Println("  LEFT OUT: there is no Spark; make spark installs it")
		return nil
	}
	const name, changed = "spark-profiled", 1_000
	s, err := b.start(ctx, name, "-engine", "spark", "-spark-home", b.options.sparkHome, "-profile")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Stop()) }()
	rows := b.options.rows
	if err := s.table(ctx, "grown", rows); err != nil {
		return err
	}
	if err := s.exec(ctx, "ALTER TABLE main.bench.grown SET TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')"); err != nil {
		return err
	}
	w := work{Kind: "import", Sandbox: s, Table: "grown", Dir: b.store("feed-spark"), Rows: rows}
	if _, err := b.process(ctx, w, 0); err != nil {
		return err
	}
	if err := s.exec(ctx, updateOf("main.bench.grown", rows, changed)); err != nil {
		return err
	}
	events := filepath.Join(b.dir, name, "events")
	before, err := s.rowsReadBySpark(ctx, events)
	if err != nil {
		return err
	}
	w.Rows = changed
	if _, err := b.process(ctx, w, 0); err != nil {
		return err
	}
	after, err := s.rowsReadBySpark(ctx, events)
	if err != nil {
		return err
	}
	scanned := float64(after - before)
	b.add(figure{
		Name:  fmt.Sprintf("rows scanned for %d changed ones in %s, with the change data feed, on Spark", changed, short(rows)),
		Floor: "five times the rows that changed", Measured: scanned, Base: 5 * changed, Unit: "rows",
		Ratio: scanned / (5 * changed), Goal: 1,
	})
	return os.RemoveAll(w.Dir)
}

// rowsReadBySpark returns the sum of Spark's metric "Records Read" over all tasks that ended
// before the call. Spark writes its event log a moment after its jobs end, in their order, so a
// job of a statement that is known by its text is waited for.
func (s *sandbox) rowsReadBySpark(ctx context.Context, dir string) (int64, error) {
	marker := fmt.Sprintf("SELECT count(*) AS marker_%d FROM range(1)", time.Now().UnixNano())
	if err := s.exec(ctx, marker); err != nil {
		return 0, err
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) != 1 {
		return 0, errors.Join(err, fmt.Errorf("%d event logs in %s", len(files), dir))
	}
	for {
		rows, marked, err := rowsRead(files[0], marker)
		if err != nil || marked {
			return rows, err
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// sparkEvent is what rowsRead needs of a line of Spark's event log.
type sparkEvent struct {
	Event      string
	Properties map[string]string
	Metrics    struct {
		Input struct {
			Records int64 `json:"Records Read"`
		} `json:"Input Metrics"`
	} `json:"Task Metrics"`
}

// rowsRead sums the rows that the tasks of an event log read. marked says whether the log has
// the job of the statement marker, which reads one row.
func rowsRead(file, marker string) (rows int64, marked bool, err error) {
	f, err := os.Open(file)
	if err != nil {
		return 0, false, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	lines := bufio.NewReader(f)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil { // the last line may be written in part
			return rows, marked, nil
		}
		var e sparkEvent
		if err := json.Unmarshal(line, &e); err != nil {
			return 0, false, fmt.Errorf("a line of Spark's event log: %w", err)
		}
		switch e.Event {
		case "SparkListenerTaskEnd":
			rows += e.Metrics.Input.Records
		case "SparkListenerJobStart":
			marked = marked || strings.Contains(e.Properties["spark.job.description"], marker)
		}
	}
}
