// Package exporter copies the profiles of an audience into a Databricks table. A run
// writes the profiles to files under its own prefix, loads the files with COPY INTO into
// its own table (the load table), counts the rows, and replaces the target in one commit.
// A reader of the target sees either the whole old table or the whole new one.
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

// Audiences reads the profiles of audiences.
type Audiences interface {
	// Scan streams a consistent snapshot of an audience, in a stable order. Empty
	// fields means all fields.
	Scan(ctx context.Context, audience string, fields []string) ([]jobs.Field, iter.Seq2[[]jobs.Value, error], error)
}

// Staging keeps files for COPY INTO.
type Staging interface {
	// Create begins an object. The object exists after Close, and never after Abort.
	Create(ctx context.Context, key string) (Object, error)
	// List returns the objects below a prefix.
	List(ctx context.Context, prefix string) ([]staging.Object, error)
	// Read returns the content of a small object.
	Read(ctx context.Context, key string) ([]byte, error)
	// RemovePrefix removes all objects below a prefix. It may be repeated.
	RemovePrefix(ctx context.Context, prefix string) error
	// URL is the URL of a key for COPY INTO.
	URL(key string) string
	// CopyCredential returns the credential by which the warehouse reads the objects
	// below a prefix, for as long as a statement may take.
	CopyCredential(ctx context.Context, prefix string, statement time.Duration) (staging.CopyCredential, error)
}

// Object is a staged file that is being written.
type Object interface {
	io.WriteCloser
	Abort() error
}

// Progress receives the progress of a run.
type Progress interface {
	// Phase begins a phase of total rows; 0 means that the number is unknown.
	Phase(name string, total int64)
	// Advance adds to the rows that are done in this phase.
	Advance(n int64)
	// Count changes the run's counts.
	Count(f func(*jobs.Counts))
	// Warn adds a warning to the run's log.
	Warn(message string)
}

// Export executes one run of an audience export.
type Export struct {
	JobID, RunID string
	Spec         jobs.AudienceExport
	// Owners are the ids of all jobs for the same table that this store has had.
	Owners []string
	// Connect opens a session whose statements end after queryTimeout; 0 means
	// jobs.DefaultQueryTimeout. It is called again when a session is lost.
	Connect   func(ctx context.Context, queryTimeout time.Duration) (*databricks.Warehouse, error)
	Audiences Audiences
	Staging   Staging
	// Fence fails if another process has taken the run over. It is called before the
	// target is replaced.
	Fence    func(ctx context.Context) error
	Progress Progress
	// QueryTimeout is the definition's.
	QueryTimeout time.Duration
	// FileBytes is the size of a file, in bytes of the text of its cells before
	// compression; 0 means DefaultFileBytes.
	FileBytes int
	// Samples is the number of profiles that DryRun shows.
	Samples int

	// name is the name of this execution. Each execution of a run has a different name,
	// so that a late statement or upload of an earlier execution cannot affect the files
	// and the table of this one.
	name string
	// wh is the open session; nil when there is none.
	wh *databricks.Warehouse
	// targetSQL and loadSQL are the quoted names of the target and of the load table.
	targetSQL, loadSQL string
}

func (e *Export) target() jobs.TableName {
	return jobs.TableName{Catalog: e.Spec.Catalog, Database: e.Spec.Database, Table: e.Spec.TableName}
}

// cleanupTimeout limits the removal of the run's files and load table. They are removed
// even if the run was cancelled.
const cleanupTimeout = 30 * time.Second

// Run exports the audience.
func (e *Export) Run(ctx context.Context) (err error) {
	if err := e.nameExecution(); err != nil {
		return err
	}
	defer func() {
		if closeErr := e.disconnect(); err == nil { // after a failure, the first error is the cause
			err = closeErr
		}
	}()
	e.Progress.Phase("checking the target", 0)
	before, err := e.inspectTarget(ctx)
	if err != nil {
		return err
	}
	if err := e.removeLeftovers(ctx); err != nil {
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
	if err := e.writeRunMarker(ctx); err != nil {
		return err
	}
	defer func() {
		cleanup, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
		defer cancel()
		if cleanErr := e.removeRun(cleanup, e.jobPrefix(e.JobID), e.name); cleanErr != nil && err == nil {
			err = cleanErr
		}
	}()
	staged, err := e.stageFiles(ctx, layout, profiles)
	if err != nil {
		return err
	}
	loaded, err := e.loadFiles(ctx, staged, before)
	if err != nil {
		return err
	}
	if err := e.checkShrink(ctx, staged.rows, before); err != nil {
		return err
	}
	if err := e.Fence(ctx); err != nil {
		return err
	}
	if err := e.replaceTable(ctx, loaded, staged.rows, before); err != nil {
		return err
	}
	e.Progress.Count(func(c *jobs.Counts) {
		c.RowsWritten, c.Table, c.Snapshot = staged.rows, e.target().String(), "audience "+e.Spec.AudienceID
	})
	return nil
}

// nameExecution chooses the names of the execution and of its load table.
func (e *Export) nameExecution() (err error) {
	e.name = e.RunID + "_" + strings.ToLower(rand.Text()[:8])
	if e.targetSQL, err = databricks.QuoteTable(e.target()); err != nil {
		return err
	}
	scratch, err := e.scratch()
	if err != nil {
		return err
	}
	e.loadSQL, err = scratch.loadTable(e.name)
	return err
}
