package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/schedule"
)

// Defaults of a schedule. Read uses them for values that the store leaves empty.
const (
	defaultTimeOfDay = "00:00"
	defaultTimezone  = "UTC"
)

type scheduleModel struct {
	Frequency        types.String `tfsdk:"frequency"`
	TimeOfDay        types.String `tfsdk:"time_of_day"`
	DayOfWeek        types.String `tfsdk:"day_of_week"`
	DayOfMonth       types.Int64  `tfsdk:"day_of_month"`
	Timezone         types.String `tfsdk:"timezone"`
	StartImmediately types.Bool   `tfsdk:"start_immediately"`
	CatchUp          types.String `tfsdk:"catch_up"`
	Paused           types.Bool   `tfsdk:"paused"`
}

var scheduleTypes = map[string]attr.Type{
	"frequency":         types.StringType,
	"time_of_day":       types.StringType,
	"day_of_week":       types.StringType,
	"day_of_month":      types.Int64Type,
	"timezone":          types.StringType,
	"start_immediately": types.BoolType,
	"catch_up":          types.StringType,
	"paused":            types.BoolType,
}

func scheduleSchema() schema.Attribute {
	return schema.SingleNestedAttribute{
		Optional: true,
		MarkdownDescription: "When the job repeats. A runner executes a job with a schedule; a job without a schedule runs once, in `apply`. " +
			"If no runner is connected to the store, the plan warns that nothing will execute the schedule.",
		Attributes: map[string]schema.Attribute{
			"frequency": schema.StringAttribute{
				Required:            true,
				MarkdownDescription: "`hourly`, `daily`, `weekly` or `monthly`.",
				Validators: []validator.String{stringvalidator.OneOf(
					string(jobs.Hourly), string(jobs.Daily), string(jobs.Weekly), string(jobs.Monthly))},
			},
			"time_of_day": schema.StringAttribute{
				Optional: true, Computed: true,
				Default: stringdefault.StaticString(defaultTimeOfDay),
				MarkdownDescription: "`HH:MM` in `timezone`; `hourly` uses only the minutes. Default `00:00`. " +
					"If daylight saving time skips the time, the job runs an hour later; if it repeats the time, the job runs once.",
			},
			"day_of_week": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "`monday` to `sunday`, for `weekly` only. Default `monday`.",
			},
			"day_of_month": schema.Int64Attribute{
				Optional:            true,
				MarkdownDescription: "1 to 31, for `monthly` only; a day after the end of the month means its last day. Default 1.",
				Validators:          []validator.Int64{int64validator.Between(1, 31)},
			},
			"timezone": schema.StringAttribute{
				Optional: true, Computed: true,
				Default:             stringdefault.StaticString(defaultTimezone),
				MarkdownDescription: "IANA name such as `America/Los_Angeles`. Default `UTC`.",
			},
			"start_immediately": schema.BoolAttribute{
				Optional: true, Computed: true,
				Default:             booldefault.StaticBool(true),
				MarkdownDescription: "Whether the runner executes the first run of a new job at once. Default `true`.",
			},
			"catch_up": schema.StringAttribute{
				Optional: true, Computed: true,
				Default: stringdefault.StaticString(string(jobs.CatchUpOne)),
				MarkdownDescription: "What happens to runs that were missed while no runner was connected: `one` executes one run for all of them, " +
					"`skip` records them as missed. Default `one`.",
				Validators: []validator.String{stringvalidator.OneOf(string(jobs.CatchUpOne), string(jobs.CatchUpSkip))},
			},
			"paused": schema.BoolAttribute{
				Optional:            true,
				MarkdownDescription: "Whether the schedule is paused. Left out: an operator pauses and resumes it.",
			},
		},
	}
}

// readSchedule returns the schedule of an object, or nil for null. known is false
// if part of it is unknown.
func readSchedule(ctx context.Context, o types.Object, diags *diag.Diagnostics) (s *jobs.Schedule, known bool) {
	if o.IsNull() {
		return nil, true
	}
	if o.IsUnknown() {
		return nil, false
	}
	for _, v := range o.Attributes() {
		if v.IsUnknown() {
			return nil, false
		}
	}
	var m scheduleModel
	diags.Append(o.As(ctx, &m, basetypes.ObjectAsOptions{})...)
	return &jobs.Schedule{
		Frequency:        jobs.Frequency(m.Frequency.ValueString()),
		TimeOfDay:        m.TimeOfDay.ValueString(),
		DayOfWeek:        m.DayOfWeek.ValueString(),
		DayOfMonth:       int(m.DayOfMonth.ValueInt64()),
		Timezone:         m.Timezone.ValueString(),
		StartImmediately: m.StartImmediately.ValueBool(),
		CatchUp:          jobs.CatchUp(m.CatchUp.ValueString()),
		Paused:           m.Paused.ValueBoolPointer(),
	}, true
}

// scheduleObject returns the schedule of a stored job. If the definition sets
// paused, the actual state is shown, so that an operator's change is drift. If
// it does not, paused stays null whatever an operator does.
func scheduleObject(job jobs.Job) types.Object {
	s := job.Schedule
	if s == nil {
		return types.ObjectNull(scheduleTypes)
	}
	paused, day := types.BoolNull(), types.Int64Null()
	if s.Paused != nil {
		paused = types.BoolValue(job.Paused)
	}
	if s.DayOfMonth != 0 {
		day = types.Int64Value(int64(s.DayOfMonth))
	}
	return types.ObjectValueMust(scheduleTypes, map[string]attr.Value{
		"frequency":         types.StringValue(string(s.Frequency)),
		"time_of_day":       types.StringValue(valueOr(s.TimeOfDay, defaultTimeOfDay)),
		"day_of_week":       nullIfEmpty(s.DayOfWeek),
		"day_of_month":      day,
		"timezone":          types.StringValue(valueOr(s.Timezone, defaultTimezone)),
		"start_immediately": types.BoolValue(s.StartImmediately),
		"catch_up":          types.StringValue(valueOr(string(s.CatchUp), string(jobs.CatchUpOne))),
		"paused":            paused,
	})
}

func valueOr(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// validateSchedule validates a schedule if it is wholly known.
func validateSchedule(ctx context.Context, o types.Object, at attributeTarget, diags *diag.Diagnostics) {
	s, known := readSchedule(ctx, o, diags)
	if !known || s == nil || diags.HasError() || s.Frequency == "" {
		return
	}
	if err := schedule.Validate(*s); err != nil {
		addError(diags, at, "use the schedule", err)
	}
}

// warnNoRunner warns that nothing will execute a schedule, or a job that runs after
// others.
func warnNoRunner(s *jobs.Schedule, after bool, diags *diag.Diagnostics) {
	if s == nil && after {
		diags.AddAttributeWarning(path.Root("after"), "Nothing will execute this job",
			"It runs after other jobs, but no runner is connected to this store, and Terraform runs nothing between applies.\n\n"+
				"Start a runner (terraform-provider-lytics runner), or change triggers to run the job in an apply.")
	}
	if s == nil || s.Paused != nil && *s.Paused {
		return
	}
	diags.AddAttributeWarning(path.Root("schedule"), "Nothing will execute this schedule",
		"The schedule is saved, but no runner is connected to this store, and Terraform runs nothing between applies.\n\n"+
			"Start a runner (terraform-provider-lytics runner). Without a runner, change triggers to run the job in an apply, or "+
			"leave schedule out to run it when it is created.")
}
