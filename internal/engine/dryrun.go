package engine

import (
	"context"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/exporter"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/importer"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// DryRun implements jobs.Runs.
func (e *Engine) DryRun(ctx context.Context, jobID string) (jobs.DryRun, error) {
	db, err := e.open(ctx, readStore)
	if err != nil {
		return jobs.DryRun{}, err
	}
	job, err := db.Job(ctx, jobID)
	if err != nil {
		return jobs.DryRun{}, err
	}
	if job.ManagedBy.IsLytics() {
		return jobs.DryRun{}, jobs.Invalid("managed_by", "A job that Lytics executes has no dry run", "Lytics does not tell what it would read.",
			"Read the job's log in place of it")
	}
	auth, err := db.Authorization(ctx, job.AuthorizationID)
	if err != nil {
		return jobs.DryRun{}, err
	}
	connect := func(ctx context.Context, queryTimeout time.Duration) (*databricks.Warehouse, error) {
		return e.connect(ctx, auth, func(c *databricks.Config) {
			c.QueryTimeout = queryTimeout
			c.QueryTags = map[string]string{"lytics_job": job.ID, "lytics_run": "dry-run"}
		})
	}
	var out jobs.DryRun
	if job.Export != nil {
		out, err = e.planExport(ctx, db, job, connect)
	} else {
		out, err = e.dryRunImport(ctx, db, job, connect)
	}
	if err != nil {
		return jobs.DryRun{}, err
	}
	out.JobID, out.Label, out.Kind = job.ID, job.Label, job.Kind()
	active, err := db.Runs(
		ctx,
		jobs.RunFilter{JobID: job.ID, Statuses: []jobs.Status{jobs.StatusQueued, jobs.StatusWaiting, jobs.StatusRunning}, Limit: 1},
	)
	if err == nil && len(active) > 0 {
		out.Notes = append(
			out.Notes,
			fmt.Sprintf("Run %s of this job is %s: another one waits for its end, and finds what it leaves.", active[0].ID, active[0].Status),
		)
	}
	return out, err
}

func (e *Engine) dryRunImport(ctx context.Context, db *store.DB, job store.JobRow, connect openSession) (jobs.DryRun, error) {
	key, err := e.cursorKey(ctx, db, job)
	if err != nil {
		return jobs.DryRun{}, err
	}
	return (&importer.Import{Key: key, Spec: *job.Import, Connect: connect, QueryTimeout: job.QueryTimeout, Cursors: db}).DryRun(ctx)
}

func (e *Engine) planExport(ctx context.Context, db *store.DB, job store.JobRow, connect openSession) (jobs.DryRun, error) {
	root, err := e.stagingRoot()
	if err != nil {
		return jobs.DryRun{}, err
	}
	owners, err := db.ExportOwners(ctx, job.Key)
	if err != nil {
		return jobs.DryRun{}, err
	}
	out, err := (&exporter.Export{
		JobID: job.ID, RunID: "dry-run", Spec: *job.Export, Owners: owners,
		Connect: connect, Audiences: e.platform, Staging: stagingAddress{root: root}, QueryTimeout: job.QueryTimeout,
	}).DryRun(ctx)
	if err != nil {
		return out, err
	}
	out.Reads.Rows, err = e.platform.AudienceSize(ctx, job.Export.AudienceID)
	out.Writes.Rows = out.Reads.Rows
	return out, err
}

// stagingAddress is a staging area of which a dry run needs only the address.
type stagingAddress struct {
	exporter.Staging
	root string
}

// URL implements exporter.Staging.
func (u stagingAddress) URL(key string) string { return u.root + "/" + key }

// stagingRoot is the address below which exports stage their files.
func (e *Engine) stagingRoot() (string, error) {
	switch {
	case e.options.Volume != nil:
		v := e.options.Volume
		return "/" + path.Join("Volumes", v.Catalog, v.Schema, v.Volume, v.Prefix), nil
	case e.options.Staging != nil:
		return "s3://" + path.Join(e.options.Staging.Bucket, strings.Trim(e.options.Staging.Prefix, "/")), nil
	}
	return "", errNoStaging()
}
