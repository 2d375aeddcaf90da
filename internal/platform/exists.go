package platform

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// FieldExists refuses to create a field whose id is taken.
func FieldExists(have jobs.Field) error {
	return jobs.ExistsError(jobs.KindField, have.ID, "id", fmt.Sprintf("Field %q exists already", have.ID),
		fmt.Sprintf("This resource did not create it. It is of type %s, merged by %s.", have.Type, have.MergeOperation), "choose another id")
}

// MappingExists refuses to create a mapping of a stream, a field and a guard that
// another mapping has.
func MappingExists(have jobs.Mapping) error {
	guard := "without a guard"
	if have.GuardExpression != "" {
		guard = "with the guard " + have.GuardExpression
	}
	return jobs.ExistsError(jobs.KindMapping, have.ID, "expression",
		fmt.Sprintf("Field %q is already fed from stream %s", have.Field, have.Stream),
		fmt.Sprintf("Mapping %s computes %s, %s. This resource did not create it.", have.ID, have.Expression, guard),
		"give this mapping another guard_expression, or put both in one expression: oneof(a, b), or set(a, b)")
}

// AudienceExists refuses an audience whose slug another one has.
func AudienceExists(want, have jobs.Audience) error {
	return jobs.ExistsError(jobs.KindAudience, have.ID, "slug", fmt.Sprintf("Audience %q cannot have the slug %s", want.Name, want.Slug),
		fmt.Sprintf("The slug is taken by audience %q (%s), which this resource did not create.", have.Name, have.ID), "choose another slug")
}

// MappingTaken refuses to change a mapping into one of the stream, field and guard of
// another mapping.
func MappingTaken(have jobs.Mapping) error {
	return &jobs.Error{
		Code: jobs.CodeConflict, Attribute: "expression",
		Summary: fmt.Sprintf("Field %q is already fed from stream %s", have.Field, have.Stream),
		Detail:  fmt.Sprintf("Mapping %s computes %s, with the same guard.", have.ID, have.Expression),
		Next:    "Give this mapping another guard_expression, or put both in one expression: oneof(a, b), or set(a, b)",
	}
}

// SlugTaken refuses to give an audience the slug of another one.
func SlugTaken(want, have jobs.Audience) error {
	return &jobs.Error{
		Code: jobs.CodeConflict, Attribute: "slug", Summary: fmt.Sprintf("Audience %q cannot have the slug %s", want.Name, want.Slug),
		Detail: fmt.Sprintf("Audience %q (%s) has it.", have.Name, have.ID), Next: "Choose another slug",
	}
}

// SameText compares two expressions, or two filters, without the white space
// outside of quotes, which Lytics writes in its own way.
func SameText(a, b string) bool { return WithoutSpace(a) == WithoutSpace(b) }

// WithoutSpace gives a text without the white space outside of quotes.
func WithoutSpace(text string) string {
	var b strings.Builder
	var quote rune
	for _, c := range text {
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case unicode.IsSpace(c):
			continue
		case strings.ContainsRune("\"'`", c):
			quote = c
		}
		b.WriteRune(c)
	}
	return b.String()
}
