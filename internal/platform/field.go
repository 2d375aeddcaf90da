package platform

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/merge"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

// fieldID matches a valid field id. It is restrictive because a field's id is a column
// name of exported tables.
var fieldID = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,119}$`)

// NormalizeField sets the default merge operation of a field without one.
func NormalizeField(f jobs.Field) jobs.Field {
	if t, ok := value.ParseType(f.Type); ok && f.MergeOperation == "" {
		f.MergeOperation = string(merge.DefaultOperation(t))
	}
	return f
}

// ValidateField checks a field's definition. The error is a *jobs.Error with the
// attribute's name: id, type, merge_operation, capacity, keep_days or is_identifier.
func ValidateField(f jobs.Field) error {
	_, err := FieldRule(f)
	return err
}

// FieldRule validates a field and returns its merge rule.
func FieldRule(f jobs.Field) (merge.Rule, error) {
	summary := fmt.Sprintf("The definition of field %q is invalid", f.ID)
	if !fieldID.MatchString(f.ID) {
		return merge.Rule{}, jobs.Invalid("id", summary,
			"its id is the name of a column in exported tables", "Use at most 120 letters, digits and underscores, and do not begin with a digit")
	}
	t, ok := value.ParseType(f.Type)
	if !ok {
		return merge.Rule{}, jobs.Invalid("type", summary,
			fmt.Sprintf("there is no type %q", f.Type), "Use one of "+strings.Join(value.TypeNames(), ", "))
	}
	rule, err := merge.NewRule(t, merge.Operation(f.MergeOperation), f.Capacity, f.KeepDays)
	if e, ok := errors.AsType[*merge.RuleError](err); ok {
		return merge.Rule{}, jobs.Invalid(e.Part, summary, e.Reason, "Change "+e.Part+", or the type")
	}
	if err != nil {
		return merge.Rule{}, err
	}
	if f.IsIdentifier {
		return rule, validateIdentifier(summary, rule)
	}
	return rule, nil
}

// validateIdentifier refuses fields whose values cannot identify users.
func validateIdentifier(summary string, r merge.Rule) error {
	t := r.Type()
	joins := t.Shape != value.MapOf && (t.Element == value.ElementString || t.Element == value.ElementInt)
	if !joins {
		return jobs.Invalid("is_identifier", summary,
			fmt.Sprintf("profiles are joined by the values of an identifier, and values of type %s do not identify a user", t),
			"Use type string, int or []string, or is_identifier = false")
	}
	allowed := []merge.Operation{merge.Latest, merge.Oldest, merge.Merge, merge.Capped}
	if !slices.Contains(allowed, r.Operation()) {
		return jobs.Invalid("merge_operation", summary,
			fmt.Sprintf("an identifier merged by %q would show a value that no event has", r.Operation()),
			"Use latest or oldest, or merge for []string")
	}
	return nil
}
