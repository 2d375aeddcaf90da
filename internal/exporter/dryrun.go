package exporter

import (
	"context"
	"fmt"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/staging"
)

// shownRun stands for the run in the names of a plan.
const shownRun = "RUN"

// Plan says what Run would do. It looks at the target and at the audience's
// fields, and opens no staging: of Staging it asks URL only.
func (e *Export) Plan(ctx context.Context) (p jobs.DryRun, err error) {
	if err := e.begin(); err != nil {
		return p, err
	}
	scratch, err := e.scratch()
	if err != nil {
		return p, err
	}
	e.name = shownRun
	if e.load, err = scratch.loadTable(shownRun); err != nil {
		return p, err
	}
	defer func() {
		if closeErr := e.disconnect(); err == nil { // after a failure it says nothing new
			err = closeErr
		}
	}()
	before, err := e.inspect(ctx)
	if err != nil {
		return p, err
	}
	fields, _, err := e.Audiences.Scan(ctx, e.Spec.AudienceID, e.Spec.Fields)
	if err != nil {
		return p, err
	}
	columns, err := tableColumns(fields)
	if err != nil {
		return p, err
	}
	l, err := layoutOf(e.Spec, columns, `\N<random>`)
	if err != nil {
		return p, err
	}
	p.Reads.Source, p.Reads.Snapshot = "audience "+e.Spec.AudienceID, "the profiles as the last run built them"
	p.Writes = jobs.DryRunWrites{
		Table: e.target().String(), Staging: e.Staging.URL(e.prefix("<run>")), Exists: before.exists, Ours: before.ours,
		InPlace: before.exists && before.ours && !l.inferred && sameColumns(before.columns, columns),
	}
	for _, c := range columns {
		p.Writes.Columns = append(p.Writes.Columns, jobs.DryRunColumn{Name: c.name, Type: c.sqlType})
	}
	p.Notes = append(p.Notes, "A run first brings the profiles up to the events there are: it may find others than are counted here.")
	if l.inferred {
		p.Notes = append(p.Notes, "The columns' types are those that COPY INTO infers from the files; here stand the declared ones. "+
			"Whether the table is replaced in place is known then.")
	}
	if before.exists && !before.ours {
		p.Notes = append(p.Notes, "The table was not made by this export: overwrite_existing lets it be replaced.")
	}
	p.Statements, err = e.statements(l, p.Writes.InPlace)
	return p, err
}

// statements of a run, with what is not known before it in angle brackets.
func (e *Export) statements(l layout, inPlace bool) ([]string, error) {
	definition := ""
	if !l.inferred {
		definitions := make([]string, len(l.columns))
		for i, c := range l.columns {
			definitions[i] = c.sql + " " + c.sqlType
		}
		definition = " (" + strings.Join(definitions, ", ") + ")"
	}
	owner := fmt.Sprintf(" TBLPROPERTIES (%s = %s)", databricks.Literal(ownerProperty), databricks.Literal(e.JobID))
	load, err := e.copyStatement(l, []string{"part-<number>" + l.extension()}, staging.CopyCredential{})
	if err != nil {
		return nil, err
	}
	replace := fmt.Sprintf("CREATE OR REPLACE TABLE %s <properties, comments and clustering> AS SELECT * FROM %s", e.sql, e.load)
	if inPlace {
		replace = fmt.Sprintf("INSERT OVERWRITE %s BY NAME SELECT * FROM %s", e.sql, e.load)
	}
	return []string{
		"CREATE OR REPLACE TABLE " + e.load + definition + owner,
		load,
		"SELECT count(*) FROM " + e.load,
		replace,
		"DROP TABLE IF EXISTS " + e.load,
	}, nil
}
