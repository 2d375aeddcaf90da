package provider

import (
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	datasource "github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	resource "github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// runUsage is a set of places that have an attribute of a run. last_run of the jobs
// has few of them: a plan that runs a job shows each as a line. The data sources have
// all.
type runUsage int

const (
	inImport runUsage = 1 << iota
	inExport
	inRuns

	inAll = inImport | inExport | inRuns
)

// runAttribute is one attribute of a run, in last_run and in the data sources.
type runAttribute struct {
	name  string
	typ   attr.Type
	usage runUsage
	doc   string
	value func(jobs.Run) attr.Value
}

var runAttributes = []runAttribute{
	{"id", types.StringType, inAll, "Id of the run.",
		func(r jobs.Run) attr.Value { return types.StringValue(r.ID) }},
	{"job_id", types.StringType, inRuns, "Id of the job.",
		func(r jobs.Run) attr.Value { return types.StringValue(r.JobID) }},
	{"status", types.StringType, inAll, "`queued`, `waiting_for_warehouse`, `running`, `succeeded`, `failed`, `cancelled` or `missed`.",
		func(r jobs.Run) attr.Value { return types.StringValue(string(r.Status)) }},
	{"reason", types.StringType, inRuns, "What started the run: `apply`, `schedule`, `after` (other jobs) or `manual`.",
		func(r jobs.Run) attr.Value { return types.StringValue(string(r.Reason)) }},
	{"phase", types.StringType, inRuns, "What the run is doing, in words.",
		func(r jobs.Run) attr.Value { return nullIfEmpty(r.Phase) }},
	{"planned_at", types.StringType, inRuns, "The scheduled time that the run belongs to (RFC 3339); null if no schedule started it.",
		func(r jobs.Run) attr.Value { return formatTime(r.PlannedAt) }},
	{"missed", types.Int64Type, inRuns, "Number of missed scheduled times that this run makes up for.",
		func(r jobs.Run) attr.Value { return types.Int64Value(int64(r.Missed)) }},
	{"attempt", types.Int64Type, inRuns, "Number of the attempt, from 1. A run is tried again if its process died, or if it " +
		"failed for a transient reason.",
		func(r jobs.Run) attr.Value { return types.Int64Value(int64(r.Attempt)) }},
	{"next_attempt_at", types.StringType, inRuns, "When the run is tried again after a transient failure (RFC 3339).",
		func(r jobs.Run) attr.Value { return formatTime(r.NextAttemptAt) }},
	{"runner", types.StringType, inRuns, "The machine that executes or executed the run.",
		func(r jobs.Run) attr.Value { return nullIfEmpty(r.Runner) }},
	{"done", types.Int64Type, inRuns, "Progress of the phase.",
		func(r jobs.Run) attr.Value { return types.Int64Value(r.Done) }},
	{"total", types.Int64Type, inRuns, "Total of the phase; 0 if it is not known.",
		func(r jobs.Run) attr.Value { return types.Int64Value(r.Total) }},
	{"created_at", types.StringType, inRuns, "When the run was created (RFC 3339).",
		func(r jobs.Run) attr.Value { return formatTime(&r.CreatedAt) }},
	{"started_at", types.StringType, inRuns, "When the run started (RFC 3339).",
		func(r jobs.Run) attr.Value { return formatTime(r.StartedAt) }},
	{"finished_at", types.StringType, inAll, "When the run ended (RFC 3339).",
		func(r jobs.Run) attr.Value { return formatTime(r.FinishedAt) }},
	{"rows_read", types.Int64Type, inAll, "Rows that the warehouse returned (import), or profiles scanned (export).",
		func(r jobs.Run) attr.Value { return types.Int64Value(r.RowsRead) }},
	{"rows_written", types.Int64Type, inAll, "Events written to the stream (import), or rows of the new table (export).",
		func(r jobs.Run) attr.Value { return types.Int64Value(r.RowsWritten) }},
	{"rows_known", types.Int64Type, inRuns, "Rows that were read again at the watermark and had been sent before.",
		func(r jobs.Run) attr.Value { return types.Int64Value(r.RowsKnown) }},
	{"rows_null", types.Int64Type, inRuns, "Rows without a timestamp, which were skipped.",
		func(r jobs.Run) attr.Value { return types.Int64Value(r.RowsNull) }},
	{"rows_future", types.Int64Type, inRuns, "Rows later than the warehouse's clock, which wait for a later run.",
		func(r jobs.Run) attr.Value { return types.Int64Value(r.RowsFuture) }},
	{"rows_erased", types.Int64Type, inRuns, "Rows of erased users, which were left out.",
		func(r jobs.Run) attr.Value { return types.Int64Value(r.RowsErased) }},
	{"rows_rejected", types.Int64Type, inImport | inRuns, "Rows that the platform rejected, which are in quarantine.",
		func(r jobs.Run) attr.Value { return types.Int64Value(r.RowsRejected) }},
	{"bytes", types.Int64Type, inRuns, "Bytes of events (import) or of staged files (export).",
		func(r jobs.Run) attr.Value { return types.Int64Value(r.Bytes) }},
	{"profiles", types.Int64Type, inRuns, "Number of profiles after the run.",
		func(r jobs.Run) attr.Value { return types.Int64Value(r.Profiles) }},
	{"possibly_duplicated", types.Int64Type, inRuns, "Events that were sent twice with the same ids, because the " +
		"answer to the first request was lost; always 0 with the embedded platform.",
		func(r jobs.Run) attr.Value { return types.Int64Value(r.PossiblyDuplicated) }},
	{"unidentified", types.Int64Type, inRuns, "Events of all streams without a value of any identifier, which are in no profile.",
		func(r jobs.Run) attr.Value { return types.Int64Value(r.Unidentified) }},
	{"unfit", types.Int64Type, inRuns, "Values of all streams that do not fit their field, which are left out of profiles.",
		func(r jobs.Run) attr.Value { return types.Int64Value(r.Unfit) }},
	{"conflicts", types.Int64Type, inRuns, "Users that were left out because too many identities were joined into " +
		"one profile. The usual cause is a placeholder value in an identifier: add it to the provider's `placeholder_identifiers`.",
		func(r jobs.Run) attr.Value { return types.Int64Value(r.Conflicts) }},
	{"conflict_example", types.StringType, inRuns, "An identity with a conflict, as `field=value`; for a field " +
		"with `is_pii` only the field's id.",
		func(r jobs.Run) attr.Value { return nullIfEmpty(r.ConflictExample) }},
	{"events_behind", types.Int64Type, inRuns, "Events sent to a Lytics account that Lytics had not counted yet when the wait " +
		"for its profiles ended: their profiles may be missing from the table.",
		func(r jobs.Run) attr.Value { return types.Int64Value(r.EventsBehind) }},
	{"snapshot", types.StringType, inRuns, "What was read: the version of the table, or of its copy.",
		func(r jobs.Run) attr.Value { return nullIfEmpty(r.Snapshot) }},
	{"watermark", types.StringType, inImport | inRuns, "Timestamp from which the next run reads (RFC 3339).",
		func(r jobs.Run) attr.Value { return formatTime(r.Watermark) }},
	{"table", types.StringType, inExport | inRuns, "Full name of the table that was written.",
		func(r jobs.Run) attr.Value { return nullIfEmpty(r.Table) }},
	{"error", types.StringType, inAll, "Why the run failed, and what to do about it.",
		func(r jobs.Run) attr.Value { return nullIfEmpty(r.Failure.String()) }},
}

// nullIfEmpty gives null for "", which stands for "not set" in the store.
func nullIfEmpty(s string) types.String {
	if s == "" {
		return types.StringNull()
	}
	return types.StringValue(s)
}

// formatTime formats a time in UTC, with all digits of its fraction.
func formatTime(t *time.Time) types.String {
	if t == nil || t.IsZero() {
		return types.StringNull()
	}
	return types.StringValue(t.UTC().Format(time.RFC3339Nano))
}

func runTypes(in runUsage) map[string]attr.Type {
	out := map[string]attr.Type{}
	for _, v := range runAttributes {
		if v.usage&in != 0 {
			out[v.name] = v.typ
		}
	}
	return out
}

func runObject(in runUsage, r jobs.Run) types.Object {
	values := map[string]attr.Value{}
	for _, v := range runAttributes {
		if v.usage&in != 0 {
			values[v.name] = v.value(r)
		}
	}
	return types.ObjectValueMust(runTypes(in), values)
}

// optionalRunObject is runObject for a run that may be nil.
func optionalRunObject(in runUsage, r *jobs.Run) types.Object {
	if r == nil {
		return types.ObjectNull(runTypes(in))
	}
	return runObject(in, *r)
}

func runResourceAttributes(in runUsage) map[string]resource.Attribute {
	out := map[string]resource.Attribute{}
	for _, v := range runAttributes {
		switch {
		case v.usage&in == 0:
		case v.typ == types.Int64Type:
			out[v.name] = resource.Int64Attribute{Computed: true, MarkdownDescription: v.doc}
		default:
			out[v.name] = resource.StringAttribute{Computed: true, MarkdownDescription: v.doc}
		}
	}
	return out
}

func runDataSourceAttributes(in runUsage) map[string]datasource.Attribute {
	out := map[string]datasource.Attribute{}
	for _, v := range runAttributes {
		switch {
		case v.usage&in == 0:
		case v.typ == types.Int64Type:
			out[v.name] = datasource.Int64Attribute{Computed: true, MarkdownDescription: v.doc}
		default:
			out[v.name] = datasource.StringAttribute{Computed: true, MarkdownDescription: v.doc}
		}
	}
	return out
}
