package temptable_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/temptable"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

func run(t *testing.T, s warehouse.Session, statement string) (rows int64, err error) {
	t.Helper()
	r, err := s.Execute(t.Context(), statement, nil)
	if err != nil {
		return 0, err
	}
	for {
		b, err := r.Next(t.Context())
		if errors.Is(err, io.EOF) {
			return rows, r.Close()
		}
		if err != nil {
			return rows, errors.Join(err, r.Close())
		}
		rows += b.NumRows()
		b.Release()
	}
}

func TestTemporaryTableIsDroppedWithItsSession(t *testing.T) {
	t.Parallel()
	d, err := duck.Open(t.Context(), duck.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	e := temptable.Wrap(d)
	t.Cleanup(func() { _ = e.Close() })
	open := func() warehouse.Session {
		t.Helper()
		s, err := e.OpenSession(context.Background(), warehouse.SessionOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	want := func(s warehouse.Session, statement string, rows int64) {
		t.Helper()
		if got, err := run(t, s, statement); err != nil || got != rows {
			t.Fatalf("%s: %d rows, %v", statement, got, err)
		}
	}
	s, other := open(), open()
	want(s, "CREATE TABLE main.default.t AS SELECT id FROM range(3)", 1)
	want(s, "CREATE TEMPORARY TABLE copied AS SELECT * FROM main.default.t", 1)
	want(s, "INSERT INTO main.default.t VALUES (9)", 1)
	want(s, "SELECT * FROM copied", 3)
	if _, err := run(t, other, "SELECT * FROM copied"); err == nil || !strings.Contains(err.Error(), "TABLE_OR_VIEW_NOT_FOUND") {
		t.Fatalf("another session sees it: %v", err)
	}
	if _, err := run(t, s, "CREATE TEMPORARY TABLE copied AS SELECT 1 AS x"); err == nil {
		t.Fatal("got no error for a second table with the same name")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	want(other, "SHOW TABLES IN main.default", 1)
}
