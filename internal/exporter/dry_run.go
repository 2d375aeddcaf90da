package exporter

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/staging"
)

// dryRunName replaces the execution's name in the names that a dry run shows.
const dryRunName = "RUN"

// DryRun reports what Run would do. It reads the target and the audience's fields.
// Of Staging it calls URL only.
func (e *Export) DryRun(ctx context.Context) (p jobs.DryRun, err error) {
	if err := e.nameExecution(); err != nil {
		return p, err
	}
	scratch, err := e.scratch()
	if err != nil {
		return p, err
	}
	e.name = dryRunName
	if e.loadSQL, err = scratch.loadTable(dryRunName); err != nil {
		return p, err
	}
	defer func() {
		if closeErr := e.disconnect(); err == nil { // after a failure, the first error is the cause
			err = closeErr
		}
	}()
	before, err := e.inspectTarget(ctx)
	if err != nil {
		return p, err
	}
	fields, profiles, err := e.Audiences.Scan(ctx, e.Spec.AudienceID, e.Spec.Fields)
	if err != nil {
		return p, err
	}
	if p.Samples, err = e.samples(fields, profiles); err != nil {
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
		Table: e.target().String(), Staging: e.Staging.URL(e.runPrefix("<run>")), Exists: before.exists, Ours: before.ours,
		InPlace: before.exists && before.ours && !l.inferred && sameColumns(before.columns, columns),
	}
	if before.exists {
		rows, err := e.countRows(ctx, e.targetSQL)
		if err != nil {
			return p, err
		}
		p.Writes.RowsBefore = &rows
	}
	for _, c := range columns {
		p.Writes.Columns = append(p.Writes.Columns, jobs.DryRunColumn{Name: c.name, Type: c.sqlType})
	}
	p.Notes = append(p.Notes, "A run first builds the profiles from all events of the streams: "+
		"it may export other profiles than this dry run counts.")
	if l.inferred {
		p.Notes = append(p.Notes, "COPY INTO infers the columns' types from the files; the declared types are shown here. "+
			"Whether the table is replaced in place depends on the inferred types.")
	}
	if before.exists && !before.ours {
		p.Notes = append(p.Notes, "The table was not created by this export: overwrite_existing allows the export to replace it.")
	}
	p.Statements, err = e.statements(l, before.exists, p.Writes.InPlace)
	return p, err
}

// samples returns the first profiles of a scan.
func (e *Export) samples(fields []jobs.Field, profiles iter.Seq2[[]jobs.Value, error]) ([]jobs.DryRunSample, error) {
	var out []jobs.DryRunSample
	if e.Samples <= 0 {
		return nil, nil
	}
	for row, err := range profiles {
		if err != nil {
			return nil, err
		}
		sample := jobs.DryRunSample{Profile: map[string]string{}}
		for i, v := range row {
			if !v.Null {
				sample.Profile[fields[i].ID] = v.Text
			}
		}
		if out = append(out, sample); len(out) == e.Samples {
			break
		}
	}
	return out, nil
}

// statements returns the statements of a run. Parts that are known only during a run are
// in angle brackets.
func (e *Export) statements(l layout, exists, inPlace bool) ([]string, error) {
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
	replace := fmt.Sprintf("CREATE OR REPLACE TABLE %s <properties, comments and clustering> AS SELECT * FROM %s", e.targetSQL, e.loadSQL)
	if inPlace {
		replace = fmt.Sprintf("INSERT OVERWRITE %s BY NAME SELECT * FROM %s", e.targetSQL, e.loadSQL)
	}
	all := []string{"CREATE OR REPLACE TABLE " + e.loadSQL + definition + owner, load, "SELECT count(*) FROM " + e.loadSQL}
	if e.Spec.MaxShrinkPercent != nil && exists {
		all = append(all, "SELECT count(*) FROM "+e.targetSQL)
	}
	return append(all, replace, "DROP TABLE IF EXISTS "+e.loadSQL), nil
}
