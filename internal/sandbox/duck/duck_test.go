package duck_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// fixture is an engine with one session.
type fixture struct {
	testing.TB
	engine  *duck.Engine
	session warehouse.Session
}

func open(tb testing.TB, o duck.Options) *fixture {
	tb.Helper()
	e, err := duck.Open(context.Background(), o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := e.Close(); err != nil {
			tb.Error(err)
		}
	})
	b := &fixture{TB: tb, engine: e}
	b.session = b.open(warehouse.SessionOptions{})
	return b
}

func (b *fixture) open(o warehouse.SessionOptions) warehouse.Session {
	b.Helper()
	s, err := b.engine.OpenSession(context.Background(), o)
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// table is a whole result, as text.
type table struct {
	columns []warehouse.Column
	rows    [][]string
}

func run(s warehouse.Session, statement string, params ...warehouse.Parameter) (*table, error) {
	ctx := context.Background()
	r, err := s.Execute(ctx, statement, params)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	t := &table{columns: r.Columns()}
	for {
		batch, err := r.Next(ctx)
		if errors.Is(err, io.EOF) {
			return t, nil
		}
		if err != nil {
			return nil, err
		}
		for i := range int(batch.NumRows()) {
			row := make([]string, batch.NumCols())
			for j := range row {
				row[j] = batch.Column(j).ValueStr(i)
				if row[j] == "(null)" {
					row[j] = "NULL"
				}
			}
			t.rows = append(t.rows, row)
		}
		batch.Release()
	}
}

func joined(row []string) string { return strings.Join(row, " | ") }

func param(name, kind string, value *string) warehouse.Parameter {
	return warehouse.Parameter{Name: name, Type: kind, Value: value}
}

// rows executes statements and returns the last one's rows, their values joined by bars.
func (b *fixture) rows(statements ...string) []string {
	b.Helper()
	var out []string
	for _, s := range statements {
		t, err := run(b.session, s)
		if err != nil {
			b.Fatalf("%s\n%v", s, err)
		}
		out = nil
		for _, r := range t.rows {
			out = append(out, joined(r))
		}
	}
	return out
}

func (b *fixture) exec(statements ...string) { b.Helper(); b.rows(statements...) }

// want executes a statement and compares its rows.
func (b *fixture) want(statement string, rows ...string) {
	b.Helper()
	if got := b.rows(statement); !slices.Equal(got, rows) {
		b.Errorf("%s\n got %q\nwant %q", statement, got, rows)
	}
}

// fails executes a statement that must fail with an error class.
func (b *fixture) fails(statement, class string) {
	b.Helper()
	_ = b.failure(statement, class)
}

// failure returns the error of a statement that must fail with an error class.
func (b *fixture) failure(statement, class string) *warehouse.Error {
	b.Helper()
	_, err := run(b.session, statement)
	var e *warehouse.Error
	if !errors.As(err, &e) || e.Class != class {
		b.Errorf("%s\n got %v\nwant an error of class %s", statement, err, class)
		return &warehouse.Error{}
	}
	return e
}

func header(t *table) string {
	parts := make([]string, len(t.columns))
	for i, c := range t.columns {
		parts[i] = fmt.Sprintf("%s %s", c.Name, c.Type)
	}
	return strings.Join(parts, ", ")
}
