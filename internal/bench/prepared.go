package main

import (
	"context"
	"fmt"
	"iter"
	"strconv"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/exporter"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/staging"
)

// preparedRows is the number of different profiles in a prepared audience.
const preparedRows = 10_000

// preparedCells returns profiles of ten fields and about 120 bytes.
func preparedCells() [][]string {
	rows := make([][]string, preparedRows)
	for i := range rows {
		rows[i] = []string{
			strconv.Itoa(i), time.UnixMicro(1700000000000000 + int64(i)*25000).UTC().Format(time.RFC3339Nano),
			fmt.Sprintf("user%d@example.com", i), fmt.Sprintf("Name of user %d", i), []string{"DE", "US", "FR", "JP"}[i%4],
			strconv.FormatFloat(float64(i)/4, 'f', 2, 64), strconv.FormatFloat(float64(i%997)/7, 'g', -1, 64),
			strconv.FormatBool(i%3 == 0), time.Date(2024, 1, 1+i%700, 0, 0, 0, 0, time.UTC).Format(time.DateOnly),
			fmt.Sprintf("note %d of some length", i%1000),
		}
	}
	return rows
}

// prepared is an audience in memory, so that the measurement excludes the
// platform's scan.
type prepared struct {
	values [][]jobs.Value
	rows   int
}

// prepare creates the profiles before the measurement, as the floor does.
func prepare(rows int) prepared {
	cells := preparedCells()
	p := prepared{values: make([][]jobs.Value, len(cells)), rows: rows}
	for i, row := range cells {
		p.values[i] = make([]jobs.Value, len(row))
		for j, cell := range row {
			p.values[i][j] = jobs.Value{Text: cell}
		}
	}
	return p
}

func (p prepared) Scan(context.Context, string, []string) ([]jobs.Field, iter.Seq2[[]jobs.Value, error], error) {
	fields := []jobs.Field{
		{
			ID:   "id",
			Type: "int",
		}, {ID: "ts", Type: "date"}, {ID: "email", Type: "string"}, {ID: "name", Type: "string"}, {ID: "country", Type: "string"},
		{
			ID:   "amount",
			Type: "number",
		}, {ID: "score", Type: "number"}, {ID: "active", Type: "bool"}, {ID: "day", Type: "string"}, {ID: "note", Type: "string"},
	}
	return fields, func(yield func([]jobs.Value, error) bool) {
		for i := range p.rows {
			if !yield(p.values[i%len(p.values)], nil) {
				return
			}
		}
	}, nil
}

type silent struct{}

func (silent) Phase(string, int64)      {}
func (silent) Advance(int64)            {}
func (silent) Count(func(*jobs.Counts)) {}
func (silent) Warn(string)              {}

type area struct{ *staging.S3 }

func (a area) Create(ctx context.Context, key string) (exporter.Object, error) {
	return a.S3.Create(ctx, key)
}

// exportPrepared exports a prepared audience.
func exportPrepared(ctx context.Context, w work, _ func(result)) (result, error) {
	s3, err := staging.Open(ctx, stagingOf(w.Sandbox))
	if err != nil {
		return result{}, err
	}
	token := jobs.NewSecret(w.Sandbox.Token)
	audience := prepare(w.Rows)
	watch := startWatch()
	err = (&exporter.Export{
		JobID: "job_bench", RunID: "run_" + w.Name,
		Spec: jobs.AudienceExport{AudienceID: "prepared", Catalog: "main", Database: "bench", TableName: "prepared", OverwriteExisting: true},
		Connect: func(ctx context.Context, _ time.Duration) (*databricks.Warehouse, error) {
			return databricks.Open(ctx, databricks.Config{
				Host: w.Sandbox.Host, Port: w.Sandbox.Port, HTTPPath: w.Sandbox.HTTPPath, AllowPrivateHosts: true,
				Token: func(context.Context) (jobs.Secret, error) { return token, nil }, UserAgent: "terraform-provider-lytics/bench",
			})
		},
		Audiences: audience, Staging: area{s3}, Progress: silent{},
		Fence: func(context.Context) error { return nil },
	}).Run(ctx)
	return watch.stop(int64(w.Rows)), err
}
