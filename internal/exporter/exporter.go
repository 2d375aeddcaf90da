// Package exporter moves the profiles of an audience into a Databricks table:
// scanned into files under a prefix of the run's own, loaded with COPY INTO into
// a table of the run's own, counted, and put in place in one commit. A reader of
// the target sees the whole old table or the whole new one.
package exporter

import (
	"context"
	"crypto/rand"
	"io"
	"iter"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/staging"
)

// Audiences is where profiles come from.
type Audiences interface {
	// Scan streams one consistent snapshot of an audience, in a stable order.
	// No fields means all.
	Scan(ctx context.Context, audience string, fields []string) ([]jobs.Field, iter.Seq2[[]jobs.Value, error], error)
}

// Staging is where files wait for COPY INTO.
type Staging interface {
	// Create begins an object that appears whole on Close, or on Abort never.
	Create(ctx context.Context, key string) (Object, error)
	// List gives the objects below a prefix.
	List(ctx context.Context, prefix string) ([]staging.Object, error)
	// Read gives a small object whole.
	Read(ctx context.Context, key string) ([]byte, error)
	// RemovePrefix removes all below a prefix; safe to repeat.
	RemovePrefix(ctx context.Context, prefix string) error
	// URL is the address COPY INTO reads a key at.
	URL(key string) string
	// CopyCredential is the warehouse's right to read what is below a prefix,
	// for as long as a statement may take.
	CopyCredential(ctx context.Context, prefix string, statement time.Duration) (staging.CopyCredential, error)
}

// Object is a staged file being written.
type Object interface {
	io.WriteCloser
	Abort() error
}

// Progress is told what a run is doing.
type Progress interface {
	Phase(name string, total int64)
	Advance(n int64)
	Count(f func(*jobs.Counts))
}

// Export is one run's worth of work.
type Export struct {
	JobID, RunID string
	Spec         jobs.AudienceExport
	// Owners are the ids that this store's jobs for the same table have had.
	Owners    []string
	Connect   func(ctx context.Context) (*databricks.Warehouse, error)
	Audiences Audiences
	Staging   Staging
	// Fence fails when the run is no longer ours; asked before the replace.
	Fence    func(ctx context.Context) error
	Progress Progress
	// QueryTimeout bounds each statement: jobs.DefaultQueryTimeout when 0.
	QueryTimeout time.Duration
	// FileText is how much text of cells a file holds: DefaultFileText when 0.
	FileText int

	// name is this execution's: a run that is tried again has another, so that
	// no statement or upload of the first meets it.
	name string
	wh   *databricks.Warehouse
	// sql names the target, load the table of the execution's own.
	sql, load string
}

func (e *Export) target() jobs.TableName {
	return jobs.TableName{Catalog: e.Spec.Catalog, Database: e.Spec.Database, Table: e.Spec.TableName}
}

// cleanupTimeout bounds the removal of what a run leaves behind, which goes on
// after the run was cancelled.
const cleanupTimeout = 30 * time.Second

// Run exports the audience.
func (e *Export) Run(ctx context.Context) (err error) {
	if err := e.begin(); err != nil {
		return err
	}
	defer func() {
		if closeErr := e.disconnect(); err == nil { // after a failure it says nothing new
			err = closeErr
		}
	}()
	e.Progress.Phase("checking the target", 0)
	before, err := e.inspect(ctx)
	if err != nil {
		return err
	}
	if err := e.sweep(ctx); err != nil {
		return err
	}
	fields, profiles, err := e.Audiences.Scan(ctx, e.Spec.AudienceID, e.Spec.Fields)
	if err != nil {
		return err
	}
	columns, err := tableColumns(fields)
	if err != nil {
		return err
	}
	layout, err := layoutOf(e.Spec, columns, `\N`+rand.Text())
	if err != nil {
		return err
	}
	if err := e.mark(ctx); err != nil {
		return err
	}
	defer func() {
		cleanup, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
		defer cancel()
		if cleanErr := e.clean(cleanup, e.root(e.JobID), e.name); cleanErr != nil && err == nil {
			err = cleanErr
		}
	}()
	staged, err := e.stage(ctx, layout, profiles)
	if err != nil {
		return err
	}
	loaded, err := e.loadFiles(ctx, staged, before)
	if err != nil {
		return err
	}
	if err := e.Fence(ctx); err != nil {
		return err
	}
	if err := e.replace(ctx, loaded, staged.rows, before); err != nil {
		return err
	}
	e.Progress.Count(func(c *jobs.Counts) {
		c.RowsWritten, c.Table, c.Snapshot = staged.rows, e.target().String(), "audience "+e.Spec.AudienceID
	})
	return nil
}

// begin names what the execution makes.
func (e *Export) begin() (err error) {
	e.name = e.RunID + "_" + strings.ToLower(rand.Text()[:8])
	if e.sql, err = databricks.QuoteTable(e.target()); err != nil {
		return err
	}
	scratch, err := e.scratch()
	if err != nil {
		return err
	}
	e.load, err = scratch.loadTable(e.name)
	return err
}
