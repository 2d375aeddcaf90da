package storetest

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/pgtest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// URL returns the URL of a new PostgreSQL database for the test. It has a migrated
// store with an id of its own, which is copied from a database of this process.
func URL(tb testing.TB) string {
	tb.Helper()
	url := pgtest.Copy(tb, func(template string) error {
		db, err := store.Open(context.Background(), store.Location{DatabaseURL: jobs.NewSecret(template)}, true)
		if err != nil {
			return err
		}
		return db.Close()
	})
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, `UPDATE store SET id = $1`, store.NewID("st")); err != nil {
		tb.Fatal(err)
	}
	return url
}
