package lytics

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/filterql"
)

const segmentPath = "/v2/segment"

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

// audienceOf reads a segment, with the filter that was declared. A new store
// knows only what Lytics wrote.
func (p *Platform) audienceOf(ctx context.Context, r raw) (a jobs.Audience, err error) {
	a = jobs.Audience{ID: r.text("id"), Name: r.text("name"), Slug: r.text("slug_name"), Description: r.text("description")}
	a.Filter, err = p.declared(ctx, filterObject(a.ID), r.text("segment_ql"))
	return a, err
}

func filterObject(id string) string { return "segment/" + id + "/segment_ql" }

// segment reads a segment by id or slug.
func (p *Platform) segment(ctx context.Context, summary, idOrSlug string, query url.Values) (r raw, err error) {
	c := p.get(summary, segmentPath+"/"+url.PathEscape(idOrSlug))
	c.object, c.query = [2]string{"audience", idOrSlug}, query
	if err := p.into(ctx, c, &r); err != nil {
		return nil, err
	}
	if string(r["deleted"]) == "true" {
		return nil, notFound("audience", idOrSlug)
	}
	return r, nil
}

// Audience takes an id or a slug.
func (p *Platform) Audience(ctx context.Context, idOrSlug string) (jobs.Audience, error) {
	r, err := p.segment(ctx, "Cannot read audience "+idOrSlug, idOrSlug, nil)
	if err != nil {
		return jobs.Audience{}, err
	}
	return p.audienceOf(ctx, r)
}

// Audiences lists all audiences by slug.
func (p *Platform) Audiences(ctx context.Context) ([]jobs.Audience, error) {
	all, err := p.segments(ctx, "Cannot read the audiences")
	if err != nil {
		return nil, err
	}
	var list []jobs.Audience
	for _, r := range all {
		a, err := p.audienceOf(ctx, r)
		if err != nil {
			return nil, err
		}
		list = append(list, a)
	}
	slices.SortFunc(list, func(a, b jobs.Audience) int { return cmp.Compare(a.Slug, b.Slug) })
	return list, nil
}

func (p *Platform) segments(ctx context.Context, summary string) ([]raw, error) {
	c := p.get(summary, segmentPath)
	c.query = url.Values{"table": {"user"}, "kind": {"segment"}, "valid": {"all"}}
	var all []raw
	err := p.into(ctx, c, &all)
	return slices.DeleteFunc(all, func(r raw) bool { return string(r["deleted"]) == "true" }), err
}

// checkFilter asks Lytics whether a filter can work, and looks at what it
// includes.
func (p *Platform) checkFilter(ctx context.Context, summary string, a jobs.Audience) error {
	c := p.get(summary, "/api/segment/validate")
	c.method, c.contentType, c.body, c.attribute = http.MethodPost, "text/plain", []byte(segmentQL(a.Filter)), "filter"
	if _, err := p.do(ctx, c); err != nil {
		return err
	}
	f, err := platform.ParseFilter(a.Filter)
	if err != nil {
		return err
	}
	return p.followIncludes(ctx, summary, a, f, map[string]bool{})
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

func slugTaken(a, holder jobs.Audience) error {
	return &jobs.Error{
		Code: jobs.CodeConflict, Attribute: "slug", Summary: fmt.Sprintf("Audience %q cannot have the slug %s", a.Name, a.Slug),
		Detail: fmt.Sprintf("audience %q (%s) has it, with another definition", holder.Name, holder.ID),
		Next:   "Import that audience by its id, or choose another slug",
	}
}

// CreateAudience defines an audience; the same definition is adopted.
func (p *Platform) CreateAudience(ctx context.Context, a jobs.Audience) (jobs.Audience, error) {
	if err := platform.ValidateAudience(a); err != nil {
		return jobs.Audience{}, err
	}
	a = platform.NormalizeAudience(a)
	a.ID = ""
	for tries := 1; ; tries++ {
		made, err := p.createAudience(ctx, a)
		if err == nil || !isUnsure(err) || tries == unsureRetries || ctx.Err() != nil {
			return made, err
		}
		// It may be there now: the next look adopts it.
	}
}

func (p *Platform) createAudience(ctx context.Context, a jobs.Audience) (jobs.Audience, error) {
	summary := "Cannot create audience " + a.Slug
	old, err := p.Audience(ctx, a.Slug)
	if err == nil {
		same := old
		same.ID, same.Filter = "", a.Filter
		if same != a || old.Filter != a.Filter && plainFilter(old.Filter) != plainFilter(a.Filter) {
			return jobs.Audience{}, slugTaken(a, old)
		}
		a.ID = old.ID
		return a, p.redeclare(ctx, a, old)
	}
	if !jobs.IsCode(err, jobs.CodeNotFound) {
		return jobs.Audience{}, err
	}
	if err := p.checkFilter(ctx, summary, a); err != nil {
		return jobs.Audience{}, err
	}
	body := overSegment(nil, a)
	body.set("kind", "segment")
	body.set("table", "user")
	c, err := p.send(summary, http.MethodPost, segmentPath, body)
	if err != nil {
		return jobs.Audience{}, err
	}
	c.attribute, c.conflict = "filter", "slug"
	return p.writeAudience(ctx, c, a)
}

// redeclare notes that a filter is also declared in another writing.
func (p *Platform) redeclare(ctx context.Context, a, old jobs.Audience) error {
	if a.Filter == old.Filter {
		return nil
	}
	return p.declare(ctx, filterObject(a.ID), a.Filter, old.Filter)
}

// overSegment writes an audience over what Lytics has of it, without what Lytics
// computes.
func overSegment(r raw, a jobs.Audience) raw {
	body := raw{}
	for _, key := range []string{"id", "kind", "table", "tags", "groups", "category", "is_public", "public_name", "save_hist", "schedule_exit", "forward_datemath", "expires_at", "emit_trigger"} {
		if v, ok := r[key]; ok {
			body[key] = v
		}
	}
	body.set("name", a.Name)
	body.set("slug_name", a.Slug)
	body.set("description", a.Description)
	body.set("segment_ql", segmentQL(a.Filter))
	return body
}

func (p *Platform) writeAudience(ctx context.Context, c call, a jobs.Audience) (jobs.Audience, error) {
	var out raw
	if err := p.into(ctx, c, &out); err != nil {
		return jobs.Audience{}, err
	}
	a.ID = cmp.Or(out.text("id"), a.ID)
	return a, p.declare(ctx, filterObject(a.ID), a.Filter, cmp.Or(out.text("segment_ql"), segmentQL(a.Filter)))
}

// PutAudience changes an audience. An empty slug is derived anew.
func (p *Platform) PutAudience(ctx context.Context, a jobs.Audience) (jobs.Audience, error) {
	if err := platform.ValidateAudience(a); err != nil {
		return jobs.Audience{}, err
	}
	a = platform.NormalizeAudience(a)
	summary := "Cannot change audience " + a.ID
	r, err := p.segment(ctx, summary, a.ID, nil)
	if err != nil {
		return jobs.Audience{}, err
	}
	if r.text("id") != a.ID {
		return jobs.Audience{}, notFound("audience", a.ID)
	}
	if slug := r.text("slug_name"); slug != a.Slug {
		holder, err := p.Audience(ctx, a.Slug)
		if err == nil && holder.ID != a.ID {
			return jobs.Audience{}, slugTaken(a, holder)
		}
		if err != nil && !jobs.IsCode(err, jobs.CodeNotFound) {
			return jobs.Audience{}, err
		}
		if err := p.refuseWhileIncluded(ctx, a.ID, fmt.Sprintf("The slug of audience %q cannot change", r.text("name")), slug); err != nil {
			return jobs.Audience{}, err
		}
	}
	if err := p.checkFilter(ctx, summary, a); err != nil {
		return jobs.Audience{}, err
	}
	c, err := p.send(summary, http.MethodPut, segmentPath+"/"+url.PathEscape(a.ID), overSegment(r, a))
	if err != nil {
		return jobs.Audience{}, err
	}
	c.repeatable, c.object = true, [2]string{"audience", a.ID}
	c.attribute, c.conflict = "filter", "slug"
	return p.writeAudience(ctx, c, a)
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
	return &jobs.Error{Code: jobs.CodeInUse, Attribute: "slug", Summary: summary, Detail: "it is included by the audiences " + strings.Join(users, ", "), Next: "Change those first"}
}

// DeleteAudience refuses while other audiences include it; whether exports read
// it is known to who owns the jobs. Deleting what is not there is no error.
func (p *Platform) DeleteAudience(ctx context.Context, id string) error {
	summary := "Cannot delete audience " + id
	r, err := p.segment(ctx, summary, id, nil)
	if jobs.IsCode(err, jobs.CodeNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if r.text("id") != id {
		return nil
	}
	if err := p.refuseWhileIncluded(ctx, id, fmt.Sprintf("Audience %q cannot be deleted", r.text("name")), id, r.text("slug_name")); err != nil {
		return err
	}
	c := p.get(summary, segmentPath+"/"+url.PathEscape(id))
	c.method, c.object = http.MethodDelete, [2]string{"audience", id}
	if _, err := p.do(ctx, c); err != nil && !jobs.IsCode(err, jobs.CodeNotFound) {
		return err
	}
	return nil
}

// AudienceSize is how many profiles Lytics says an audience has.
func (p *Platform) AudienceSize(ctx context.Context, audience string) (int64, error) {
	summary := "Cannot count audience " + audience
	r, err := p.segment(ctx, summary, audience, url.Values{"sizes": {"true"}})
	if err != nil {
		return 0, err
	}
	var n *int64
	if err := unmarshal(r["size"], &n); err != nil || n == nil {
		return 0, &jobs.Error{Code: jobs.CodeFailed, Summary: summary, Detail: "Lytics gives no size for it", Next: "Try again when Lytics has evaluated the audience", Err: err}
	}
	return *n, nil
}
