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

// maxStreamName is the length limit of a stream's name in bytes.
const maxStreamName = 255

// ValidateStream checks the name of a stream.
func ValidateStream(name string) error {
	if name == "" || len(name) > maxStreamName || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		return jobs.Invalid("stream", fmt.Sprintf("%q is not a valid stream name", name),
			"a name has 1 to 255 bytes of UTF-8 text without control characters", "Choose another name")
	}
	return nil
}

// ValidateMapping checks a mapping without reference to other definitions. The error is
// a *jobs.Error with the attribute's name: stream, field, expression or
// guard_expression.
func ValidateMapping(m jobs.Mapping) error {
	if err := ValidateMappingNames(m); err != nil {
		return err
	}
	if err := ValidateMappingExpression(m.Expression); err != nil {
		return err
	}
	return ValidateGuardExpression(m.GuardExpression)
}

// ValidateMappingNames checks what a mapping names, its stream and its field, and
// leaves its expressions to whoever evaluates them.
func ValidateMappingNames(m jobs.Mapping) error {
	if err := ValidateStream(m.Stream); err != nil {
		return err
	}
	if !fieldID.MatchString(m.Field) {
		return jobs.Invalid("field", fmt.Sprintf("A mapping cannot feed field %q", m.Field),
			"no field can have that id", "Name the id of a field")
	}
	return nil
}

// ValidateMappingExpression checks the syntax of an expression.
func ValidateMappingExpression(text string) error {
	_, err := ParseMappingExpression(text)
	return err
}

// ParseMappingExpression parses an expression. The error is a *jobs.Error of the
// attribute expression.
func ParseMappingExpression(text string) (*expression.Expression, error) {
	e, err := expression.Parse(text)
	if err != nil {
		return nil, expressionError("expression", text, err)
	}
	return e, nil
}

// ValidateGuardExpression checks the syntax of a guard. An empty guard is valid: every
// event passes it.
func ValidateGuardExpression(text string) error {
	if EveryEventPasses(text) {
		return nil
	}
	_, err := ParseGuardExpression(text)
	return err
}

// ParseGuardExpression parses a guard that is not empty. The error is a *jobs.Error of
// the attribute guard_expression.
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
		// Show the line with a marker below the error, as compilers do.
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

// ValidateExpressionType refuses an expression whose result can never be converted to
// the field's type.
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
		fmt.Sprintf("its result is %s, and the field is of type %s", kind, f.Type), remedy)
}

// accepts returns the kinds of result that convert to a type, and how to write an
// expression with such a result.
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
	case value.ElementLocation:
		kinds, remedy = []value.Kind{value.String, value.List, value.Map}, `Use a text such as "47.4,8.5", or a column with lat and lon`
	default:
		kinds, remedy = []value.Kind{
			value.String,
			value.Number,
			value.Bool,
			value.Time,
		}, "Use an expression whose result is one text, such as join(..., \",\")"
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
