// Package exporter moves the profiles of an audience into a Databricks table:
// scanned into CSV files under a prefix of the run's own, loaded with COPY INTO
// into a table of the run's own, counted, and put in place in one commit. A
// reader of the target sees the whole old table or the whole new one.
package exporter

import (
	"context"
	"fmt"
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
	// RemovePrefix removes all below a prefix; safe to repeat.
	RemovePrefix(ctx context.Context, prefix string) error
	// URL is the address COPY INTO reads a key at.
	URL(key string) string
	// CopyCredential is the warehouse's right to read the files.
	CopyCredential(ctx context.Context) (staging.CopyCredential, error)
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
}

// loadPrefix begins the name of every run's own table.
const loadPrefix = "lytics_load_"

func (e *Export) target() jobs.TableName {
	return jobs.TableName{Catalog: e.Spec.Catalog, Database: e.Spec.Database, Table: e.Spec.TableName}
}

func (e *Export) load(run string) jobs.TableName {
	return jobs.TableName{Catalog: e.Spec.Catalog, Database: e.Spec.Database, Table: loadPrefix + run}
}

// root is the staging prefix of all runs into this target.
func (e *Export) root() string {
	return strings.Join([]string{"exports", keyPart(e.Spec.Catalog), keyPart(e.Spec.Database), keyPart(e.Spec.TableName)}, "/") + "/"
}

func (e *Export) prefix(run string) string { return e.root() + run + "/" }

// keyPart keeps what object stores and COPY INTO agree on in a key.
func keyPart(name string) string {
	var b strings.Builder
	for _, c := range []byte(name) {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' && b.Len() > 0 || c == '-' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02x", c)
		}
	}
	return strings.ReplaceAll(b.String(), "%", "=")
}

// cleanupTimeout bounds the removal of what a run leaves behind, which goes on
// after the run was cancelled.
const cleanupTimeout = 30 * time.Second

// Run exports the audience.
func (e *Export) Run(ctx context.Context) (err error) {
	target, err := databricks.QuoteTable(e.target())
	if err != nil {
		return err
	}
	wh, err := e.Connect(ctx)
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := wh.Close(); err == nil { // after a failure it says nothing new
			err = closeErr
		}
	}()

	e.Progress.Phase("checking the target", 0)
	before, err := e.inspect(ctx, wh, target)
	if err != nil {
		return err
	}
	if err := e.sweep(ctx, wh); err != nil {
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
	defer func() {
		cleanup, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
		defer cancel()
		if cleanErr := e.clean(cleanup, wh, e.RunID); cleanErr != nil && err == nil {
			err = cleanErr
		}
	}()
	staged, err := e.stage(ctx, len(columns), profiles)
	if err != nil {
		return err
	}
	if err := e.loadFiles(ctx, wh, columns, staged); err != nil {
		return err
	}
	if err := e.Fence(ctx); err != nil {
		return err
	}
	if err := e.replace(ctx, wh, target, columns, before); err != nil {
		return err
	}
	e.Progress.Count(func(c *jobs.Counts) {
		c.RowsWritten, c.Table, c.Snapshot = staged.rows, e.target().String(), "audience "+e.Spec.AudienceID
	})
	return nil
}

// sweep removes what dead runs into this target left: only the holder of the
// job's lease comes here, so that no other run of it is alive.
func (e *Export) sweep(ctx context.Context, wh *databricks.Warehouse) error {
	objects, err := e.Staging.List(ctx, e.root())
	if err != nil {
		return err
	}
	done := map[string]bool{e.RunID: true}
	for _, o := range objects {
		run, _, _ := strings.Cut(strings.TrimPrefix(o.Key, e.root()), "/")
		if done[run] {
			continue
		}
		done[run] = true
		if err := e.clean(ctx, wh, run); err != nil {
			return err
		}
	}
	return nil
}

// clean drops a run's table, then its files: the files are the record that
// something is left, so they go last.
func (e *Export) clean(ctx context.Context, wh *databricks.Warehouse, run string) error {
	load, err := databricks.QuoteTable(e.load(run))
	if err != nil {
		return err
	}
	if err := wh.ExecRepeatable(ctx, "DROP TABLE IF EXISTS "+load); err != nil {
		return err
	}
	return e.Staging.RemovePrefix(ctx, e.prefix(run))
}
