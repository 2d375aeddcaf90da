package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
)

// measureFirstLoad counts how often a first load reads a table whose rows are in random order
// of the timestamp, and the copy that it makes. A statement that reads the table counts as a
// scan of all of it, whatever its condition, because the table has no order that could skip a
// file. The copy is clustered, and the rows that its statements read count.
func measureFirstLoad(ctx context.Context, b *bench) (err error) {
	rows := b.options.large
	s, err := b.start(ctx, "first-load", "-profile")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Stop()) }()
	// The multiplier has no common divisor with a power of ten, so that each row gets a
	// timestamp of its own.
	err = s.exec(ctx, "CREATE SCHEMA IF NOT EXISTS main.scratch", fmt.Sprintf(
		"CREATE TABLE main.bench.random AS SELECT id, timestamp_micros(1700000000000000 + (id * 7368787) %% %d * 1000) AS ts, "+
			"concat('user', id %% 100000) AS name FROM range(%d)", rows, rows))
	if err = errors.Join(err, s.forget(ctx)); err != nil {
		return err
	}
	w := work{Kind: "import", Sandbox: s, Table: "random", Rows: rows, Dir: b.store("first-load"), Scratch: "main.scratch"}
	if _, err := b.process(ctx, w, 0); err != nil {
		return err
	}
	received, err := s.statements(ctx)
	if err != nil {
		return err
	}
	var table, copied float64
	for _, r := range received {
		switch {
		case strings.HasPrefix(r.Text, "DESCRIBE"):
		case strings.Contains(r.Text, "FROM `main`.`bench`.`random`"):
			table++
		case strings.Contains(r.Text, "FROM `main`.`scratch`"):
			copied += float64(r.RowsScanned) / float64(rows)
		}
	}
	if table == 0 || copied == 0 {
		return fmt.Errorf("of %d statements, %.0f read the table, and the copy was read %.1f times", len(received), table, copied)
	}
	name := fmt.Sprintf("a first load of %s rows in random order", short(rows))
	b.add(figure{Name: name + ", scans of the table", Floor: "one scan", Measured: table, Base: 1, Unit: "scans", Ratio: table, Goal: 2})
	b.add(figure{Name: name + ", scans of the copy", Floor: "one scan", Measured: copied, Base: 1, Unit: "scans", Ratio: copied, Goal: 3})
	return os.RemoveAll(w.Dir)
}
