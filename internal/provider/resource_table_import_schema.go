package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// maxBatchSize keeps a batch within memory.
const maxBatchSize = 100_000

func tableImportSchema(ctx context.Context) schema.Schema {
	return schema.Schema{
		MarkdownDescription: "Moves the rows of a Databricks table into an event stream: all of them the first time, " +
			"then those after the last import, each exactly once and in order. Rows that are deleted in the table stay in the stream.",
		Attributes: withJobAttributes(ctx, inImport, map[string]schema.Attribute{
			"catalog":  keyAttribute("Catalog of the table."),
			"database": keyAttribute("Database (schema) of the table."),
			"table":    keyAttribute("The table or view to read."),
			"timestamp_column": keyAttribute("Column of type TIMESTAMP, TIMESTAMP_NTZ or DATE that orders the rows and tells new and updated ones. " +
				"It should change whenever the row does."),
			"record_timestamp_column": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "Column with the event's own time. Left out: `timestamp_column`.",
				Validators:          []validator.String{plainText()},
			},
			"since_timestamp": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "Read rows after this time only: `yyyy-mm-dd HH:MM:SS`, in UTC, exclusive. Left out: all rows. " +
					"It counts until the first run has set the cursor, and again for a `full_refresh`.",
				Validators: []validator.String{sinceTimestamp()},
			},
			"stream": schema.StringAttribute{
				Optional: true, Computed: true,
				MarkdownDescription: "The stream to write to, made if it is missing. Default `databricks_{catalog}_{database}_{table}`.",
				Validators:          []validator.String{plainText()},
			},
			"key_columns": columnNames("Columns that order rows of one timestamp, and tell them apart. Left out: a digest of the row."),
			"columns": columnNames("The only columns that an event has. Left out: all, also those that the table gets later.",
				listvalidator.ConflictsWith(path.MatchRoot("exclude_columns"))),
			"exclude_columns": columnNames("Columns that an event does not have. One that the table has not got is an error, so that a slip sends nothing it should not."),
			"where": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "Only rows that meet this condition, in Databricks SQL over the table's columns: `country = 'DE'`. " +
					"It should give the same answer each time. A change counts for rows that are new to the next run.",
				Validators: []validator.String{predicate()},
			},
			"lookback": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "How far below the latest timestamp read each run looks for rows that were committed late: `\"24h\"` (the default), `\"90m\"`; " +
					"`\"0s\"` looks at that timestamp alone. It is paid for with reading the window in two versions of the table. Rows that come later than that are not seen; `full_refresh` reads them.",
				Validators:    []validator.String{lookback()},
				PlanModifiers: []planmodifier.String{sameDuration{}},
			},
			"null_timestamps": schema.StringAttribute{
				Optional: true, Computed: true,
				Default: stringdefault.StaticString(string(jobs.NullSkip)),
				MarkdownDescription: "What becomes of rows without a timestamp: `skip` (the default) counts them, `error` fails the run before it sends anything, " +
					"`include_once` sends each once, before all others.",
				Validators: []validator.String{stringvalidator.OneOf(string(jobs.NullSkip), string(jobs.NullError), string(jobs.NullIncludeOnce))},
			},
			"future_timestamps": schema.StringAttribute{
				Optional: true, Computed: true,
				Default: stringdefault.StaticString(string(jobs.FutureDefer)),
				MarkdownDescription: "What becomes of rows later than the warehouse's clock: `defer` (the default) counts them and leaves them to a later run, " +
					"`include` sends them and remembers that it did. The cursor never passes the clock.",
				Validators: []validator.String{stringvalidator.OneOf(string(jobs.FutureDefer), string(jobs.FutureInclude))},
			},
			"batch_size": schema.Int64Attribute{
				Optional:            true,
				MarkdownDescription: "Most events committed at once: 1 to 100000. Left out: 50000. 8 MB of them are committed however few they are, and after a second those that there are.",
				Validators:          []validator.Int64{int64validator.Between(1, maxBatchSize)},
			},
			"row_limit": schema.Int64Attribute{
				Optional:            true,
				MarkdownDescription: "Most events of one run; the next run goes on there. Left out: no limit.",
				Validators:          []validator.Int64{int64validator.AtLeast(1)},
			},
			"scratch_schema": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "`catalog.database` where a source without versions (a view, a foreign table, a table with a row filter or column mask) is copied to, " +
					"to be read at rest; takes USE SCHEMA and CREATE TABLE there. The copy is dropped when it has been read. Left out: a temporary table of the session.",
				Validators: []validator.String{plainText(), schemaName()},
			},
			"full_refresh": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "Any text. After a change to another text the next run reads the table from `since_timestamp` again and sends every row as a new event; " +
					"change `triggers` with it to have that run in this apply. Taking it away changes nothing.",
				Validators: []validator.String{plainText()},
			},
		}),
	}
}

func columnNames(doc string, more ...validator.List) schema.ListAttribute {
	return schema.ListAttribute{
		ElementType: types.StringType, Optional: true,
		MarkdownDescription: doc,
		Validators: append([]validator.List{
			listvalidator.SizeAtLeast(1), listvalidator.UniqueValues(), listvalidator.NoNullValues(), listvalidator.ValueStringsAre(plainText()),
		}, more...),
	}
}

func predicate() validator.String {
	return textRule{rule: "one condition of SQL", check: jobs.CheckPredicate}
}

func lookback() validator.String {
	return textRule{rule: "a duration such as 24h", check: func(s string) error {
		_, err := readLookback(s)
		return err
	}}
}

// sameDuration keeps what state holds where the same duration is written in
// another way: the store knows durations, not texts.
type sameDuration struct{}

func (sameDuration) Description(context.Context) string {
	return "the same duration in other words is no change"
}

func (s sameDuration) MarkdownDescription(ctx context.Context) string { return s.Description(ctx) }

func (sameDuration) PlanModifyString(_ context.Context, req planmodifier.StringRequest, resp *planmodifier.StringResponse) {
	if req.StateValue.IsNull() || req.PlanValue.IsNull() || req.PlanValue.IsUnknown() {
		return
	}
	was, err := readLookback(req.StateValue.ValueString())
	if planned, other := readLookback(req.PlanValue.ValueString()); err == nil && other == nil && was == planned {
		resp.PlanValue = req.StateValue
	}
}
