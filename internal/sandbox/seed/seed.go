// Package seed creates the example data of -seed and loads the files of -load.
// The example data is the same in every run, and holds the awkward values that
// real data has.
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

// DefaultRows is the default number of customers.
const DefaultRows = 100_000

// table is a table of the example data: its definition, and the query that fills
// it, in which {rows} stands for the number of customers.
type table struct {
	name   string
	create string
	fill   string
	// rows returns the number of rows for a number of customers.
	rows func(customers int) int
}

// Tables creates the catalogs main and marketing with their tables. Existing
// tables are left unchanged, so that a warehouse kept on disk is seeded once.
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
		if err := execute(ctx, s, st); err != nil {
			return err
		}
	}
	for _, t := range tables {
		if err := makeTable(ctx, s, t, rows, progress); err != nil {
			return err
		}
	}
	for _, v := range views {
		if err := execute(ctx, s, v); err != nil {
			return err
		}
	}
	return nil
}

func makeTable(ctx context.Context, s warehouse.Session, t table, rows int, progress func(string)) error {
	create := fmt.Sprintf("CREATE TABLE %s %s", t.name, t.create)
	if err := execute(ctx, s, create); err != nil {
		var e *warehouse.Error
		if errors.As(err, &e) && e.Class == "TABLE_OR_VIEW_ALREADY_EXISTS" {
			return nil
		}
		return err
	}
	if progress != nil {
		progress(fmt.Sprintf("seeding %s: %s rows", strings.ReplaceAll(t.name, "`", ""), thousands(t.rows(rows))))
	}
	return execute(ctx, s, "INSERT INTO "+t.name+" "+strings.ReplaceAll(t.fill, "{rows}", strconv.Itoa(rows)))
}

// thousands formats 100000 as 100,000.
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// execute executes a statement and reads its result to the end.
func execute(ctx context.Context, s warehouse.Session, statement string) error {
	r, err := s.Execute(ctx, statement, nil)
	if err != nil {
		return fmt.Errorf("seed the sandbox with %.60q: %w", statement, err)
	}
	defer func() { _ = r.Close() }()
	for {
		b, err := r.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("seed the sandbox with %.60q: %w", statement, err)
		}
		b.Release()
	}
}

// Load creates a table from a Parquet or CSV file, and its catalog and schema if
// they do not exist. A CSV file has a header; its types are inferred as Spark
// infers them.
func Load(ctx context.Context, e *duck.Engine, name, file string) error {
	_, err := e.LoadFile(ctx, name, file)
	return err
}
