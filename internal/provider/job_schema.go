package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/setvalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// maxQueryTimeout is Databricks' bound on STATEMENT_TIMEOUT, in minutes.
const maxQueryTimeout = 172800 / 60

// withJobAttributes adds what both kinds of job have.
func withJobAttributes(ctx context.Context, in shownIn, own map[string]schema.Attribute) map[string]schema.Attribute {
	own["id"] = idAttribute("Id of the job.")
	own["label"] = labelAttribute("Name of the job, for people.")
	own["description"] = descriptionAttribute("What the job is for.")
	own["authorization_id"] = schema.StringAttribute{
		Required:            true,
		MarkdownDescription: "Id of the `lytics_databricks_authorization` to reach the warehouse with.",
		Validators:          []validator.String{plainText()},
	}
	own["query_timeout_minutes"] = schema.Int64Attribute{
		Optional: true, Computed: true,
		Default:             int64default.StaticInt64(int64(jobs.DefaultQueryTimeout.Minutes())),
		MarkdownDescription: "Longest a single statement may take at the warehouse, in minutes: 1 to 2880. Default 60.",
		Validators:          []validator.Int64{int64validator.Between(1, maxQueryTimeout)},
	}
	own["schedule"] = scheduleSchema()
	own["triggers"] = schema.MapAttribute{
		ElementType: types.StringType, Optional: true,
		MarkdownDescription: "Any values; a change runs the job in this apply, which waits for it. " +
			"Changing anything else runs nothing.",
	}
	own["after"] = schema.SetAttribute{
		ElementType: types.StringType, Optional: true,
		MarkdownDescription: "Ids of jobs: this one runs whenever all of them have succeeded since its own last run began. " +
			"The runner executes it, its first run too.",
		Validators: []validator.Set{setvalidator.ValueStringsAre(plainText())},
	}
	own["wait"] = schema.BoolAttribute{
		Optional: true, Computed: true,
		Default: booldefault.StaticBool(true),
		MarkdownDescription: "Whether an apply that runs the job follows the run to its end. " +
			"With `false`, which takes a runner, the run is left to it, and `last_run` stays as the apply left it. Default `true`.",
	}
	own["fail_on_error"] = schema.BoolAttribute{
		Optional: true, Computed: true,
		Default: booldefault.StaticBool(true),
		MarkdownDescription: "Whether a failed run fails the apply, so that the next one tries again. " +
			"With `false` it is a warning, and `last_run` says why. Default `true`.",
	}
	own["timeouts"] = timeouts.Attributes(ctx, timeouts.Opts{
		Create: true, Update: true,
		CreateDescription: "How long the first run may take, waiting included (\"90m\", \"36h\"). Default \"24h\".",
		UpdateDescription: "How long a run that changed triggers ask for may take. Default \"24h\".",
	})
	own["last_run"] = schema.SingleNestedAttribute{
		Computed: true,
		MarkdownDescription: "The last run that an apply of this resource started. Runs of the schedule are in the data source " +
			"`lytics_job_runs`, so that they never make a plan.",
		Attributes: runResourceAttributes(in),
	}
	return own
}

// keyAttribute is a required name that is part of what a job is: another value
// means another job.
func keyAttribute(doc string) schema.StringAttribute {
	return schema.StringAttribute{
		Required:            true,
		MarkdownDescription: doc,
		Validators:          []validator.String{plainText()},
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
		Validators:          []validator.String{plainText()},
	}
}

// descriptionAttribute defaults to "", so that "" and null never differ.
func descriptionAttribute(doc string) schema.StringAttribute {
	return schema.StringAttribute{
		Optional: true, Computed: true,
		Default:             stringdefault.StaticString(""),
		MarkdownDescription: doc + " Default empty.",
		Validators:          []validator.String{description()},
	}
}

// settle plans an attribute whose default follows from others, and asks for
// replacement where the outcome is another value than state holds.
func settle(planned *types.String, config, prior, otherwise types.String, update bool, name string) path.Paths {
	if config.IsNull() {
		*planned = otherwise
	}
	if update && !planned.Equal(prior) {
		return path.Paths{path.Root(name)}
	}
	return nil
}
