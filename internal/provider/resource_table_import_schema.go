package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// maxBatchSize limits the memory that a batch takes.
const maxBatchSize = 100_000

func tableImportSchema(ctx context.Context) schema.Schema {
	return schema.Schema{
		Version: jobStateVersion,
		MarkdownDescription: "Moves the rows of a Databricks table into an event stream: the first run moves all rows, " +
			"later runs move the rows after the last import, each exactly once and in order. The events of rows that are deleted in the table " +
			"stay in the stream; with `deletes = \"events\"` another event tells of the deletion.",
		Attributes: addJobAttributes(ctx, inImport, map[string]schema.Attribute{
			"catalog":  keyAttribute("Catalog of the table."),
			"database": keyAttribute("Database (schema) of the table."),
			"table":    keyAttribute("The table or view to read."),
			"timestamp_column": keyAttribute("Column of type TIMESTAMP, TIMESTAMP_NTZ or DATE that orders the rows and by which new " +
				"and updated rows are found. " +
				"It should change whenever the row changes."),
			"record_timestamp_column": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "Column with the time of the event. Default: `timestamp_column`.",
				Validators:          []validator.String{nonEmptyText()},
			},
			"since_timestamp": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "Read only rows after this time: `yyyy-mm-dd HH:MM:SS`, in UTC, exclusive. Default: all rows. " +
					"It applies until the first run has set the cursor, and again after a change of `full_refresh`.",
				Validators: []validator.String{sinceTimestamp()},
			},
			"stream": schema.StringAttribute{
				Optional: true, Computed: true,
				MarkdownDescription: "The stream to write to; it is created if it does not exist. Default `databricks_{catalog}_{database}_{table}`.",
				Validators:          []validator.String{nonEmptyText()},
			},
			"key_columns": columnNames("Columns that order rows with the same timestamp and distinguish them. Default: a digest of the row."),
			"columns": columnNames("The columns of an event. Default: all columns, including those that are added to the table later.",
				listvalidator.ConflictsWith(path.MatchRoot("exclude_columns"))),
			"exclude_columns": columnNames("Columns to leave out of events. A column that the table does not have is an error, so " +
				"that a typing mistake does not send a column."),
			"where": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "Read only rows that meet this condition, in Databricks SQL over the table's columns: `country = 'DE'`. " +
					"It should be deterministic. A change applies to rows that the next run reads for the first time. The condition is the author's SQL " +
					"and is executed with the rights of the authorization: a subquery in it can read every table that the credential can read.",
				Validators: []validator.String{predicate()},
			},
			"lookback": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "How far before the watermark each run looks for rows that were committed late: `\"24h\"` (the " +
					"default), `\"90m\"`; " +
					"`\"0s\"` looks only at rows with the watermark's timestamp. Each run reads this window in two versions of the table, " +
					"which costs time, and rows that are committed later than that are not read: `full_refresh` reads them. " +
					"With the change data feed (`changes`), late rows of any age are read, and the window is not.",
				Validators:    []validator.String{lookback()},
				PlanModifiers: []planmodifier.String{sameDuration{}},
			},
			"changes": schema.StringAttribute{
				Optional: true, Computed: true,
				Default: stringdefault.StaticString(string(jobs.ChangesAuto)),
				MarkdownDescription: "How a run finds late rows: `auto` (the default) reads the table's change data feed " +
					"(`delta.enableChangeDataFeed`), and compares the window of `lookback` where the feed does not have every commit since the " +
					"last run; `feed` fails in that case and says what to do; `compare` always compares. " +
					"The feed has late rows of any age, and costs as much as the rows that changed.",
				Validators: []validator.String{stringvalidator.OneOf(string(jobs.ChangesAuto), string(jobs.ChangesFeed), string(jobs.ChangesCompare))},
			},
			"deletes": schema.StringAttribute{
				Optional: true, Computed: true,
				Default: stringdefault.StaticString(string(jobs.DeletesIgnore)),
				MarkdownDescription: "What happens when rows are deleted in the table: `ignore` (the default) does nothing, `events` sends an event " +
					"for each deleted row: its `key_columns`, `_deleted` (true) and `_deleted_at`. " +
					"It needs `key_columns` that identify a row. Without the change data feed, each run then reads two versions of the whole table.",
				Validators: []validator.String{stringvalidator.OneOf(string(jobs.DeletesIgnore), string(jobs.DeletesEvents)), deletesNeedKeys{}},
			},
			"null_timestamps": schema.StringAttribute{
				Optional: true, Computed: true,
				Default: stringdefault.StaticString(string(jobs.NullSkip)),
				MarkdownDescription: "What happens to rows without a timestamp: `skip` (the default) only counts them, `error` fails " +
					"the run before it sends anything, " +
					"`include_once` sends each of them once, before all other rows.",
				Validators: []validator.String{stringvalidator.OneOf(string(jobs.NullSkip), string(jobs.NullError), string(jobs.NullIncludeOnce))},
			},
			"future_timestamps": schema.StringAttribute{
				Optional: true, Computed: true,
				Default: stringdefault.StaticString(string(jobs.FutureDefer)),
				MarkdownDescription: "What happens to rows later than the warehouse's clock: `defer` (the default) counts them and " +
					"leaves them to a later run, " +
					"`include` sends them and remembers them. The cursor never passes the clock.",
				Validators: []validator.String{stringvalidator.OneOf(string(jobs.FutureDefer), string(jobs.FutureInclude))},
			},
			"batch_size": schema.Int64Attribute{
				Optional: true,
				MarkdownDescription: "Maximum number of events in one commit: 1 to 100000. Default 50000. A batch is also committed " +
					"when it reaches 8 MB, or after one second.",
				Validators: []validator.Int64{int64validator.Between(1, maxBatchSize)},
			},
			"row_limit": schema.Int64Attribute{
				Optional:            true,
				MarkdownDescription: "Maximum number of events of one run; the next run continues from there. Default: no limit.",
				Validators:          []validator.Int64{int64validator.AtLeast(1)},
			},
			"max_rejected": schema.Int64Attribute{
				Optional: true,
				Computed: true,
				Default:  int64default.StaticInt64(0),
				MarkdownDescription: "Maximum number of rows of one run that the platform may reject. Rejected rows go into quarantine, " +
					"and all others " +
					"are sent once. If there are more, the run fails after its cursor has moved, so later runs do not fail for the same rows. Default 0.",
				Validators: []validator.Int64{int64validator.AtLeast(0)},
			},
			"scratch_schema": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "`catalog.database` for copies of sources without versions (a view, a foreign table, a table with " +
					"a row filter or column mask), and for the first load of a large table that is not clustered by the timestamp: " +
					"a run copies the rows there, reads the copy and drops it. This needs USE SCHEMA and CREATE TABLE. Default: a " +
					"temporary table of the session, and no copy of a large table.",
				Validators: []validator.String{nonEmptyText(), schemaName()},
			},
			"full_refresh": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "Any text. After a change to another text, the next run reads the table from `since_timestamp` " +
					"again and sends every row as a new event. " +
					"Change `triggers` as well to run the job in the same apply. Removing `full_refresh` changes nothing.",
				Validators: []validator.String{nonEmptyText()},
			},
		}),
	}
}

func columnNames(doc string, more ...validator.List) schema.ListAttribute {
	return schema.ListAttribute{
		ElementType: types.StringType, Optional: true,
		MarkdownDescription: doc,
		Validators: append([]validator.List{
			listvalidator.SizeAtLeast(1), listvalidator.UniqueValues(), listvalidator.NoNullValues(), listvalidator.ValueStringsAre(nonEmptyText()),
		}, more...),
	}
}

func predicate() validator.String {
	return stringRule{rule: "one SQL condition", check: jobs.CheckPredicate}
}
