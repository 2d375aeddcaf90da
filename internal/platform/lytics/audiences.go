package lytics

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform"
)

const segmentPath = "/v2/segment"

// audienceOf converts a segment. Its filter is the declared text, if this store knows
// one, else the text of Lytics.
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
	if err := p.checked(ctx, c, &r, func() error { return checkSegment(r, idOrSlug) }); err != nil {
		return nil, err
	}
	if string(r["deleted"]) == "true" {
		return nil, notFound("audience", idOrSlug)
	}
	return r, nil
}

// checkSegment checks a segment that was asked for by its id or its slug.
func checkSegment(r raw, idOrSlug string) error {
	if err := segmentShape.check(r); err != nil {
		return err
	}
	if id, slug := r.text("id"), r.text("slug_name"); !strings.EqualFold(id, idOrSlug) && !strings.EqualFold(slug, idOrSlug) {
		return fmt.Errorf("it is about the audience %q (%s) instead of %q", shorten(slug), shorten(id), idOrSlug)
	}
	return nil
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
	err := p.checked(ctx, c, &all, func() error { return segmentShape.checkAll(all) })
	return slices.DeleteFunc(all, func(r raw) bool { return string(r["deleted"]) == "true" }), err
}

// CreateAudience defines an audience. It refuses a slug that is taken.
func (p *Platform) CreateAudience(ctx context.Context, a jobs.Audience) (jobs.Audience, error) {
	if err := platform.ValidateAudienceNames(a); err != nil {
		return jobs.Audience{}, err
	}
	a = platform.NormalizeAudience(a)
	a.ID = ""
	var before error
	for tries := 1; ; tries++ {
		made, err := p.createAudience(ctx, a, before)
		if err == nil || !isUnsure(err) || tries == unsureRetries || ctx.Err() != nil {
			return made, err
		}
		before = err
	}
}

// createAudience is one attempt. before is the error of the attempt before, whose outcome is
// not known: an audience that is there now with this definition is the one it created. If
// Lytics accepted that attempt and does not have the audience, it is not sent again.
func (p *Platform) createAudience(ctx context.Context, a jobs.Audience, before error) (jobs.Audience, error) {
	summary := "Cannot create audience " + a.Slug
	old, err := p.Audience(ctx, a.Slug)
	if err == nil {
		same := old
		same.ID, same.Filter = "", a.Filter
		if before == nil || same != a || plainFilter(old.Filter) != plainFilter(a.Filter) {
			return jobs.Audience{}, platform.AudienceExists(a, old)
		}
		a.ID = old.ID
		return a, p.redeclare(ctx, a, old)
	}
	if !jobs.IsCode(err, jobs.CodeNotFound) {
		return jobs.Audience{}, err
	}
	if isAccepted(before) {
		return jobs.Audience{}, before
	}
	if err := p.checkFilter(ctx, summary, a); err != nil {
		return jobs.Audience{}, err
	}
	body := overSegment(nil, a)
	body.set("kind", "segment")
	body.set("table", "user")
	body.set("is_public", false)
	body.set("save_hist", true)
	c, err := p.send(summary, http.MethodPost, segmentPath, body)
	if err != nil {
		return jobs.Audience{}, err
	}
	c.attribute, c.conflict = "filter", "slug"
	var out raw
	// Without the slug it is not known whether Lytics changed it.
	made := segmentShape
	made.needs = append(slices.Clone(made.needs), "slug_name")
	if err := p.checked(ctx, c, &out, func() error { return made.check(out) }); err != nil {
		return jobs.Audience{}, err
	}
	if slug := out.text("slug_name"); slug != "" && slug != a.Slug {
		return jobs.Audience{}, p.removeRenamed(ctx, a, out)
	}
	return p.noteAudience(ctx, a, out)
}

// removeRenamed deletes an audience that Lytics created with another slug because
// the wanted slug is taken. Exports and INCLUDE refer to audiences by the slug.
func (p *Platform) removeRenamed(ctx context.Context, a jobs.Audience, made raw) error {
	e := &jobs.Error{
		Code: jobs.CodeConflict, Attribute: "slug", Summary: fmt.Sprintf("Audience %q cannot have the slug %s", a.Name, a.Slug),
		Detail: fmt.Sprintf("the slug is taken: Lytics created the audience as %s, and that one is deleted again", made.text("slug_name")),
		Next:   "Choose another slug, or import the audience that has it",
	}
	c := p.get("Cannot delete audience "+made.text("slug_name"), segmentPath+"/"+url.PathEscape(made.text("id")))
	c.method, c.object = http.MethodDelete, [2]string{"audience", made.text("id")}
	if _, err := p.do(ctx, c); err != nil && !jobs.IsCode(err, jobs.CodeNotFound) {
		e.Detail = fmt.Sprintf(
			"the slug is taken: Lytics created the audience as %s (%s), which could not be deleted again: %v",
			made.text("slug_name"),
			made.text("id"),
			err,
		)
		e.Next = "Delete that audience in Lytics, then choose another slug"
	}
	return e
}

// redeclare stores the declared form of a filter that Lytics has in another form.
func (p *Platform) redeclare(ctx context.Context, a, old jobs.Audience) error {
	if a.Filter == old.Filter {
		return nil
	}
	return p.declare(ctx, filterObject(a.ID), a.Filter, old.Filter)
}

// overSegment gives the segment of Lytics with the declared audience written over
// it, without the keys that Lytics computes.
func overSegment(r raw, a jobs.Audience) raw {
	body := raw{}
	for _, key := range []string{"kind", "table", "is_public", "save_hist", "tags", "groups", "expires_at", "emit_trigger", "schedule_exit"} {
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

// noteAudience gives the audience as Lytics answered it.
func (p *Platform) noteAudience(ctx context.Context, a jobs.Audience, out raw) (jobs.Audience, error) {
	a.ID = cmp.Or(out.text("id"), a.ID)
	return a, p.declare(ctx, filterObject(a.ID), a.Filter, cmp.Or(out.text("segment_ql"), segmentQL(a.Filter)))
}

// PutAudience changes an audience. An empty slug is derived anew.
func (p *Platform) PutAudience(ctx context.Context, a jobs.Audience) (jobs.Audience, error) {
	if err := platform.ValidateAudienceNames(a); err != nil {
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
			return jobs.Audience{}, platform.SlugTaken(a, holder)
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
	var out raw
	if err := p.checked(ctx, c, &out, func() error { return segmentShape.check(out) }); err != nil {
		return jobs.Audience{}, err
	}
	if id := out.text("id"); id != "" && id != a.ID {
		return jobs.Audience{}, &jobs.Error{
			Code:    jobs.CodeFailed,
			Summary: summary,
			Detail:  fmt.Sprintf("Lytics answered with another audience, %s (%s): audience %s may be unchanged", out.text("slug_name"), id, a.ID),
			Next:    "Look at both in Lytics and delete the one that is not wanted; a filter of another table than user is not supported",
		}
	}
	return p.noteAudience(ctx, a, out)
}

// DeleteAudience refuses (CodeInUse) while other audiences include the audience.
// Whether exports read it is for the caller to check. If the audience does not
// exist, that is no error.
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
	if err := p.refuseWhileIncluded(
		ctx,
		id,
		fmt.Sprintf("Audience %q cannot be deleted", r.text("name")),
		id,
		r.text("slug_name"),
	); err != nil {
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
	if err := unmarshal(r["size"], &n); err != nil || n == nil || *n < 0 {
		return 0, &jobs.Error{
			Code:    jobs.CodeFailed,
			Summary: summary,
			Detail:  "Lytics gives no size for it",
			Next:    "Try again when Lytics has evaluated the audience",
			Err:     err,
		}
	}
	return *n, nil
}
