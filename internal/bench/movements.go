package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/staging"
)

// open opens an engine in this process, as the provider and the runner do, and
// returns it with the id of an authorization.
func open(ctx context.Context, w work) (*engine.Engine, string, error) {
	o := engine.Options{
		DataDir: filepath.Join(w.Dir, "data"), EncryptionKeyFile: filepath.Join(w.Dir, "key"),
		AllowPrivateHosts: true, UserAgent: "terraform-provider-lytics/bench",
	}
	area := stagingOf(w.Sandbox)
	o.Staging = &area
	if l := w.Lytics; l != nil {
		o.Platform = engine.Lytics(engine.LyticsAccount{
			Token: jobs.NewSecret(l.Token), APIURL: l.APIURL, BulkURL: l.BulkURL, UserAgent: o.UserAgent,
		})
	}
	e := engine.New(o)
	if known, err := e.Jobs(ctx); err == nil && len(known) > 0 {
		return e, known[0].AuthorizationID, nil
	}
	token := jobs.NewSecret(w.Sandbox.Token)
	a, err := e.CreateAuthorization(ctx, jobs.AuthorizationChange{
		AuthorizationSpec: jobs.AuthorizationSpec{
			Label: "bench", Host: w.Sandbox.Host, Port: w.Sandbox.Port, HTTPPath: w.Sandbox.HTTPPath, TokenVersion: 1,
		},
		Token: &token,
	})
	return e, a.ID, err
}

// importRows imports the table once. In a store that already has the job, it
// continues from the cursor.
func importRows(ctx context.Context, w work, tell func(result)) (r result, err error) {
	e, authorization, err := open(ctx, w)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	if w.Mapped {
		if err := mapColumns(ctx, e); err != nil {
			return r, err
		}
	}
	var lookback *time.Duration
	if w.Lookback > 0 {
		lookback = &w.Lookback
	}
	return follow(ctx, e, tell, jobs.JobSpec{
		Label: w.Table, AuthorizationID: authorization, QueryTimeout: 2 * time.Hour, FailOnError: true,
		Import: &jobs.TableImport{
			Catalog:         "main",
			Database:        "bench",
			Table:           w.Table,
			TimestampColumn: "ts",
			Stream:          "events",
			Lookback:        lookback,
			ScratchSchema:   w.Scratch,
		},
	}, w.Rows)
}

// mapColumns creates a field for every column; email is the identifier.
func mapColumns(ctx context.Context, e *engine.Engine) error {
	for column, kind := range map[string]string{
		"id": "int", "ts": "date", "email": "string", "name": "string", "country": "string", "amount": "number",
		"score": "number", "active": "bool", "day": "date", "note": "string",
	} {
		field := jobs.Field{ID: column, Type: kind, IsIdentifier: column == "email", MergeOperation: "latest"}
		if _, err := e.CreateField(ctx, field, ""); err != nil {
			return err
		}
		if _, err := e.CreateMapping(ctx, jobs.Mapping{Stream: "events", Field: column, Expression: column}, ""); err != nil {
			return err
		}
	}
	return nil
}

// exportRows exports all profiles of a store that importRows filled.
func exportRows(ctx context.Context, w work, tell func(result)) (r result, err error) {
	e, authorization, err := open(ctx, w)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	slug := "all_" + w.Name
	if _, err := e.CreateAudience(ctx, jobs.Audience{Name: slug, Slug: slug, Filter: "FILTER *"}, ""); err != nil {
		return r, err
	}
	return follow(ctx, e, tell, jobs.JobSpec{
		Label: slug, AuthorizationID: authorization, QueryTimeout: 2 * time.Hour, FailOnError: true,
		Export: &jobs.AudienceExport{AudienceID: slug, Catalog: "main", Database: "bench", TableName: jobs.ExportTable(slug)},
	}, w.Rows)
}

// follow registers a job, runs it and measures the run.
func follow(ctx context.Context, e *engine.Engine, tell func(result), s jobs.JobSpec, rows int) (result, error) {
	job, err := registered(ctx, e, s)
	if err != nil {
		return result{}, err
	}
	watch := startWatch()
	run, err := e.StartRun(ctx, job.ID, jobs.ReasonManual)
	if err != nil {
		return result{}, err
	}
	run, err = e.WaitRun(ctx, run.ID, func(r jobs.Run) {
		if r.Phase == "importing rows" {
			tell(result{Done: r.Done, Total: r.Total})
		}
	})
	if err != nil {
		return result{}, err
	}
	if run.Status != jobs.StatusSucceeded {
		return result{}, fmt.Errorf("the run %s: %s", run.Status, run.Failure)
	}
	r := watch.stop(run.RowsWritten)
	if run.StartedAt != nil && run.FinishedAt != nil { // without the wait for the lease of a dead process
		r.Seconds = min(r.Seconds, run.FinishedAt.Sub(*run.StartedAt).Seconds())
	}
	if rows > 0 && run.RowsWritten != int64(rows) {
		return r, fmt.Errorf("got %d written rows, want %d", run.RowsWritten, rows)
	}
	return r, nil
}

func registered(ctx context.Context, e *engine.Engine, s jobs.JobSpec) (jobs.Job, error) {
	known, err := e.Jobs(ctx)
	if err != nil {
		return jobs.Job{}, err
	}
	for _, j := range known {
		if j.Label == s.Label {
			return j, nil
		}
	}
	return e.CreateJob(ctx, s)
}

func stagingOf(s *sandbox) staging.S3Config {
	return staging.S3Config{
		Bucket: s.S3.Bucket, Region: s.S3.Region, Endpoint: s.S3.Endpoint, UsePathStyle: true,
		AccessKeyID: s.S3.AccessKey, SecretAccessKey: jobs.NewSecret(s.S3.SecretKey),
	}
}
