package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/exporter"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/importer"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/tracing"
)

// openSession opens a session whose statements end after queryTimeout.
type openSession func(ctx context.Context, queryTimeout time.Duration) (*databricks.Warehouse, error)

// work executes the import or the export that the job's definition describes.
func (x *execution) work(ctx context.Context) error {
	if x.inWorker() {
		return x.workInWorker(ctx)
	}
	ctx, phases := tracing.NewPhases(ctx)
	x.phases.Store(phases)
	x.tracePhase(x.now().Phase)
	err := x.workHere(ctx)
	x.phases.Store(nil)
	phases.End(tracedError(err))
	return err
}

// workHere is work in this process.
func (x *execution) workHere(ctx context.Context) error {
	if work := x.e.options.Work; work != nil {
		x.update(func(r *jobs.Run) { r.Status, r.Phase = jobs.StatusRunning, "working" })
		return work(ctx, x.job.Job, x)
	}
	if x.job.ManagedBy.IsLytics() {
		return x.followLytics(ctx)
	}
	auth, err := x.db.Authorization(ctx, x.job.AuthorizationID)
	if err != nil {
		return err
	}
	warnings, err := x.e.warnings(ctx, x.db, auth)
	if err != nil {
		return err
	}
	for _, w := range warnings {
		x.addLogLine(store.LogWarn, w.String())
	}
	if err := x.checkAccount(ctx); err != nil {
		return err
	}
	connect := func(ctx context.Context, queryTimeout time.Duration) (*databricks.Warehouse, error) {
		before := x.now().Status
		x.update(func(r *jobs.Run) { r.Status, r.Phase = jobs.StatusWaiting, "connecting" })
		wh, err := x.e.connect(ctx, auth, func(c *databricks.Config) {
			c.QueryTimeout = queryTimeout
			// An import goes on where a link has expired.
			c.CloudFetch = x.job.Import != nil
			c.QueryTags = map[string]string{"lytics_job": x.job.ID, "lytics_run": x.run.ID}
			c.Sent = x.sent
			c.Waiting = func(elapsed time.Duration) {
				x.Phase(fmt.Sprintf("waiting for the warehouse to start (%s)", elapsed.Round(time.Second)), 0)
			}
		})
		x.update(func(r *jobs.Run) {
			switch {
			case err == nil:
				r.Status, r.Phase = jobs.StatusRunning, "connected"
			case before == jobs.StatusRunning: // without a second session an import goes on in the first one
				r.Status = before
			}
		})
		return wh, err
	}
	if x.job.Export != nil {
		return x.export(ctx, auth, connect)
	}
	return x.importTable(ctx, connect)
}

// importTable executes an import. A run that rejected too many rows fails at its
// end: the cursor has moved, and the profiles have the other rows.
func (x *execution) importTable(ctx context.Context, connect openSession) error {
	key, err := x.e.cursorKey(ctx, x.db, x.job)
	if err != nil {
		return err
	}
	quarantine := &runQuarantine{x: x, importKey: key}
	if err := quarantine.removeExpired(ctx); err != nil {
		return err
	}
	err = (&importer.Import{
		Key: key, Spec: *x.job.Import,
		Connect: connect, QueryTimeout: x.job.QueryTimeout, Sink: x.e.platform, Cursors: x.db, Fence: x.fence, Progress: x,
		Quarantine: quarantine,
	}).Run(ctx)
	tooMany := quarantine.count(ctx)
	if err != nil {
		return err
	}
	if err := x.buildProfiles(ctx); err != nil {
		return err
	}
	return tooMany
}

// checkAccount fails before anything is read when the platform's credential is of
// another account than the store: an import without new rows calls the platform
// only at its end.
func (x *execution) checkAccount(ctx context.Context) error {
	account, ok := x.e.platform.(AccountPlatform)
	if !ok {
		return nil
	}
	bound, err := account.CheckAccount(ctx)
	if bound != "" {
		x.addLogLine(store.LogInfo, "the store belongs to Lytics account "+bound+" from now on")
	}
	return err
}

// sent records the id of a statement in the warehouse's query history. Only the
// last jobs.MostStatements are kept.
func (x *execution) sent(id string) {
	x.Count(func(c *jobs.Counts) {
		// A run that was copied before keeps what it had.
		c.Statements = append(slices.Clone(c.Statements), id)
		if len(c.Statements) > jobs.MostStatements {
			c.Statements = c.Statements[len(c.Statements)-jobs.MostStatements:]
		}
	})
}

// cursorKey is the key of an import's cursor. It has the platform and its account in
// it: rows that the embedded platform was sent, a Lytics account was not. A cursor
// keeps the key that it was made with: before the account of a token was read, that
// was the account of the configuration. Since a store belongs to one account, a key
// with another ending is of the same one.
func (e *Engine) cursorKey(ctx context.Context, db *store.DB, job store.JobRow) (string, error) {
	platform := e.options.Platform
	if platform.Key == "" {
		return job.Key, nil
	}
	account := platform.Account
	if p, ok := e.platform.(AccountPlatform); ok {
		id, err := p.StoreAccount(ctx)
		if err != nil {
			return "", err
		}
		account = cmp.Or(id, account)
	}
	prefix := job.Key + "|" + platform.Key + "|"
	return db.CursorKey(ctx, prefix, prefix+account)
}

// buildProfiles brings the profiles up to the streams.
func (x *execution) buildProfiles(ctx context.Context) error {
	x.Phase("building profiles", 0)
	stats, err := x.e.platform.BuildProfiles(ctx, func(done, total int64) {
		x.update(func(r *jobs.Run) { r.Progress = jobs.Progress{Done: done, Total: total} })
	})
	if err != nil {
		return err
	}
	x.Count(func(c *jobs.Counts) {
		c.Profiles, c.Unidentified, c.Unfit = stats.Profiles, stats.Unidentified, stats.Unfit
		c.Conflicts, c.ConflictExample = stats.Conflicts, stats.ConflictExample
	})
	return nil
}

// awaitProfiles waits for a service that builds profiles some time after it accepted
// the events. A bound that is reached is no error: the service may not count as
// expected, and the next run exports what is missing now.
func (x *execution) awaitProfiles(ctx context.Context) error {
	service, ok := x.e.platform.(AccountPlatform)
	if !ok {
		return nil
	}
	lag, err := service.AwaitProfiles(ctx, func(done, total int64) {
		x.update(func(r *jobs.Run) {
			r.Status, r.Phase, r.Progress = jobs.StatusRunning, "waiting for Lytics to build profiles", jobs.Progress{Done: done, Total: total}
		})
	})
	if lag.Note != "" {
		x.addLogLine(store.LogWarn, lag.Note)
	}
	x.Count(func(c *jobs.Counts) { c.EventsBehind = lag.Events })
	return err
}

// Warn implements exporter.Progress.
func (x *execution) Warn(message string) { x.addLogLine(store.LogWarn, message) }

func (x *execution) export(ctx context.Context, auth store.AuthorizationRow, connect openSession) error {
	area, done, err := x.e.stagingArea(ctx, x.e.stored(auth))
	if err != nil {
		return err
	}
	defer done()
	// A mapping may have changed since the last import.
	if err := x.buildProfiles(ctx); err != nil {
		return err
	}
	if err := x.awaitProfiles(ctx); err != nil {
		return err
	}
	owners, err := x.db.ExportOwners(ctx, x.job.Key)
	if err != nil {
		return err
	}
	if err := x.db.AddExportOwner(ctx, x.job.Key, x.job.ID); err != nil {
		return err
	}
	return (&exporter.Export{
		JobID: x.job.ID, RunID: x.run.ID, Spec: *x.job.Export, Owners: owners,
		Connect: connect, Audiences: x.e.platform, Staging: area, Progress: x, QueryTimeout: x.job.QueryTimeout,
		Fence: func(ctx context.Context) error {
			return x.db.Write(ctx, func(tx *store.Tx) error { return store.Fence(ctx, tx, x.claim) })
		},
	}).Run(ctx)
}
