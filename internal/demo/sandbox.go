package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest/process"
)

// sandbox is the local warehouse.
type sandbox struct{ *process.Sandbox }

// startTimeout bounds the start, including the creation of the data.
const startTimeout = 5 * time.Minute

func startSandbox(ctx context.Context, binary string, args []string, out screen) (sandbox, error) {
	s, err := process.Start(
		ctx,
		process.Options{Binary: binary, Args: args, Stdout: out.indented(), Stderr: out.indented(), Timeout: startTimeout},
	)
	return sandbox{s}, err
}

// query runs a statement through the Databricks driver and returns the cells as
// text, with NULL as "NULL".
func (s sandbox) query(ctx context.Context, statement string) (columns []string, cells [][]string, err error) {
	db, err := s.Open()
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	rows, err := db.QueryContext(ctx, statement)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", statement, err)
	}
	defer func() { _ = rows.Close() }()
	if columns, err = rows.Columns(); err != nil {
		return nil, nil, err
	}
	cells, err = process.Texts(rows)
	return columns, cells, errors.Join(err, rows.Err())
}
