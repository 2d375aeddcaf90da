package provider

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/schedule"
)

// scheduleNext is the function schedule_next.
type scheduleNext struct{}

func newScheduleNextFunction() function.Function { return scheduleNext{} }

// The positions of its arguments, for errors.
const (
	scheduleArgument = iota
	afterArgument
)

func (scheduleNext) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "schedule_next"
}

func (scheduleNext) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{
		Summary: "The next planned time of a schedule",
		MarkdownDescription: "Returns the first time after another one at which a schedule runs its job, as RFC 3339 in UTC; null for a " +
			"schedule with `paused = true`. Where the clocks change, it is what a runner does: a time that is skipped runs later by as much, and " +
			"one that comes twice runs once. The function reads no clock: `plantimestamp()` is the time of the plan.",
		Parameters: []function.Parameter{
			function.DynamicParameter{
				Name: "schedule",
				MarkdownDescription: "Schedule as in a job: an object with `frequency`, and with `time_of_day`, `day_of_week`, `day_of_month` and " +
					"`timezone` where the frequency has them, such as `{ frequency = \"daily\", time_of_day = \"02:30\" }`. " +
					"`schedule` of a job resource has its place here too.",
			},
			function.StringParameter{Name: "after", MarkdownDescription: "Time as RFC 3339: `2026-01-31T12:00:00Z`."},
		},
		Return: function.StringReturn{},
	}
}

func (scheduleNext) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var given types.Dynamic
	var afterText string
	if resp.Error = req.Arguments.Get(ctx, &given, &afterText); resp.Error != nil {
		return
	}
	s, known, err := scheduleOf(given)
	if err != nil {
		resp.Error = argumentError(scheduleArgument, err)
		return
	}
	after, funcErr := timeArgument(afterText, afterArgument)
	switch {
	case funcErr != nil:
		resp.Error = funcErr
		return
	case !known:
		resp.Error = resp.Result.Set(ctx, types.StringUnknown())
		return
	}
	// A paused schedule is validated too, or its mistake would appear when it is resumed.
	if err := schedule.Validate(s); err != nil {
		resp.Error = scheduleError(err)
		return
	}
	if s.Paused != nil && *s.Paused {
		resp.Error = resp.Result.Set(ctx, types.StringNull())
		return
	}
	next, err := schedule.Next(s, after)
	if err != nil {
		resp.Error = scheduleError(err)
		return
	}
	resp.Error = resp.Result.Set(ctx, formatTime(&next))
}

// scheduleOf reads an object with the attributes of a schedule. known is false if any of
// them is unknown.
func scheduleOf(v types.Dynamic) (s jobs.Schedule, known bool, err error) {
	if v.IsUnknown() || v.IsUnderlyingValueUnknown() {
		return s, false, nil
	}
	var values map[string]attr.Value
	switch o := v.UnderlyingValue().(type) {
	case types.Object:
		values = o.Attributes()
	case types.Map:
		values = o.Elements()
	default:
		return s, true, fmt.Errorf("an object is needed, such as { frequency = \"daily\" }")
	}
	texts := map[string]*string{
		"frequency": (*string)(&s.Frequency), "time_of_day": &s.TimeOfDay, "day_of_week": &s.DayOfWeek, "timezone": &s.Timezone,
		"catch_up": (*string)(&s.CatchUp),
	}
	known = true
	for _, name := range slices.Sorted(maps.Keys(values)) {
		value := values[name]
		if d, ok := value.(types.Dynamic); ok {
			value = d.UnderlyingValue()
		}
		if value == nil || value.IsNull() {
			continue
		}
		if value.IsUnknown() { // the other words are checked nevertheless
			known = false
			continue
		}
		text := value.String()
		if v, isString := value.(types.String); isString {
			text = v.ValueString()
		}
		switch to, isText := texts[name]; {
		case isText:
			*to = text
		case name == "day_of_month":
			if _, err := fmt.Sscanf(text, "%d", &s.DayOfMonth); err != nil || fmt.Sprint(s.DayOfMonth) != text {
				return s, true, fmt.Errorf("schedule.day_of_month is %s, and has to be a whole number", text)
			}
			if s.DayOfMonth < 1 {
				return s, true, fmt.Errorf("schedule.day_of_month is %d, and has to be a day from 1 to 31", s.DayOfMonth)
			}
		case name == "paused" || name == "start_immediately":
			// A map has texts in place of bools.
			if text != "true" && text != "false" {
				return s, true, fmt.Errorf("schedule.%s is %q, and has to be true or false", name, text)
			}
			if on := text == "true"; name == "paused" {
				s.Paused = &on
			}
		default:
			return s, true, fmt.Errorf("a schedule has no %s; it has %s, day_of_month, paused and start_immediately", name,
				strings.Join(slices.Sorted(maps.Keys(texts)), ", "))
		}
	}
	if s.Frequency == "" && known {
		return s, true, fmt.Errorf("the schedule has no frequency: hourly, daily, weekly or monthly")
	}
	return s, known, nil
}

// scheduleError is the error of a schedule that breaks a rule. It names the attribute, since
// an error of a function has no path.
func scheduleError(err error) *function.FuncError {
	text := err.Error()
	if e, ok := errors.AsType[*jobs.Error](err); ok && e.Attribute != "" {
		text = e.Attribute + ": " + text
	}
	return function.NewArgumentFuncError(scheduleArgument, text)
}
