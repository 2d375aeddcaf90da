package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/setvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/mapdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// maxQueryTimeout is the maximum of Databricks' STATEMENT_TIMEOUT, in minutes.
const maxQueryTimeout = 172800 / 60

// addJobAttributes adds the attributes that both kinds of job have.
func addJobAttributes(ctx context.Context, in runUsage, own map[string]schema.Attribute) map[string]schema.Attribute {
	own["id"] = idAttribute("Id of the job.")
	own["label"] = labelAttribute("Name of the job, shown to people.")
	own["description"] = descriptionAttribute("What the job is for.")
	own["authorization_id"] = schema.StringAttribute{
		Required:            true,
		MarkdownDescription: "Id of the `lytics_databricks_authorization` to reach the warehouse with.",
		Validators:          []validator.String{nonEmptyText()},
	}
	own["managed_by"] = managedByAttribute("Who executes the job: `provider` (the default) is this provider, in `apply` or in a runner; " +
		"`lytics` is the Lytics account, where the job is created as the forms of Lytics do. Lytics has not all attributes; " +
		"what it has not is refused in the plan. See the guide [Managed by Lytics](../guides/managed-by-lytics).")
	own["query_timeout_minutes"] = schema.Int64Attribute{
		Optional: true, Computed: true,
		Default:             int64default.StaticInt64(int64(jobs.DefaultQueryTimeout.Minutes())),
		MarkdownDescription: "Maximum time of a single statement in the warehouse, in minutes: 1 to 2880. Default 60.",
		Validators:          []validator.Int64{int64validator.Between(1, maxQueryTimeout)},
	}
	own["schedule"] = scheduleSchema()
	own["triggers"] = schema.MapAttribute{
		ElementType: types.StringType, Optional: true, Computed: true,
		Default: mapdefault.StaticValue(noTriggers),
		MarkdownDescription: "Any values. A change runs the job in the same apply, which waits for the run. " +
			"Changes of other attributes run nothing. Default empty.",
	}
	own["after"] = schema.SetAttribute{
		ElementType: types.StringType, Optional: true,
		MarkdownDescription: "Ids of other jobs. This job runs when all of them have succeeded since its own last run started. " +
			"The runner executes these runs, including the first one.",
		Validators: []validator.Set{setvalidator.ValueStringsAre(nonEmptyText())},
	}
	own["wait"] = schema.BoolAttribute{
		Optional: true, Computed: true,
		Default: booldefault.StaticBool(true),
		MarkdownDescription: "Whether an apply that runs the job waits for the run to end. " +
			"With `false` the runner executes the run, and `last_run` stays as it was when the apply ended; this needs a runner. Default `true`.",
	}
	own["fail_on_error"] = schema.BoolAttribute{
		Optional: true, Computed: true,
		Default: booldefault.StaticBool(true),
		MarkdownDescription: "Whether a failed run fails the apply, so that the next apply tries again. " +
			"With `false` a failed run is a warning, and `last_run` says why it failed. Default `true`.",
	}
	own["check_source"] = schema.BoolAttribute{
		Optional: true, Computed: true,
		Default:             booldefault.StaticBool(true),
		MarkdownDescription: checkSourceDoc[in],
	}
	own["expected_every"] = schema.StringAttribute{
		Optional: true,
		MarkdownDescription: "How often a run of the job is expected to succeed: `\"26h\"`, `\"90m\"`. Without a success for longer, the job is late: " +
			"the runner's page and the command `jobs` say so, and a runner sends an alert. It starts no runs. Give it more than the time " +
			"between two runs, so that one slow run is not late. Default: nothing is expected.",
		Validators:    []validator.String{expectedEvery()},
		PlanModifiers: []planmodifier.String{sameDuration{}},
	}
	own["timeouts"] = timeouts.Attributes(ctx, timeouts.Opts{
		Create: true, Update: true,
		CreateDescription: "Time limit of the first run, including the time that it waits, and of a creation in Lytics that waits for " +
			"Lytics' limit of ten an hour (\"90m\", \"36h\"). Default \"24h\".",
		UpdateDescription: "Time limit of a run that a change of `triggers` starts. Default \"24h\".",
	})
	own["last_run"] = schema.SingleNestedAttribute{
		Computed: true,
		MarkdownDescription: "The last run that an apply of this resource started. All that is known of it, and scheduled runs, are in the " +
			"data source `lytics_job_runs`, so that they never cause a change in a plan.",
		Attributes: runResourceAttributes(in),
	}
	return own
}

// checkSourceDoc describes check_source of each kind of job.
var checkSourceDoc = map[runUsage]string{
	inImport: "Whether an apply that creates or changes a job with a `schedule` first asks for the table, so that a first run that cannot " +
		"work is an error of the apply: a missing table or column, or a missing right. " + checkSourceHow,
	inExport: "Whether an apply that creates or changes a job with a `schedule` first asks for the place of the table, so that a first run " +
		"that cannot work is an error of the apply: a missing catalog or database, or a table that this export did not create. " + checkSourceHow,
}

const checkSourceHow = "It asks Unity Catalog, which starts no warehouse, and the warehouse only where Unity Catalog does not answer; " +
	"a plan asks nothing. A paused job and one with `after` are not checked. Default `true`."

func managerValues() validator.String {
	return stringvalidator.OneOf(string(jobs.ManagedByProvider), string(jobs.ManagedByLytics))
}

// managedByAttribute is the attribute that chooses between this provider and the
// Lytics account.
func managedByAttribute(doc string, modifiers ...planmodifier.String) schema.StringAttribute {
	return schema.StringAttribute{
		Optional: true, Computed: true,
		Default:             stringdefault.StaticString(string(jobs.ManagedByProvider)),
		MarkdownDescription: doc,
		Validators:          []validator.String{managerValues()},
		PlanModifiers:       modifiers,
	}
}

// keyAttribute is a required name that identifies the object: another value
// replaces the object.
func keyAttribute(doc string) schema.StringAttribute {
	return schema.StringAttribute{
		Required:            true,
		MarkdownDescription: doc,
		Validators:          []validator.String{nonEmptyText()},
		PlanModifiers:       []planmodifier.String{stringplanmodifier.RequiresReplace()},
	}
}

func idAttribute(doc string) schema.StringAttribute {
	return schema.StringAttribute{
		Computed:            true,
		MarkdownDescription: doc,
		PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
	}
}

func labelAttribute(doc string) schema.StringAttribute {
	return schema.StringAttribute{
		Required:            true,
		MarkdownDescription: doc,
		Validators:          []validator.String{nonEmptyText()},
	}
}

// descriptionAttribute defaults to "", so that "" and null are the same.
func descriptionAttribute(doc string) schema.StringAttribute {
	return schema.StringAttribute{
		Optional: true, Computed: true,
		Default:             stringdefault.StaticString(""),
		MarkdownDescription: doc + " Default empty.",
		Validators:          []validator.String{multilineText()},
	}
}

// planKeyAttribute plans an attribute whose default depends on other attributes.
// A planned value that differs from state replaces the object.
func planKeyAttribute(planned *types.String, config, prior, otherwise types.String, update bool, name string) path.Paths {
	if config.IsNull() {
		*planned = otherwise
	}
	if update && !planned.Equal(prior) {
		return path.Paths{path.Root(name)}
	}
	return nil
}
