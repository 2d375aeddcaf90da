//nolint:thelper // the functions given to atEachLocation are the bodies of subtests
package store_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// earlierStore creates a store with the schema of an earlier release, and
// executes statements on it.
func earlierStore(t *testing.T, at store.Location, schema int64, statements ...string) {
	t.Helper()
	dialect, dir := goose.DialectSQLite3, "migrations/sqlite"
	var db *sql.DB
	if at.DatabaseURL.Empty() {
		if err := os.MkdirAll(at.Dir, 0o700); err != nil {
			t.Fatal(err)
		}
		opened, err := sql.Open("sqlite", filepath.Join(at.Dir, "lytics.db"))
		if err != nil {
			t.Fatal(err)
		}
		db = opened
	} else {
		dialect, dir = goose.DialectPostgres, "migrations/postgres"
		config, err := pgx.ParseConfig(at.DatabaseURL.Reveal())
		if err != nil {
			t.Fatal(err)
		}
		config.RuntimeParams["search_path"] = "lytics"
		db = stdlib.OpenDB(*config)
		statement(t, db, `CREATE SCHEMA lytics`)
	}
	p, err := goose.NewProvider(dialect, db, os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.UpTo(t.Context(), schema); err != nil {
		t.Fatal(err)
	}
	for _, s := range statements {
		statement(t, db, s)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func statement(t *testing.T, db *sql.DB, text string) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), text); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

func TestFailuresRecordedByEarlierReleasesAreShown(t *testing.T) {
	t.Parallel()
	insert := func(id, failure, next string) string {
		return `INSERT INTO runs (id, job_id, authorization_id, status, reason, epoch, phase, created_at, finished_at, error, error_next, error_code, error_attribute)
			VALUES ('` + id + `', 'job_1', 'auth_1', 'failed', 'apply', 1, '', 1, 2, '` + failure + `', '` + next + `', 'forbidden', 'host')`
	}
	want := map[string]jobs.Failure{
		"run_whole": {Code: jobs.CodeForbidden, Attribute: "host", Summary: "No right to read é. The warehouse said so.", Next: "Grant é. Run it again"},
		"run_plain": {Code: jobs.CodeForbidden, Attribute: "host", Summary: "It failed. The cause is unknown"},
		"run_odd":   {Code: jobs.CodeForbidden, Attribute: "host", Summary: "It failed", Next: "Do something else"},
	}
	atEachLocation(t, func(t *testing.T, at store.Location) {
		earlierStore(t, at, 10,
			`INSERT INTO store (one, id) VALUES (1, 'st_earlier')`,
			insert("run_whole", "No right to read é. The warehouse said so. Grant é. Run it again", "Grant é. Run it again"),
			insert("run_plain", "It failed. The cause is unknown", ""),
			insert("run_odd", "It failed", "Do something else"))
		db := openAt(t, at)
		runs, err := db.Runs(t.Context(), jobs.RunFilter{})
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]jobs.Failure{}
		for _, r := range runs {
			got[r.ID] = r.Failure
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("failures after the migration (-want +got):\n%s", d)
		}
		if text := got["run_whole"].String(); text != "No right to read é. The warehouse said so. Grant é. Run it again" {
			t.Errorf("got the whole text %q, want the one that was recorded", text)
		}
	})
}
