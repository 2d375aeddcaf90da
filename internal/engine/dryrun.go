package engine

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/exporter"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/importer"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// DryRun implements jobs.Runs.
func (e *Engine) DryRun(ctx context.Context, jobID string, samples int) (jobs.DryRun, error) {
	db, err := e.open(ctx, readStore)
	if err != nil {
		return jobs.DryRun{}, err
	}
	job, err := db.Job(ctx, jobID)
	if err != nil {
		return jobs.DryRun{}, err
	}
	if job.ManagedBy.IsLytics() {
		return jobs.DryRun{}, errNoDryRun()
	}
	auth, err := db.Authorization(ctx, job.AuthorizationID)
	if err != nil {
		return jobs.DryRun{}, err
	}
	d := &dryRun{e: e, db: db, job: job, via: e.stored(auth), samples: boundSamples(samples)}
	if e.asksWorkers() {
		return d.askWorkers(ctx, DryRunQuestion{JobID: jobID, Samples: samples})
	}
	out, err := d.execute(ctx)
	if err != nil {
		return jobs.DryRun{}, err
	}
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

func errNoDryRun() error {
	return jobs.Invalid("managed_by", "A job that Lytics executes has no dry run", "Lytics does not tell what it would read.",
		"Read the job's log in place of it")
}

// boundSamples is a number of samples that can be shown.
func boundSamples(n int) int { return max(0, min(n, jobs.MostSamples)) }

// DryRunOf implements jobs.Runs. The job's id stays empty.
func (e *Engine) DryRunOf(ctx context.Context, r jobs.DryRunRequest) (jobs.DryRun, error) {
	s := r.Definition
	if err := s.Check(); err != nil {
		return jobs.DryRun{}, err
	}
	if s.ManagedBy.IsLytics() {
		return jobs.DryRun{}, errNoDryRun()
	}
	db, err := e.open(ctx, readStore)
	if noStore(err) {
		db, err = nil, nil // nothing has been imported, and there are no audiences
	}
	if err != nil {
		return jobs.DryRun{}, err
	}
	var via connector
	switch {
	case r.Connection != nil:
		via, err = e.transient(*r.Connection)
	case db == nil:
		err = jobs.Invalid("authorization_id", fmt.Sprintf("There is no authorization %q", s.AuthorizationID), "There is no store yet.",
			"Refer to a lytics_databricks_authorization resource")
	default:
		via.row, err = db.Authorization(ctx, s.AuthorizationID)
		via = e.stored(via.row)
	}
	if err != nil {
		return jobs.DryRun{}, err
	}
	d := &dryRun{e: e, db: db, via: via, samples: boundSamples(r.Samples)}
	if e.asksWorkers() {
		return d.askWorkers(ctx, DryRunQuestion{Definition: &s, Connection: pipedConnectionOf(r.Connection), Samples: r.Samples})
	}
	d.job.JobSpec = s
	if s.Export != nil && s.Export.AudienceID == "" {
		return d.ofNewAudience(ctx)
	}
	if db == nil && s.Export != nil {
		return jobs.DryRun{}, jobs.Invalid("audience_id", fmt.Sprintf("There is no audience %q", s.Export.AudienceID), "There is no store yet.",
			"Refer to a lytics_audience resource")
	}
	if d.job.Key, err = e.keyOf(ctx, via.row, &d.job.JobSpec); err != nil {
		return jobs.DryRun{}, err
	}
	return d.execute(ctx)
}

// dryRun is the dry run of a job. db is nil if there is no store.
type dryRun struct {
	e       *Engine
	db      *store.DB
	job     store.JobRow
	via     connector
	samples int
}

func (d *dryRun) execute(ctx context.Context) (out jobs.DryRun, err error) {
	if d.job.Export != nil {
		out, err = d.export(ctx)
	} else {
		out, err = d.importTable(ctx)
	}
	out.JobID, out.Label, out.Kind = d.job.ID, d.job.Label, d.job.Kind()
	return out, err
}

// askWorkers has a worker process execute the dry run.
func (d *dryRun) askWorkers(ctx context.Context, q DryRunQuestion) (jobs.DryRun, error) {
	a, err := d.e.ask(ctx, d.via, Question{DryRun: &q})
	if err != nil || a.DryRun == nil {
		return jobs.DryRun{}, err
	}
	return *a.DryRun, nil
}

func (d *dryRun) connect(ctx context.Context, queryTimeout time.Duration) (*databricks.Warehouse, error) {
	return d.via.connect(ctx, func(c *databricks.Config) {
		c.QueryTimeout = queryTimeout
		c.QueryTags = map[string]string{"lytics_job": d.job.ID, "lytics_run": "dry-run"}
	})
}

func (d *dryRun) importTable(ctx context.Context) (jobs.DryRun, error) {
	key, cursors := d.job.Key, importer.CursorStore(noCursors{})
	if d.db != nil {
		var err error
		if key, err = d.e.cursorKey(ctx, d.db, d.job); err != nil {
			return jobs.DryRun{}, err
		}
		cursors = d.db
	}
	out, err := (&importer.Import{
		Key: key, Spec: *d.job.Import, Connect: d.connect, QueryTimeout: d.job.QueryTimeout, Cursors: cursors, Samples: d.samples,
	}).DryRun(ctx)
	if err != nil || len(out.Samples) == 0 || d.db == nil {
		return out, err
	}
	err = d.mapSamples(ctx, out.Samples)
	return out, err
}

// mapSamples adds to the rows of an import what the mappings of its stream make of them.
func (d *dryRun) mapSamples(ctx context.Context, samples []jobs.DryRunSample) error {
	mappings, err := d.e.platform.Mappings(ctx)
	if err != nil {
		return err
	}
	fields, err := d.e.platform.Fields(ctx)
	if err != nil {
		return err
	}
	m := platform.NewMapper(d.job.Import.Stream, mappings, fields)
	for i, s := range samples {
		samples[i].Profile = m.Map(s.Row, time.Now())
	}
	return nil
}

func (d *dryRun) export(ctx context.Context) (jobs.DryRun, error) {
	root, err := d.e.stagingRoot()
	if err != nil {
		return jobs.DryRun{}, err
	}
	owners, err := d.db.ExportOwners(ctx, d.job.Key)
	if err != nil {
		return jobs.DryRun{}, err
	}
	if err := d.checkPrivileges(ctx); err != nil {
		return jobs.DryRun{}, err
	}
	out, err := (&exporter.Export{
		JobID: d.job.ID, RunID: "dry-run", Spec: *d.job.Export, Owners: owners, Samples: d.samples,
		Connect: d.connect, Audiences: d.e.platform, Staging: stagingAddress{root: root}, QueryTimeout: d.job.QueryTimeout,
	}).DryRun(ctx)
	if err != nil {
		return out, err
	}
	if err := d.checkStaging(ctx); err != nil {
		return out, err
	}
	out.Reads.Rows, err = d.e.platform.AudienceSize(ctx, d.job.Export.AudienceID)
	out.Writes.Rows = out.Reads.Rows
	return out, err
}

// ofNewAudience checks what can be checked of an export whose audience does not exist
// yet: the staging area, and where the table is to be.
func (d *dryRun) ofNewAudience(ctx context.Context) (jobs.DryRun, error) {
	s := d.job.Export
	out := jobs.DryRun{Label: d.job.Label, Kind: d.job.Kind(), Notes: []string{"The audience does not exist yet: nothing is counted."}}
	if err := d.checkStaging(ctx); err != nil {
		return out, err
	}
	if err := d.checkPrivileges(ctx); err != nil {
		return out, err
	}
	pattern := s.TableName
	if strings.ContainsAny(pattern, "*|") {
		pattern = ""
	}
	_, err := listIn(ctx, d.via, s.Catalog, func(l catalogLister) ([]jobs.TableInfo, error) {
		return l.Tables(ctx, s.Catalog, s.Database, pattern)
	})
	out.Writes.Table = strings.TrimSuffix(s.Catalog+"."+s.Database+"."+s.TableName, ".")
	return out, err
}

// checkPrivileges fails if Unity Catalog shows that the login lacks a privilege to write.
func (d *dryRun) checkPrivileges(ctx context.Context) error {
	if !d.via.asksUnity(d.job.Export.Catalog) {
		return nil
	}
	u, err := d.via.unityCatalog()
	if err != nil {
		return err
	}
	defer u.Close()
	return exporter.CheckPrivileges(ctx, *d.job.Export, u)
}

// checkStaging fails if an export could not stage its files: nothing is written.
func (d *dryRun) checkStaging(ctx context.Context) error {
	area, done, err := d.e.stagingArea(ctx, d.via)
	if err != nil {
		return atStaging(err)
	}
	defer done()
	_, err = area.List(ctx, "dry-run/")
	return atStaging(err)
}

// atStaging names the attribute of an error of the staging area.
func atStaging(err error) error {
	if e, ok := errors.AsType[*jobs.Error](err); ok && e.Attribute == "" {
		e.Attribute = "staging"
	}
	return err
}

// noCursors are the cursors where there is no store.
type noCursors struct{}

func (noCursors) CursorDocument(context.Context, string) ([]byte, error) { return nil, nil }

func (noCursors) WatermarkTies(context.Context, string, int64) ([]store.SentRow, error) {
	return nil, nil
}

func (noCursors) SentPages(context.Context, string, int64, int64) ([]store.SentPage, error) {
	return nil, nil
}

func (noCursors) SentRows(context.Context, string, store.SentPage) ([]store.SentRow, error) {
	return nil, nil
}

func (noCursors) Write(context.Context, func(*store.Tx) error) error { return nil }

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
