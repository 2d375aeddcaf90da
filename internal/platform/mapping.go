package platform

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/expression"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/merge"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

// maxStreamName is the most bytes of a stream's name.
const maxStreamName = 255

// ValidateStream says what cannot work in a stream's name.
func ValidateStream(name string) error {
	if name == "" || len(name) > maxStreamName || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		return jobs.Invalid("stream", fmt.Sprintf("%q is no name for a stream", name),
			"a name has 1 to 255 bytes of UTF-8 text without control characters", "Choose another name")
	}
	return nil
}

// ValidateMapping says what cannot work in a mapping by itself. The error is a
// *jobs.Error with the attribute's name: stream, field, expression or
// guard_expression.
func ValidateMapping(m jobs.Mapping) error {
	if err := ValidateStream(m.Stream); err != nil {
		return err
	}
	if !fieldID.MatchString(m.Field) {
		return jobs.Invalid("field", fmt.Sprintf("A mapping cannot feed field %q", m.Field),
			"there can be no field of that id", "Name the id of a field")
	}
	if err := ValidateMappingExpression(m.Expression); err != nil {
		return err
	}
	return ValidateGuardExpression(m.GuardExpression)
}

// ValidateMappingExpression says what is wrong in the text of an expression.
func ValidateMappingExpression(text string) error {
	_, err := ParseMappingExpression(text)
	return err
}

// ParseMappingExpression validates an expression and gives it parsed.
func ParseMappingExpression(text string) (*expression.Expression, error) {
	e, err := expression.Parse(text)
	if err != nil {
		return nil, expressionError("expression", text, err)
	}
	return e, nil
}

// ValidateGuardExpression says what is wrong in the text of a guard. An empty
// one lets every event pass.
func ValidateGuardExpression(text string) error {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	_, err := ParseGuardExpression(text)
	return err
}

// ParseGuardExpression validates a guard that is not empty and gives it parsed.
func ParseGuardExpression(text string) (*expression.Expression, error) {
	e, err := expression.ParseGuard(text)
	if err != nil {
		return nil, expressionError("guard_expression", text, err)
	}
	return e, nil
}

func expressionError(attribute, text string, err error) error {
	detail := err.Error()
	if e, ok := errors.AsType[*expression.Error](err); ok && utf8.ValidString(text) && len(text) <= expression.MaxLength {
		// The fault in its place, as compilers show it.
		line := strings.Map(func(r rune) rune {
			if unicode.IsSpace(r) {
				return ' '
			}
			return r
		}, text)
		detail += "\n    " + line + "\n    " + strings.Repeat(" ", e.Column-1) + "^"
	}
	return jobs.Invalid(attribute, "The expression cannot be read", detail, "Correct the expression")
}

// ValidateExpressionType refuses an expression whose result can never become a
// value of the field.
func ValidateExpressionType(text string, f jobs.Field) error {
	rule, err := FieldRule(f)
	if err != nil {
		return err
	}
	e, err := ParseMappingExpression(text)
	if err != nil {
		return err
	}
	kind, known := e.Result()
	if !known || rule.Operation() == merge.Count {
		return nil
	}
	allowed, remedy := accepts(rule.Type())
	if slices.Contains(allowed, kind) {
		return nil
	}
	return jobs.Invalid("expression", fmt.Sprintf("The expression does not fit field %q", f.ID),
		fmt.Sprintf("it gives %s, and the field is of type %s", kind, f.Type), remedy)
}

// accepts lists the kinds of result that convert to a type, and says how to get
// one.
func accepts(t value.Type) ([]value.Kind, string) {
	var kinds []value.Kind
	var remedy string
	switch t.Element {
	case value.ElementInt:
		kinds, remedy = []value.Kind{value.Number}, "Wrap it in toint(...)"
	case value.ElementNumber:
		kinds, remedy = []value.Kind{value.Number}, "Wrap it in tonumber(...)"
	case value.ElementBool:
		kinds, remedy = []value.Kind{value.Bool}, "Use a comparison, or tobool(...)"
	case value.ElementDate:
		kinds, remedy = []value.Kind{value.Time}, "Wrap it in todate(...)"
	case value.ElementPlace:
		kinds, remedy = []value.Kind{value.String, value.List, value.Map}, `Use a text such as "47.4,8.5", or a column with lat and lon`
	default:
		kinds, remedy = []value.Kind{
			value.String,
			value.Number,
			value.Bool,
			value.Time,
		}, "Use an expression that gives one text, such as join(..., \",\")"
	}
	switch t.Shape {
	case value.SetOf:
		return append(kinds, value.List), "Use one value, or set(...) or split(...)"
	case value.MapOf:
		return []value.Kind{value.Map}, "Use map(key, value) or valuect(...)"
	default:
		return kinds, remedy
	}
}
