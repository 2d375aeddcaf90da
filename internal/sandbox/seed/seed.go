// Package seed makes the example data, which is the same on every run and has the
// awkward values of real data, and loads the user's files.
package seed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// DefaultRows is how many customers there are unless asked otherwise.
const DefaultRows = 100_000

// table is one table of the seed: how it is made, and the query that fills it,
// with {rows} for the number of customers.
type table struct {
	name   string
	create string
	fill   string
	// rows is how many rows it gets for so many customers.
	rows func(customers int) int
}

// Tables makes the catalogs main and marketing with their tables. What is there
// already is left alone, so that a warehouse kept on disk is seeded once.
func Tables(ctx context.Context, s warehouse.Session, rows int, progress func(string)) error {
	if rows <= 0 {
		rows = DefaultRows
	}
	for _, st := range []string{
		"CREATE SCHEMA IF NOT EXISTS main.sales COMMENT 'Customers and what they buy'",
		"CREATE CATALOG IF NOT EXISTS marketing COMMENT 'Owned by the marketing team'",
		"CREATE SCHEMA IF NOT EXISTS marketing.web COMMENT 'The web site'",
		"CREATE SCHEMA IF NOT EXISTS marketing.`e-mail`",
	} {
		if err := run(ctx, s, st); err != nil {
			return err
		}
	}
	for _, t := range tables {
		if err := makeTable(ctx, s, t, rows, progress); err != nil {
			return err
		}
	}
	for _, v := range views {
		if err := run(ctx, s, v); err != nil {
			return err
		}
	}
	return nil
}

func makeTable(ctx context.Context, s warehouse.Session, t table, rows int, progress func(string)) error {
	create := fmt.Sprintf("CREATE TABLE %s %s", t.name, t.create)
	if err := run(ctx, s, create); err != nil {
		var e *warehouse.Error
		if errors.As(err, &e) && e.Class == "TABLE_OR_VIEW_ALREADY_EXISTS" {
			return nil
		}
		return err
	}
	if progress != nil {
		progress(fmt.Sprintf("seeding %s: %s rows", strings.ReplaceAll(t.name, "`", ""), thousands(t.rows(rows))))
	}
	return run(ctx, s, "INSERT INTO "+t.name+" "+strings.ReplaceAll(t.fill, "{rows}", strconv.Itoa(rows)))
}

// thousands writes 100000 as 100,000.
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// run executes a statement and reads its result to the end.
func run(ctx context.Context, s warehouse.Session, statement string) error {
	r, err := s.Execute(ctx, statement, nil)
	if err != nil {
		return fmt.Errorf("seeding the sandbox with %.60q: %w", statement, err)
	}
	defer func() { _ = r.Close() }()
	for {
		b, err := r.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("seeding the sandbox with %.60q: %w", statement, err)
		}
		b.Release()
	}
}

// Load makes a table of a Parquet or CSV file, with its catalog and schema
// where they are missing. A CSV file has a header; its types are inferred as
// Spark infers them.
func Load(ctx context.Context, e *duck.Engine, name, file string) error {
	if _, err := e.LoadFile(ctx, name, file); err != nil {
		return fmt.Errorf("loading %s as the table %s: %w", file, name, err)
	}
	return nil
}
