package platform

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/filterql"
)

// maxSlug is the length limit of a slug, so that "lytics_user_" and the slug fit into a
// table's name.
const maxSlug = 200

// Slug derives an audience's slug from its name: letters and digits in lower case, with
// one underscore for each sequence of other characters between them.
func Slug(name string) string {
	var b strings.Builder
	separated := false
	for _, r := range strings.ToLower(name) {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			separated = b.Len() > 0
			continue
		}
		if separated {
			b.WriteByte('_')
			separated = false
		}
		b.WriteRune(r)
	}
	return b.String()
}

// NormalizeAudience sets the slug of an audience without one.
func NormalizeAudience(a jobs.Audience) jobs.Audience {
	if a.Slug == "" {
		a.Slug = Slug(a.Name)
	}
	return a
}

// ValidateAudience checks an audience without reference to other definitions. The error
// is a *jobs.Error with the attribute's name: name, slug or filter.
func ValidateAudience(a jobs.Audience) error {
	if err := ValidateAudienceNames(a); err != nil {
		return err
	}
	return ValidateFilter(a.Filter)
}

// ValidateAudienceNames checks an audience's name and slug, and leaves its filter
// to whoever evaluates it.
func ValidateAudienceNames(a jobs.Audience) error {
	if strings.TrimSpace(a.Name) == "" {
		return jobs.Invalid("name", "An audience has no name", "the name is empty", "Give it a name")
	}
	a = NormalizeAudience(a)
	bad := func(r rune) bool {
		return r != '_' && r != '-' && !unicode.IsLower(r) && !unicode.IsDigit(r) && (!unicode.IsLetter(r) || unicode.IsUpper(r))
	}
	if a.Slug == "" || utf8.RuneCountInString(a.Slug) > maxSlug || strings.ContainsFunc(a.Slug, bad) {
		return jobs.Invalid("slug", fmt.Sprintf("%q is not a valid slug for audience %q", a.Slug, a.Name),
			"the slug becomes part of a table's name", "Set slug to lower-case letters, digits, - and _, at most 200")
	}
	return nil
}

// ValidateFilter checks the syntax of a filter.
func ValidateFilter(text string) error {
	_, err := ParseFilter(text)
	return err
}

// ParseFilter parses a filter. The error is a *jobs.Error of the attribute filter.
func ParseFilter(text string) (*filterql.Filter, error) {
	f, err := filterql.Parse(text)
	if err != nil {
		return nil, FilterError("The filter cannot be read", err)
	}
	return f, nil
}

// FilterError returns a *jobs.Error of the attribute filter.
func FilterError(summary string, err error) error {
	return &jobs.Error{
		Code:      jobs.CodeInvalid,
		Attribute: "filter",
		Summary:   summary,
		Detail:    err.Error(),
		Next:      "Correct the filter",
		Err:       err,
	}
}
