package engine

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/exporter"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/importer"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// tableCatalog is what a check asks: Unity Catalog's REST API, or the warehouse.
type tableCatalog interface {
	Columns(ctx context.Context, table jobs.TableName, pattern string) ([]jobs.ColumnInfo, error)
	FindTable(ctx context.Context, table jobs.TableName) (info jobs.TableInfo, found bool, err error)
}

var (
	_ tableCatalog = (*databricks.UnityCatalog)(nil)
	_ tableCatalog = (*databricks.Warehouse)(nil)
)

// checkSource fails if the catalog shows that the first run of a job with a schedule cannot
// work. A runner executes that run later, when nobody watches. before is the saved
// definition, or nil: what was checked once is not checked again.
func (e *Engine) checkSource(ctx context.Context, db *store.DB, before *jobs.JobSpec, row store.JobRow) error {
	if !row.ChecksSource() || before != nil && !asksForCheck(*before, row.JobSpec) {
		return nil
	}
	auth, err := db.Authorization(ctx, row.AuthorizationID)
	if err != nil {
		return err
	}
	c := sourceCheck{spec: row.JobSpec, via: e.stored(auth)}
	if row.Export != nil {
		owners, err := db.ExportOwners(ctx, row.Key)
		if err != nil {
			return err
		}
		c.written = len(owners) > 0
	}
	return c.check(ctx)
}

// check executes the check in a worker process, where there are some, or here.
func (c sourceCheck) check(ctx context.Context) error {
	if e := c.via.e; e.asksWorkers() {
		_, err := e.ask(ctx, c.via, Question{Source: &SourceQuestion{Definition: c.spec, Written: c.written}})
		if errors.Is(err, errUnanswered) {
			return c.outcome(err)
		}
		return err // the worker completed it
	}
	return c.outcome(c.execute(ctx))
}

// asksForCheck reports whether a change of a definition concerns what the check reads.
func asksForCheck(was, is jobs.JobSpec) bool {
	turnedOn := was.CheckSource != nil && !*was.CheckSource
	was.CheckSource = is.CheckSource
	return turnedOn || !was.ChecksSource() || was.AuthorizationID != is.AuthorizationID || !reflect.DeepEqual(checkedPart(was), checkedPart(is))
}

// checkedPart is the part of a definition that the check reads.
func checkedPart(s jobs.JobSpec) jobs.JobSpec {
	var out jobs.JobSpec
	if i := s.Import; i != nil {
		out.Import = &jobs.TableImport{
			Catalog: i.Catalog, Database: i.Database, Table: i.Table, TimestampColumn: i.TimestampColumn,
			RecordTimestampColumn: i.RecordTimestampColumn, KeyColumns: i.KeyColumns, Columns: i.Columns, ExcludeColumns: i.ExcludeColumns,
			Deletes: i.Deletes,
		}
	}
	if x := s.Export; x != nil {
		out.Export = &jobs.AudienceExport{
			Catalog: x.Catalog, Database: x.Database, TableName: x.TableName, OverwriteExisting: x.OverwriteExisting, ScratchSchema: x.ScratchSchema,
		}
	}
	return out
}

// sourceCheck is the check of one definition.
type sourceCheck struct {
	spec jobs.JobSpec
	via  connector
	// written tells that a run of this store has written the table of the export.
	written bool
}

// execute asks Unity Catalog, which starts no warehouse; and the warehouse where Unity
// Catalog gives no answer, unless the authorization was saved without a session.
func (c sourceCheck) execute(ctx context.Context) error {
	catalog := ""
	if c.spec.Import != nil {
		catalog = c.spec.Import.Catalog
	} else {
		catalog = c.spec.Export.Catalog
	}
	if c.via.asksUnity(catalog) {
		answered, err := c.askUnity(ctx)
		if answered {
			return err
		}
	}
	if !c.via.row.CheckConnection {
		return nil
	}
	wh, err := c.via.connect(ctx, func(config *databricks.Config) { config.QueryTimeout = catalogTimeout })
	if err != nil {
		return err
	}
	err = c.in(ctx, wh)
	if closeErr := wh.Close(); err == nil { // after a failure it says nothing new
		err = closeErr
	}
	return err
}

// errNoColumns means that Unity Catalog lists a table without columns, as it does for some
// tables whose schema it has not read.
var errNoColumns = errors.New("the catalog has no columns of the table")

// catalogRetry is how long a check asks Unity Catalog again after a failure: an apply of
// many jobs should not wait minutes for each of them.
const catalogRetry = 30 * time.Second

func (c sourceCheck) askUnity(ctx context.Context) (answered bool, err error) {
	u, err := c.via.unityCatalog(func(config *databricks.Config) {
		config.CatalogRetry = catalogRetry
		if !c.via.row.CheckConnection {
			config.CatalogRetry = time.Second // it may be out of reach, which is no error
		}
	})
	if err != nil {
		return true, err
	}
	defer u.Close()
	err = c.in(ctx, u)
	unclear := jobs.IsCode(err, jobs.CodeForbidden) && !databricks.NamesPrivilege(err)
	if databricks.IsNoUnityCatalog(err) || errors.Is(err, errNoColumns) || unclear {
		return false, err
	}
	return true, pointAtSecret(err, c.via.row)
}

// in judges the definition by what a catalog shows.
func (c sourceCheck) in(ctx context.Context, catalog tableCatalog) error {
	if i := c.spec.Import; i != nil {
		columns, err := catalog.Columns(ctx, jobs.TableName{Catalog: i.Catalog, Database: i.Database, Table: i.Table}, "")
		if err != nil {
			return err
		}
		if len(columns) == 0 {
			return errNoColumns
		}
		return importer.CheckColumns(*i, columns)
	}
	x := c.spec.Export
	table, found, err := catalog.FindTable(ctx, jobs.TableName{Catalog: x.Catalog, Database: x.Database, Table: x.TableName})
	if err == nil && found {
		err = exporter.CheckTarget(*x, table, c.written)
	}
	if err != nil || x.ScratchSchema == "" {
		return err
	}
	scratch, database, err := jobs.ParseSchema(x.ScratchSchema)
	if err == nil {
		// The table does not matter: without its schema the answer is an error.
		_, _, err = catalog.FindTable(ctx, jobs.TableName{Catalog: scratch, Database: database, Table: x.TableName})
	}
	if e, ok := errors.AsType[*jobs.Error](err); ok && (e.Attribute == "catalog" || e.Attribute == "database") {
		e.Attribute = "scratch_schema"
	}
	return err
}

// ofDefinition are the attributes of a definition that a catalog can contradict.
var ofDefinition = []string{"catalog", "database", "table", "table_name", "timestamp_column", "record_timestamp_column", "key_columns", "columns",
	"exclude_columns", "deletes", "scratch_schema"}

// outcome completes the error of a check with the attribute of a missing permission, and
// with the way to save the definition unchecked. Of an authorization that was saved without
// a session, only what the catalog says of the definition counts: the workspace may be out
// of this machine's reach.
func (c sourceCheck) outcome(err error) error {
	if err == nil || errors.Is(err, errNoColumns) {
		return nil
	}
	e, ok := errors.AsType[*jobs.Error](err)
	if !ok {
		return err
	}
	said := *e
	if said.Attribute == "" && said.Code == jobs.CodeForbidden {
		said.Attribute = "table"
		if c.spec.Export != nil {
			said.Attribute = "database"
		}
	}
	if !c.via.row.CheckConnection && !slices.Contains(ofDefinition, said.Attribute) {
		return nil
	}
	if said.Next != "" {
		said.Next += "\n\n"
	}
	said.Next += "The first run, by the schedule, would fail in the same way. If the cause ends before that run, check_source = false " +
		"saves the job without this check."
	return &said
}
