package platform

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/filterql"
)

// maxSlug keeps "lytics_user_" and the slug within a table's name.
const maxSlug = 200

// Slug derives an audience's slug from its name: letters and digits in lower
// case, an underscore for whatever is between them.
func Slug(name string) string {
	var b strings.Builder
	gap := false
	for _, r := range strings.ToLower(name) {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			gap = b.Len() > 0
			continue
		}
		if gap {
			b.WriteByte('_')
			gap = false
		}
		b.WriteRune(r)
	}
	return b.String()
}

// NormalizeAudience derives the slug of an audience that has none.
func NormalizeAudience(a jobs.Audience) jobs.Audience {
	if a.Slug == "" {
		a.Slug = Slug(a.Name)
	}
	return a
}

// ValidateAudience says what cannot work in an audience by itself. The error is
// a *jobs.Error with the attribute's name: name, slug or filter.
func ValidateAudience(a jobs.Audience) error {
	if strings.TrimSpace(a.Name) == "" {
		return jobs.Invalid("name", "An audience has no name", "the name is empty", "Give it a name")
	}
	a = NormalizeAudience(a)
	bad := func(r rune) bool {
		return r != '_' && r != '-' && !unicode.IsLower(r) && !unicode.IsDigit(r) && (!unicode.IsLetter(r) || unicode.IsUpper(r))
	}
	if a.Slug == "" || utf8.RuneCountInString(a.Slug) > maxSlug || strings.ContainsFunc(a.Slug, bad) {
		return jobs.Invalid("slug", fmt.Sprintf("%q is no slug for audience %q", a.Slug, a.Name),
			"the slug becomes part of a table's name", "Set slug to lower-case letters, digits, - and _, at most 200")
	}
	return ValidateFilter(a.Filter)
}

// ValidateFilter says what is wrong in the text of a filter.
func ValidateFilter(text string) error {
	_, err := ParseFilter(text)
	return err
}

// ParseFilter validates a filter and gives it parsed.
func ParseFilter(text string) (*filterql.Filter, error) {
	f, err := filterql.Parse(text)
	if err != nil {
		return nil, FilterError("The filter cannot be read", err)
	}
	return f, nil
}

// FilterError turns a fault in a filter into the error of its attribute.
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
