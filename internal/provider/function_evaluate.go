package provider

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/filterql"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

// evaluateFilter is the function evaluate_filter.
type evaluateFilter struct{}

// The positions of its arguments, for errors.
const (
	filterArgument = iota
	profileArgument
	typesArgument
	filterNowArgument
	audiencesArgument
)

func newEvaluateFilterFunction() function.Function { return evaluateFilter{} }

func (evaluateFilter) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "evaluate_filter"
}

func (evaluateFilter) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{
		Summary: "Whether a profile matches a filter",
		MarkdownDescription: "Evaluates a FilterQL filter for one profile, as the embedded platform does, and returns whether the " +
			"profile is in the " +
			"audience. A filter that cannot be decided for the profile matches nobody, so the result is `false`. The function reads no " +
			"configuration, no platform and no clock: the same arguments always give the same result.",
		Parameters: []function.Parameter{
			function.StringParameter{Name: "filter", MarkdownDescription: "Filter, such as `FILTER AND (EXISTS email, age > 30)`."},
			function.DynamicParameter{
				Name: "profile",
				MarkdownDescription: "Profile: an object of field ids and values. Values are strings, numbers, booleans, lists and maps. " +
					"A field that is `null` or left out is a field without a value.",
			},
			function.MapParameter{
				Name:           "types",
				ElementType:    types.StringType,
				AllowNullValue: true,
				MarkdownDescription: "Types of fields by id, as in `lytics_field`, such as `{ last_order = \"date\" }`. A field without a type " +
					"keeps the type " +
					"of its value. `{}` if no field needs one.",
			},
			function.StringParameter{
				Name:                "now",
				MarkdownDescription: "Time that `now` stands for in the filter, as RFC 3339: `2026-01-31T12:00:00Z`.",
			},
		},
		VariadicParameter: function.MapParameter{
			Name:        "audiences",
			ElementType: types.StringType,
			MarkdownDescription: "Optional: filters of the audiences that the filter includes, by slug, such as `{ vip = \"FILTER spend " +
				"> 1000\" }`.",
		},
		Return: function.BoolReturn{},
	}
}

func (evaluateFilter) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var filterText, nowText string
	var profile types.Dynamic
	var typeNames types.Map
	var given []map[string]string
	if resp.Error = req.Arguments.Get(ctx, &filterText, &profile, &typeNames, &nowText, &given); resp.Error != nil {
		return
	}
	fields, known, err := columnsOf(profile, profileArgument)
	if err == nil && (!known || typeNames.IsUnknown()) {
		resp.Error = resp.Result.Set(ctx, types.BoolUnknown())
		return
	}
	var matches bool
	if err == nil {
		matches, err = evaluateFilterFor(ctx, filterText, fields, typeNames, nowText, given)
	}
	if err != nil {
		resp.Error = err
		return
	}
	resp.Error = resp.Result.Set(ctx, matches)
}

func evaluateFilterFor(ctx context.Context, text string, fields map[string]value.Value, typeNames types.Map, nowText string,
	given []map[string]string) (bool, *function.FuncError) {
	for name, v := range fields {
		if v.IsNull() {
			delete(fields, name)
		}
	}
	f, err := platform.ParseFilter(text)
	if err != nil {
		return false, argumentError(filterArgument, err)
	}
	fieldTypes, funcErr := typesOf(ctx, typeNames, fields)
	if funcErr != nil {
		return false, funcErr
	}
	now, funcErr := timeArgument(nowText, filterNowArgument)
	if funcErr != nil {
		return false, funcErr
	}
	audiences, funcErr := includedAudiences(f, given)
	if funcErr != nil {
		return false, funcErr
	}
	matches, _, err := f.Evaluate(fields, fieldTypes, now, audiences)
	if err != nil {
		return false, argumentError(filterArgument, err)
	}
	return matches, nil
}

// typesOf reads the types of fields, and checks that the values fit them.
func typesOf(ctx context.Context, names types.Map, fields map[string]value.Value) (map[string]value.Type, *function.FuncError) {
	out := map[string]value.Type{}
	var texts map[string]types.String
	if !names.IsNull() {
		if d := names.ElementsAs(ctx, &texts, false); d.HasError() {
			return nil, function.FuncErrorFromDiags(ctx, d)
		}
	}
	for field, name := range texts {
		t, ok := value.ParseType(name.ValueString())
		if !ok {
			return nil, function.NewArgumentFuncError(typesArgument, fmt.Sprintf("Field %s has the type %q, which does not exist. The types are %s.",
				field, name.ValueString(), strings.Join(value.TypeNames(), ", ")))
		}
		v := fields[field]
		if _, failed := t.Convert(v); failed {
			return nil, function.NewArgumentFuncError(profileArgument, fmt.Sprintf("Field %s has the value %s, which does not fit its type %s.",
				field, v.AppendJSON(nil), name.ValueString()))
		}
		out[field] = t
	}
	return out, nil
}

// includedAudiences parses the filters of audiences, and refuses a filter that
// includes one that is not given.
func includedAudiences(f *filterql.Filter, given []map[string]string) (map[string]*filterql.Filter, *function.FuncError) {
	out := map[string]*filterql.Filter{}
	for i, filters := range given {
		for slug, text := range filters {
			inner, err := platform.ParseFilter(text)
			if err != nil {
				return nil, function.NewArgumentFuncError(int64(audiencesArgument+i), fmt.Sprintf("Audience %s: %v", slug, err))
			}
			out[slug] = inner
		}
	}
	next, seen := f.Includes(), map[string]bool{}
	for len(next) > 0 {
		name := next[0]
		next = next[1:]
		if seen[name] {
			continue
		}
		seen[name] = true
		inner, ok := out[name]
		if !ok {
			return nil, function.NewArgumentFuncError(
				filterArgument,
				fmt.Sprintf("The filter includes the audience %s, and the function cannot look it "+
					"up. Give its filter as the fifth argument: { %s = \"FILTER ...\" }.", name, name),
			)
		}
		next = append(next, inner.Includes()...)
	}
	return out, nil
}

// evaluateMapping is the function evaluate_mapping.
type evaluateMapping struct{}

// The positions of its arguments, for errors.
const (
	expressionArgument = iota
	eventArgument
	mappingNowArgument
)

func newEvaluateMappingFunction() function.Function { return evaluateMapping{} }

func (evaluateMapping) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "evaluate_mapping"
}

func (evaluateMapping) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{
		Summary: "Value that a mapping gives for an event",
		MarkdownDescription: "Evaluates the expression of a mapping for one event, as the embedded platform does, and returns its value: " +
			"a string, a " +
			"number, a boolean, a tuple, an object, or `null` if the event gives no value. Dates are strings in RFC 3339, in UTC with " +
			"microseconds. Guards are evaluated in the same way. The value is that of the expression; the merge operation and the type of " +
			"the field come later. The function reads no configuration, no platform and no clock.",
		Parameters: []function.Parameter{
			function.StringParameter{Name: "expression", MarkdownDescription: "Expression, such as `tolower(email)`."},
			function.DynamicParameter{Name: "event", MarkdownDescription: "Event: an object of column names and values."},
			function.StringParameter{
				Name:                "now",
				MarkdownDescription: "Time of the event, which `now()` gives, as RFC 3339: `2026-01-31T12:00:00Z`.",
			},
		},
		Return: function.DynamicReturn{},
	}
}

func (evaluateMapping) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var text, nowText string
	var event types.Dynamic
	if resp.Error = req.Arguments.Get(ctx, &text, &event, &nowText); resp.Error != nil {
		return
	}
	columns, known, err := columnsOf(event, eventArgument)
	if err == nil && !known {
		resp.Error = resp.Result.Set(ctx, types.DynamicUnknown())
		return
	}
	var at time.Time
	if err == nil {
		at, err = timeArgument(nowText, mappingNowArgument)
	}
	if err != nil {
		resp.Error = err
		return
	}
	e, parseErr := platform.ParseMappingExpression(text)
	if parseErr != nil {
		resp.Error = argumentError(expressionArgument, parseErr)
		return
	}
	result := attr.Value(types.DynamicNull())
	if v := e.Evaluate(columns, at); !v.IsNull() {
		result = types.DynamicValue(hclValue(ctx, v))
	}
	resp.Error = resp.Result.Set(ctx, result)
}

// timeArgument reads the argument now.
func timeArgument(text string, position int64) (time.Time, *function.FuncError) {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, function.NewArgumentFuncError(position, fmt.Sprintf("%q is not a time as RFC 3339: write it as 2026-01-31T12:00:00Z.", text))
	}
	return t, nil
}

// argumentError points an error at an argument.
func argumentError(position int64, err error) *function.FuncError {
	return function.NewArgumentFuncError(position, err.Error())
}
