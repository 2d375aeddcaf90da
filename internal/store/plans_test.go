package store_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store/storetest"
)

// A store with 2,000 jobs and 20,000 ended runs, whose statistics PostgreSQL collected
// while no run was active: what a runner executes for each run and each schedule reads a
// few entries of one index, without a sort.
func TestFrequentQueriesReadTheirIndex(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	url := storetest.URL(t)
	db, err := store.Open(ctx, store.Location{DatabaseURL: jobs.NewSecret(url)}, false)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	j := job(t, db, authorization(t, db).ID, "a")
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	for _, query := range []string{
		`SET search_path = lytics`,
		`INSERT INTO jobs SELECT r.* FROM jobs AS j, generate_series(1, 2000) AS n,
			jsonb_populate_record(j, jsonb_build_object('id', 'job_' || n, 'key', 'key ' || n, 'next_run_at', n / 1000, 'created_at', n)) AS r`,
		`INSERT INTO runs (id, job_id, authorization_id, status, reason, epoch, created_at, finished_at)
			SELECT 'run_' || n, 'job_' || n % 2000, '` + j.AuthorizationID + `', 'succeeded', 'schedule', 1, n, n
			FROM generate_series(1, 20000) AS n`,
		`ANALYZE`,
	} {
		if _, err := conn.Exec(ctx, query); err != nil {
			t.Fatal(err)
		}
	}
	for query, index := range store.FrequentQueries() {
		arguments := strings.Repeat(`, '1'`, strings.Count(query, "$"))
		if _, err := conn.Exec(ctx, `PREPARE frequent AS `+query, pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Fatal(err)
		}
		rows, err := conn.Query(ctx, `EXPLAIN EXECUTE frequent (`+strings.TrimPrefix(arguments, ", ")+`)`)
		if err != nil {
			t.Fatal(err)
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Exec(ctx, `DEALLOCATE frequent`); err != nil {
			t.Fatal(err)
		}
		plan := strings.Join(lines, "\n")
		if !strings.Contains(plan, "using "+index) || strings.Contains(plan, "Sort") || strings.Contains(plan, "Seq Scan on runs") {
			t.Errorf("%s\nis executed without %s:\n%s", query, index, plan)
		}
	}
}
