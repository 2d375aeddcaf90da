package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest/process"
)

// startTimeout bounds the start of the sandbox.
const startTimeout = 2 * time.Minute

// startSource starts a sandbox with the table main.bench.peers.
func startSource(ctx context.Context, binary, data string, rows int) (*process.Sandbox, error) {
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, err
	}
	s, err := process.Start(ctx, process.Options{
		Binary: binary, Args: []string{"-data", data, "-tls"}, Stderr: os.Stderr, Timeout: startTimeout,
	})
	if err != nil {
		return nil, err
	}
	if err := createTable(ctx, s, rows); err != nil {
		return nil, errors.Join(fmt.Errorf("creating the table: %w", err), s.Stop())
	}
	return s, nil
}

// createTable creates a table of ten columns. A million rows have about 60 MB as Parquet,
// most of them digits in the last column that no codec makes smaller.
func createTable(ctx context.Context, s *process.Sandbox, rows int) (err error) {
	db, err := s.Open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	for _, statement := range []string{
		"CREATE SCHEMA IF NOT EXISTS main.bench",
		fmt.Sprintf(`CREATE TABLE main.bench.peers AS SELECT id, timestamp_micros(1700000000000000 + id * 25000) AS ts,
			concat('user', id, '@example.com') AS email, concat('Name of user ', id %% 100000) AS name,
			CASE id %% 4 WHEN 0 THEN 'DE' WHEN 1 THEN 'US' WHEN 2 THEN 'FR' ELSE 'JP' END AS country,
			CAST(id %% 1000000 AS DECIMAL(12,2)) / CAST(4 AS DECIMAL(12,2)) AS amount, CAST(id %% 997 AS DOUBLE) / 7 AS score,
			id %% 3 = 0 AS active, date_add(DATE '2024-01-01', CAST(id %% 700 AS INT)) AS day,
			concat(md5(CAST(id AS STRING)), substr(md5(CAST(-id AS STRING)), 1, 5)) AS note
			FROM range(0, %d)`, rows),
	} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}
