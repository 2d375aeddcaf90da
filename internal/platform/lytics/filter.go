package lytics

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/filterql"
)

// segmentQL is a filter as Lytics takes it: with the word FILTER.
func segmentQL(filter string) string {
	text := strings.TrimSpace(filter)
	const word = "FILTER"
	if len(text) > len(word) && strings.EqualFold(text[:len(word)], word) && strings.ContainsRune(" \t\r\n(*", rune(text[len(word)])) {
		return text
	}
	return word + " " + text
}

// clauses are what may follow a condition: the table, which is that of users, and
// the slug.
var clauses = regexp.MustCompile(`(?i)\s+FROM\s+user\s*$|\s+ALIAS\s+[\w-]+\s*$`)

// plainFilter is a filter without what Lytics may add: the word FILTER, clauses,
// and space between words.
func plainFilter(text string) string {
	text = segmentQL(text)[len("FILTER"):]
	for range 2 {
		text = clauses.ReplaceAllString(text, "")
	}
	var b strings.Builder
	var quote rune
	space := false
	for _, c := range strings.TrimSpace(text) {
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case unicode.IsSpace(c):
			space = true
			continue
		case strings.ContainsRune("\"'`", c):
			quote = c
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		b.WriteRune(c)
	}
	return b.String()
}

// checkFilter asks Lytics whether a filter can work, and looks at what it
// includes.
func (p *Platform) checkFilter(ctx context.Context, summary string, a jobs.Audience) error {
	if _, err := p.do(ctx, p.validateFilter(summary, a.Filter)); err != nil {
		return err
	}
	if f, err := platform.ParseFilter(a.Filter); err == nil {
		return p.followIncludes(ctx, summary, a, f, map[string]bool{})
	}
	// Lytics knows more of the language, and it has found the filter valid.
	return nil
}

// followIncludes refuses what is not there, and what leads back.
func (p *Platform) followIncludes(ctx context.Context, summary string, a jobs.Audience, f *filterql.Filter, seen map[string]bool) error {
	refuse := func(reason string) error {
		return platform.FilterError(fmt.Sprintf("The filter of audience %q cannot work", a.Name), &filterql.Error{Reason: reason})
	}
	for _, name := range f.Includes() {
		if name == a.Slug || name == a.ID {
			return refuse(fmt.Sprintf("audiences include one another: %s leads back to %s", name, a.Slug))
		}
		if seen[name] {
			continue
		}
		seen[name] = true
		r, err := p.segment(ctx, summary, name, nil)
		if jobs.IsCode(err, jobs.CodeNotFound) {
			return refuse(fmt.Sprintf("there is no audience %q to include", name))
		}
		if err != nil {
			return err
		}
		if r.text("id") == a.ID {
			return refuse(fmt.Sprintf("audiences include one another: %s leads back to %s", name, a.Slug))
		}
		inner, err := filterql.Parse(r.text("segment_ql"))
		if err != nil {
			// Lytics knows more of the language, and it has found it valid.
			continue
		}
		if err := p.followIncludes(ctx, summary, a, inner, seen); err != nil {
			return err
		}
	}
	return nil
}

// refuseWhileIncluded fails when another segment includes one by these names.
func (p *Platform) refuseWhileIncluded(ctx context.Context, id, summary string, names ...string) error {
	all, err := p.segments(ctx, summary)
	if err != nil {
		return err
	}
	var users []string
	for _, r := range all {
		f, err := filterql.Parse(r.text("segment_ql"))
		if err != nil || r.text("id") == id {
			continue
		}
		if slices.ContainsFunc(f.Includes(), func(n string) bool { return slices.Contains(names, n) }) {
			users = append(users, r.text("slug_name"))
		}
	}
	if len(users) == 0 {
		return nil
	}
	return &jobs.Error{
		Code:      jobs.CodeInUse,
		Attribute: "slug",
		Summary:   summary,
		Detail:    "it is included by the audiences " + strings.Join(users, ", "),
		Next:      "Change those first",
	}
}
