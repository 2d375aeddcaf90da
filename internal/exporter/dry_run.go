package exporter

import (
	"context"
	"iter"

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
	r, err := e.planReplacement(ctx, columns, before)
	if err != nil && l.inferred && jobs.IsCode(err, jobs.CodeInvalid) {
		p.Notes = append(p.Notes, "With the declared types, a run would be refused: "+err.Error())
		return p, nil
	}
	if err != nil {
		return p, err
	}
	p.Writes.InPlace = r.inPlace && !l.inferred
	for _, note := range []string{r.why, r.warning} {
		if note != "" {
			p.Notes = append(p.Notes, note)
		}
	}
	p.Statements, err = e.statements(l, r, before)
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
func (e *Export) statements(l layout, r replacement, before existingTable) ([]string, error) {
	load, err := e.copyStatement(l, []string{"part-<number>" + l.extension()}, staging.CopyCredential{})
	if err != nil {
		return nil, err
	}
	all := []string{e.createLoadTable(l.columns, l.inferred, before), load, "SELECT count(*) FROM " + e.loadSQL}
	if e.Spec.MaxShrinkPercent != nil && before.exists {
		all = append(all, "SELECT count(*) FROM "+e.targetSQL)
	}
	for _, s := range r.prepare {
		all = append(all, s.sql)
	}
	all = append(all, r.commit)
	for _, s := range r.finish {
		all = append(all, s.sql)
	}
	return append(all, "DROP TABLE IF EXISTS "+e.loadSQL), nil
}
