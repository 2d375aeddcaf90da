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

// The defaults of a schedule; Read gives them for what a store leaves empty.
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
		MarkdownDescription: "When the job repeats. A job with a schedule is kept updated by a runner; one without runs once, in `apply`. " +
			"While no runner is alive on the store, planning a schedule warns that nothing will execute it.",
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
				MarkdownDescription: "`HH:MM` in `timezone`; for `hourly` only the minutes count. Default `00:00`. " +
					"A time that daylight saving skips runs an hour later, a repeated one runs once.",
			},
			"day_of_week": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "`monday` to `sunday`, for `weekly` only. Left out: `monday`.",
			},
			"day_of_month": schema.Int64Attribute{
				Optional:            true,
				MarkdownDescription: "1 to 31, for `monthly` only; a day past the end of the month is its last. Left out: 1.",
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
				MarkdownDescription: "Give a new job its first run at once; the runner executes it. Default `true`.",
			},
			"catch_up": schema.StringAttribute{
				Optional: true, Computed: true,
				Default: stringdefault.StaticString(string(jobs.CatchUpOne)),
				MarkdownDescription: "What becomes of runs that were missed while no runner was alive: `one` makes one run of them all, " +
					"`skip` records them as missed. Default `one`.",
				Validators: []validator.String{stringvalidator.OneOf(string(jobs.CatchUpOne), string(jobs.CatchUpSkip))},
			},
			"paused": schema.BoolAttribute{
				Optional:            true,
				MarkdownDescription: "Keep the schedule, execute nothing. Left out: whatever an operator made it.",
			},
		},
	}
}

// readSchedule gives the schedule an object stands for, nil for none. known is
// false while part of it is unknown.
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

// scheduleObject gives a registered job's schedule. Where the definition says
// whether it is paused, the state in force is shown, so that an operator's
// change is drift; where it does not, an operator is free.
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
		"time_of_day":       types.StringValue(orDefault(s.TimeOfDay, defaultTimeOfDay)),
		"day_of_week":       text(s.DayOfWeek),
		"day_of_month":      day,
		"timezone":          types.StringValue(orDefault(s.Timezone, defaultTimezone)),
		"start_immediately": types.BoolValue(s.StartImmediately),
		"catch_up":          types.StringValue(orDefault(string(s.CatchUp), string(jobs.CatchUpOne))),
		"paused":            paused,
	})
}

func orDefault(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// checkSchedule validates a schedule whose parts are all known.
func checkSchedule(ctx context.Context, o types.Object, at place, diags *diag.Diagnostics) {
	s, known := readSchedule(ctx, o, diags)
	if !known || s == nil || diags.HasError() || s.Frequency == "" {
		return
	}
	if err := schedule.Validate(*s); err != nil {
		addError(diags, at, "use the schedule", err)
	}
}

// warnNobodyRuns says that a schedule has nothing to execute it.
func warnNobodyRuns(s *jobs.Schedule, after bool, diags *diag.Diagnostics) {
	if s == nil && after {
		diags.AddAttributeWarning(path.Root("after"), "Nothing will execute this job",
			"It runs after other jobs, but no runner is alive on the store, and Terraform itself runs nothing between applies.\n\n"+
				"Start a runner (terraform-provider-lytics runner), or change triggers to run the job in an apply.")
	}
	if s == nil || s.Paused != nil && *s.Paused {
		return
	}
	diags.AddAttributeWarning(path.Root("schedule"), "Nothing will execute this schedule",
		"The schedule is registered, but no runner is alive on the store, and Terraform itself runs nothing between applies.\n\n"+
			"Start one (terraform-provider-lytics runner). Until there is one, change triggers to run the job in an apply, or leave schedule out to run it when it is created.")
}
