package provider

import (
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	datasource "github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	resource "github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// shownIn says where a value of a run is shown.
type shownIn int

const (
	inImport shownIn = 1 << iota
	inExport
	inRuns

	inAll = inImport | inExport | inRuns
)

// runValue is one attribute of a run, in last_run and in the data sources.
type runValue struct {
	name  string
	typ   attr.Type
	in    shownIn
	doc   string
	value func(jobs.Run) attr.Value
}

var runValues = []runValue{
	{"id", types.StringType, inAll, "Id of the run.",
		func(r jobs.Run) attr.Value { return types.StringValue(r.ID) }},
	{"job_id", types.StringType, inRuns, "Id of its job.",
		func(r jobs.Run) attr.Value { return types.StringValue(r.JobID) }},
	{"status", types.StringType, inAll, "`queued`, `waiting_for_warehouse`, `running`, `succeeded`, `failed`, `cancelled` or `missed`.",
		func(r jobs.Run) attr.Value { return types.StringValue(string(r.Status)) }},
	{"reason", types.StringType, inRuns, "Why it ran: `apply`, `schedule`, `after` (other jobs) or `manual`.",
		func(r jobs.Run) attr.Value { return types.StringValue(string(r.Reason)) }},
	{"phase", types.StringType, inRuns, "What it is at, in words.",
		func(r jobs.Run) attr.Value { return text(r.Phase) }},
	{"planned_at", types.StringType, inRuns, "The time of its schedule that it stands for (RFC 3339); null when it was asked for.",
		func(r jobs.Run) attr.Value { return moment(r.PlannedAt) }},
	{"missed", types.Int64Type, inRuns, "How many times of its schedule it stands for that nothing executed in time.",
		func(r jobs.Run) attr.Value { return types.Int64Value(int64(r.Missed)) }},
	{"attempt", types.Int64Type, inRuns, "Which attempt it is at, from 1: a run that a lost process left, or that failed for a passing reason, is tried again.",
		func(r jobs.Run) attr.Value { return types.Int64Value(int64(r.Attempt)) }},
	{"next_attempt_at", types.StringType, inRuns, "When a run that failed for a passing reason is tried again (RFC 3339).",
		func(r jobs.Run) attr.Value { return moment(r.NextAttemptAt) }},
	{"runner", types.StringType, inRuns, "The machine that executes it, or did.",
		func(r jobs.Run) attr.Value { return text(r.Runner) }},
	{"done", types.Int64Type, inRuns, "How far its phase is.",
		func(r jobs.Run) attr.Value { return types.Int64Value(r.Done) }},
	{"total", types.Int64Type, inRuns, "How far its phase goes; 0 while that is not known.",
		func(r jobs.Run) attr.Value { return types.Int64Value(r.Total) }},
	{"created_at", types.StringType, inRuns, "When it was asked for (RFC 3339).",
		func(r jobs.Run) attr.Value { return moment(&r.CreatedAt) }},
	{"started_at", types.StringType, inAll, "When it began (RFC 3339).",
		func(r jobs.Run) attr.Value { return moment(r.StartedAt) }},
	{"finished_at", types.StringType, inAll, "When it ended (RFC 3339).",
		func(r jobs.Run) attr.Value { return moment(r.FinishedAt) }},
	{"rows_read", types.Int64Type, inAll, "Rows the warehouse returned (import), or profiles scanned (export).",
		func(r jobs.Run) attr.Value { return types.Int64Value(r.RowsRead) }},
	{"rows_written", types.Int64Type, inAll, "Events written to the stream (import), or rows of the new table (export).",
		func(r jobs.Run) attr.Value { return types.Int64Value(r.RowsWritten) }},
	{"rows_known", types.Int64Type, inImport | inRuns, "Rows read again at the watermark that had been sent before.",
		func(r jobs.Run) attr.Value { return types.Int64Value(r.RowsKnown) }},
	{"rows_null", types.Int64Type, inImport | inRuns, "Rows without a timestamp, which were skipped.",
		func(r jobs.Run) attr.Value { return types.Int64Value(r.RowsNull) }},
	{"rows_future", types.Int64Type, inImport | inRuns, "Rows later than the warehouse's clock, which wait for a later run.",
		func(r jobs.Run) attr.Value { return types.Int64Value(r.RowsFuture) }},
	{"rows_erased", types.Int64Type, inImport | inRuns, "Rows of users who were erased, which were left out.",
		func(r jobs.Run) attr.Value { return types.Int64Value(r.RowsErased) }},
	{"bytes", types.Int64Type, inAll, "Bytes of events (import) or of staged files (export).",
		func(r jobs.Run) attr.Value { return types.Int64Value(r.Bytes) }},
	{"profiles", types.Int64Type, inImport | inRuns, "Profiles there are after the run.",
		func(r jobs.Run) attr.Value { return types.Int64Value(r.Profiles) }},
	{"possibly_duplicated", types.Int64Type, inImport | inRuns, "Events sent a second time with the same ids, because the answer to the first was lost; always 0 with the embedded platform.",
		func(r jobs.Run) attr.Value { return types.Int64Value(r.PossiblyDuplicated) }},
	{"unidentified", types.Int64Type, inImport | inRuns, "Events in all streams that have no value of any identifier, and so are in no profile.",
		func(r jobs.Run) attr.Value { return types.Int64Value(r.Unidentified) }},
	{"unfit", types.Int64Type, inImport | inRuns, "Values in all streams that did not fit their field, and were left out of profiles.",
		func(r jobs.Run) attr.Value { return types.Int64Value(r.Unfit) }},
	{"conflicts", types.Int64Type, inImport | inRuns, "Users left out because more identities were joined than one user has: a placeholder stands in an identifier, and a `guard_expression` must keep it out.",
		func(r jobs.Run) attr.Value { return types.Int64Value(r.Conflicts) }},
	{"conflict_example", types.StringType, inImport | inRuns, "An identity at which a conflict was found, `field=value`; of a field that is PII only its id.",
		func(r jobs.Run) attr.Value { return text(r.ConflictExample) }},
	{"snapshot", types.StringType, inImport | inRuns, "What was read: the table's version, or its stand-in.",
		func(r jobs.Run) attr.Value { return text(r.Snapshot) }},
	{"watermark", types.StringType, inImport | inRuns, "Where the next run begins (RFC 3339).",
		func(r jobs.Run) attr.Value { return moment(r.Watermark) }},
	{"table", types.StringType, inExport | inRuns, "Full name of the table that was written.",
		func(r jobs.Run) attr.Value { return text(r.Table) }},
	{"error", types.StringType, inAll, "Why it failed, and what to do about it.",
		func(r jobs.Run) attr.Value { return text(r.Failure.String()) }},
}

// text gives null for "", which is how the store says "nothing".
func text(s string) types.String {
	if s == "" {
		return types.StringNull()
	}
	return types.StringValue(s)
}

// moment writes a time with all its digits, in UTC.
func moment(t *time.Time) types.String {
	if t == nil || t.IsZero() {
		return types.StringNull()
	}
	return types.StringValue(t.UTC().Format(time.RFC3339Nano))
}

func runTypes(in shownIn) map[string]attr.Type {
	out := map[string]attr.Type{}
	for _, v := range runValues {
		if v.in&in != 0 {
			out[v.name] = v.typ
		}
	}
	return out
}

func runObject(in shownIn, r jobs.Run) types.Object {
	values := map[string]attr.Value{}
	for _, v := range runValues {
		if v.in&in != 0 {
			values[v.name] = v.value(r)
		}
	}
	return types.ObjectValueMust(runTypes(in), values)
}

// lastRunObject is runObject for a run that may not exist.
func lastRunObject(in shownIn, r *jobs.Run) types.Object {
	if r == nil {
		return types.ObjectNull(runTypes(in))
	}
	return runObject(in, *r)
}

func runResourceAttributes(in shownIn) map[string]resource.Attribute {
	out := map[string]resource.Attribute{}
	for _, v := range runValues {
		switch {
		case v.in&in == 0:
		case v.typ == types.Int64Type:
			out[v.name] = resource.Int64Attribute{Computed: true, MarkdownDescription: v.doc}
		default:
			out[v.name] = resource.StringAttribute{Computed: true, MarkdownDescription: v.doc}
		}
	}
	return out
}

func runDataSourceAttributes(in shownIn) map[string]datasource.Attribute {
	out := map[string]datasource.Attribute{}
	for _, v := range runValues {
		switch {
		case v.in&in == 0:
		case v.typ == types.Int64Type:
			out[v.name] = datasource.Int64Attribute{Computed: true, MarkdownDescription: v.doc}
		default:
			out[v.name] = datasource.StringAttribute{Computed: true, MarkdownDescription: v.doc}
		}
	}
	return out
}
