package provider

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// runPlan says in a plan what the run of its apply will do with data. It says so in
// warnings: an attribute with the text would have to be the same when Terraform plans
// again in the apply, and the numbers need not be.
type runPlan struct {
	r    *jobResource
	api  jobs.API
	info jobs.StoreInfo
	// prior is nil for a new job.
	prior, planned jobModel
}

// explain adds what is known about the run. With plan_check it asks the warehouse, and
// adds the errors that the run would end with.
func (p *runPlan) explain(ctx context.Context, diags *diag.Diagnostics) {
	s, j := p.r.session, p.planned.job()
	if !s.known() || s.applying.Load() || j.inLytics() || j.ManagedBy.IsUnknown() {
		return
	}
	runs := j.LastRun.IsUnknown()
	if s.config.planCheck && (p.prior == nil || runs || p.definitionChanges(ctx)) {
		d, ok := p.dryRun(ctx, diags)
		if ok && (p.prior == nil || runs) {
			diags.AddWarning(describeDryRun(d), paragraphs(p.whoRuns(runs), joinNotes(d.Notes)))
		}
		return
	}
	if runs && p.prior != nil && p.api != nil {
		p.explainFromStore(ctx, diags)
	}
}

// definitionChanges reports whether the plan changes what a run does.
func (p *runPlan) definitionChanges(ctx context.Context) bool {
	var ignored diag.Diagnostics
	was, is := jobSpec(ctx, p.prior, &ignored), jobSpec(ctx, p.planned, &ignored)
	return was.AuthorizationID != is.AuthorizationID || !reflect.DeepEqual(was.Import, is.Import) || !reflect.DeepEqual(was.Export, is.Export)
}

func (p *runPlan) whoRuns(inApply bool) string {
	switch {
	case inApply:
		return "The apply runs the job."
	case p.planned.job().Schedule.IsNull():
		return "A runner runs the job after others."
	}
	return "A runner runs the job, by its schedule."
}

// explainFromStore says what the store knows, which costs no query.
func (p *runPlan) explainFromStore(ctx context.Context, diags *diag.Diagnostics) {
	id := p.planned.job().ID.ValueString()
	last, err := p.api.ListRuns(ctx, jobs.RunFilter{JobID: id, Statuses: []jobs.Status{jobs.StatusSucceeded}, Limit: 1})
	if err != nil || len(last) == 0 {
		return // the apply reports what cannot be read
	}
	const source = "The apply runs the job. The numbers are those of its last run; plan_check = true in the provider block counts in the " +
		"warehouse."
	switch m := p.planned.(type) {
	case *tableImportModel:
		was, _ := p.prior.(*tableImportModel)
		table := m.Catalog.ValueString() + "." + m.Database.ValueString() + "." + m.Table.ValueString()
		switch {
		case !m.FullRefresh.IsNull() && !m.FullRefresh.Equal(was.FullRefresh):
			diags.AddWarning(fmt.Sprintf("Import of %s into stream %s begins again: every row is sent again", table, m.Stream.ValueString()), source)
		case last[0].Watermark != nil:
			diags.AddWarning(fmt.Sprintf("Import of %s goes on from %s", table, formatWatermark(last[0].Watermark)), source)
		}
	case *audienceExportModel:
		text := fmt.Sprintf("Export replaces %s (%s rows)", last[0].Table, humanize.Comma(last[0].RowsWritten))
		if !p.info.Lytics { // a Lytics account counts once in ten seconds
			if size, err := p.api.AudienceSize(ctx, m.AudienceID.ValueString()); err == nil {
				text += " with about " + about(size)
			}
		}
		diags.AddWarning(text, source)
	}
}

// dryRun asks the warehouse. ok is false after an error, and if what has to be asked is
// not known yet.
func (p *runPlan) dryRun(ctx context.Context, diags *diag.Diagnostics) (_ jobs.DryRun, ok bool) {
	for _, v := range p.planned.dataAttributes() {
		if v.IsUnknown() {
			return jobs.DryRun{}, false
		}
	}
	s, j := p.r.session, p.planned.job()
	request := jobs.DryRunRequest{Definition: jobSpec(ctx, p.planned, diags)}
	if diags.HasError() {
		return jobs.DryRun{}, false
	}
	// What is not known yet does not concern a dry run.
	request.Definition.After, request.Definition.Schedule = nil, nil
	if j.AuthorizationID.IsUnknown() {
		if request.Connection = s.newConnection(); request.Connection == nil {
			diags.AddWarning("plan_check could not check "+nounOfSpec(request.Definition)+" "+request.Definition.Label,
				"Its authorization is not created yet, and this plan creates several, or its definition is not known.\n\n"+
					"Give the provider block databricks = { host = ... } for the workspace of all of them, or apply the authorizations first.")
			return jobs.DryRun{}, false
		}
	}
	api := p.api
	if api == nil {
		var err error
		if api, err = s.connect(ctx); err != nil {
			addError(diags, noAttribute, "open the store", err)
			return jobs.DryRun{}, false
		}
	}
	at := p.r.target(p.r.kind.schema(ctx).Type())
	d, err := api.DryRunOf(ctx, request)
	switch {
	case jobs.IsCode(err, jobs.CodeForbidden) && toJobsError(err, "").Attribute == "runner.token":
		e := toJobsError(err, "")
		diags.AddWarning("plan_check could not check "+nounOfSpec(request.Definition)+" "+request.Definition.Label, paragraphs(e.Detail, e.Next))
		return d, false
	case err != nil:
		e := *toJobsError(err, "check "+p.r.kind.noun)
		if e.Attribute == "" && e.Code == jobs.CodeForbidden {
			e.Attribute = map[jobs.Kind]string{jobs.KindTableImport: "table", jobs.KindAudienceExport: "database"}[p.r.kind.kind]
		}
		e.Detail = paragraphs(e.Detail, "plan_check found it before the apply.")
		addError(diags, at, "check "+p.r.kind.noun, &e)
		return d, false
	}
	return d, true
}

// newConnection is the connection of an authorization that is not created yet: that of
// the only one that the plan creates, or the one of the provider block if all of them
// are for its workspace. It is nil if that cannot be told.
func (s *session) newConnection() *jobs.AuthorizationChange {
	all := s.planned.newAuthorizations()
	if len(all) == 1 {
		return &all[0]
	}
	own := s.config.databricks
	if own == nil || own.HTTPPath == "" || len(all) == 0 {
		return nil
	}
	for _, c := range all {
		if was, is := c.Destination(), own.Destination(); was.Host != is.Host || was.Port != is.Port || was.Scheme != is.Scheme ||
			was.CAFile != is.CAFile {
			return nil
		}
	}
	return &jobs.AuthorizationChange{AuthorizationSpec: *own}
}

func nounOfSpec(s jobs.JobSpec) string { return nounOfJob(jobs.Job{JobSpec: s}) }

// describeDryRun says in one line what a run would do.
func describeDryRun(d jobs.DryRun) string {
	if d.Kind == jobs.KindAudienceExport {
		switch {
		case d.Reads.Source == "":
			return "Export of a new audience into " + d.Writes.Table
		case d.Writes.RowsBefore != nil:
			before := humanize.Comma(*d.Writes.RowsBefore)
			return fmt.Sprintf("Export replaces %s (%s rows) with about %s", d.Writes.Table, before, about(d.Writes.Rows))
		}
		return fmt.Sprintf("Export creates %s with about %s rows", d.Writes.Table, about(d.Writes.Rows))
	}
	if !d.Reads.Continues {
		return fmt.Sprintf("First import of %s into stream %s: about %s rows", d.Reads.Source, d.Writes.Stream, about(d.Writes.Rows))
	}
	from := "where it stopped"
	if d.Reads.Watermark != nil {
		from = "from " + formatWatermark(d.Reads.Watermark)
	}
	return fmt.Sprintf("Import of %s into stream %s goes on %s: about %s rows", d.Reads.Source, d.Writes.Stream, from, about(d.Writes.Rows))
}

// formatWatermark writes a time as since_timestamp does.
func formatWatermark(t *time.Time) string { return t.UTC().Format(sinceLayout) }

// about writes a number of rows: in full below a million, and then with one decimal.
func about(n int64) string {
	switch {
	case n >= 999_950_000:
		return fmt.Sprintf("%.1f billion", float64(n)/1e9)
	case n >= 1_000_000:
		return fmt.Sprintf("%.1f million", float64(n)/1e6)
	}
	return humanize.Comma(n)
}

// joinNotes writes notes as a list.
func joinNotes(notes []string) string {
	text := ""
	for _, n := range notes {
		text += "\n  - " + n
	}
	if text == "" {
		return ""
	}
	return "Of the data:" + text
}

// dataAttributes are the attributes that say what is moved.
func (m *tableImportModel) dataAttributes() []attr.Value {
	return append(m.keyAttributes(), m.RecordTimestampColumn, m.SinceTimestamp, m.KeyColumns, m.Columns, m.ExcludeColumns, m.Where, m.Lookback,
		m.NullTimestamps, m.FutureTimestamps, m.Changes, m.Deletes, m.RowLimit, m.ScratchSchema, m.FullRefresh)
}

// dataAttributes are the attributes that say what is moved. The audience and the name
// of the table may be those of an audience that the plan creates.
func (m *audienceExportModel) dataAttributes() []attr.Value {
	return []attr.Value{m.Catalog, m.Database, m.Fields, m.OverwriteExisting, m.ColumnTypes, m.Format, m.Compression, m.ScratchSchema}
}
