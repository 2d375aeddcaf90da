package lytics

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform"
)

// mappingOf converts a mapping of the API. Its expressions are the declared texts.
func (p *Platform) mappingOf(ctx context.Context, r raw) (m jobs.Mapping, err error) {
	m = jobs.Mapping{ID: r.text("id"), Stream: r.text("stream"), Field: r.text("field")}
	if m.Expression, err = p.declared(ctx, "mapping/"+m.ID+"/expr", r.text("expr")); err != nil {
		return m, err
	}
	m.GuardExpression, err = p.declared(ctx, "mapping/"+m.ID+"/guard_expr", r.text("guard_expr"))
	return m, err
}

// prepareMapping checks that a mapping's field exists, and finds the mapping that
// has its place: there is one mapping for a stream, a field and a guard.
func (p *Platform) prepareMapping(ctx context.Context, s *schemaState, m jobs.Mapping) (holder raw, held jobs.Mapping, err error) {
	r, ok := s.field(m.Field)
	if !ok || r.text("id") != m.Field {
		return nil, held, jobs.Invalid("field", fmt.Sprintf("The mapping from stream %s cannot feed field %q", m.Stream, m.Field),
			"there is no such field", "Create the field first, and refer to it as lytics_field.NAME.id")
	}
	for _, r := range s.fedBy(m.Field) {
		if r.text("stream") != m.Stream {
			continue
		}
		other, err := p.mappingOf(ctx, r)
		if err != nil {
			return nil, held, err
		}
		if platform.SameText(other.GuardExpression, m.GuardExpression) {
			return r, other, nil
		}
	}
	return nil, held, nil
}

// unsureRetries is how often a create is attempted if its answer is lost. Each attempt
// looks first for what the attempt before created.
const unsureRetries = 4

// CreateMapping defines a mapping. There is one for a stream, a field and a guard.
func (p *Platform) CreateMapping(ctx context.Context, m jobs.Mapping) (jobs.Mapping, error) {
	if err := platform.ValidateMappingNames(m); err != nil {
		return jobs.Mapping{}, err
	}
	if err := p.checkExpressions(ctx, m); err != nil {
		return jobs.Mapping{}, err
	}
	m.ID = ""
	p.schema.Lock()
	defer p.schema.Unlock()
	var before error
	for tries := 1; ; tries++ {
		made, err := p.createMapping(ctx, m, before)
		if err == nil || !isUnsure(err) || tries == unsureRetries || ctx.Err() != nil {
			return made, err
		}
		before = err
	}
}

// createMapping is one attempt. before is the error of the attempt before, whose outcome is
// not known: a mapping that is there now is the one it created. If Lytics accepted that
// attempt and does not have the mapping, it is not sent again.
func (p *Platform) createMapping(ctx context.Context, m jobs.Mapping, before error) (jobs.Mapping, error) {
	summary := "Cannot create the mapping for field " + m.Field
	s, err := p.loadSchema(ctx, summary)
	if err != nil {
		return jobs.Mapping{}, err
	}
	holder, held, err := p.prepareMapping(ctx, s, m)
	if err != nil {
		return jobs.Mapping{}, err
	}
	switch {
	case holder != nil && !(before != nil && platform.SameText(held.Expression, m.Expression)):
		return jobs.Mapping{}, platform.MappingExists(held)
	case holder == nil && isAccepted(before):
		return jobs.Mapping{}, before
	}
	m.ID = holder.text("id")
	return p.writeMapping(ctx, s, summary, holder, m)
}

// PutMapping changes a mapping.
func (p *Platform) PutMapping(ctx context.Context, m jobs.Mapping) (jobs.Mapping, error) {
	if err := platform.ValidateMappingNames(m); err != nil {
		return jobs.Mapping{}, err
	}
	if err := p.checkExpressions(ctx, m); err != nil {
		return jobs.Mapping{}, err
	}
	summary := "Cannot change mapping " + m.ID
	p.schema.Lock()
	defer p.schema.Unlock()
	s, err := p.loadSchema(ctx, summary)
	if err != nil {
		return jobs.Mapping{}, err
	}
	holder, held, err := p.prepareMapping(ctx, s, m)
	if err != nil {
		return jobs.Mapping{}, err
	}
	if holder != nil && held.ID != m.ID {
		return jobs.Mapping{}, platform.MappingTaken(held)
	}
	r, ok := s.mapping(func(r raw) bool { return r.text("id") == m.ID })
	if !ok {
		return jobs.Mapping{}, notFound("mapping", m.ID)
	}
	if stream := r.text("stream"); stream != m.Stream {
		return jobs.Mapping{}, jobs.Invalid(
			"stream",
			summary,
			fmt.Sprintf("it reads stream %s, and Lytics cannot change the stream of a mapping", stream),
			"Delete the mapping and create one for stream "+m.Stream,
		)
	}
	return p.writeMapping(ctx, s, summary, r, m)
}

func (p *Platform) writeMapping(ctx context.Context, s *schemaState, summary string, r raw, m jobs.Mapping) (jobs.Mapping, error) {
	r = r.without(serverKeys...)
	if r == nil {
		r = raw{}
	}
	if m.ID != "" {
		r.set("id", m.ID)
	}
	r.set("stream", m.Stream)
	r.set("field", m.Field)
	r.set("expr", m.Expression)
	r.set("guard_expr", m.GuardExpression)
	out, err := p.changeSchema(
		ctx,
		schemaChange{summary: summary, attribute: faultyExpression(m), kind: "mapping", id: m.ID, state: s, body: r},
	)
	if err != nil {
		return jobs.Mapping{}, err
	}
	m.ID = out.text("id")
	if err := p.declare(ctx, "mapping/"+m.ID+"/expr", m.Expression, out.text("expr")); err != nil {
		return jobs.Mapping{}, err
	}
	return m, p.declare(ctx, "mapping/"+m.ID+"/guard_expr", m.GuardExpression, out.text("guard_expr"))
}

// faultyExpression is the attribute that a refusal of Lytics most likely concerns:
// the guard if that alone is invalid by our reading.
func faultyExpression(m jobs.Mapping) string {
	if platform.ValidateMappingExpression(m.Expression) == nil && platform.ValidateGuardExpression(m.GuardExpression) != nil {
		return "guard_expression"
	}
	return "expression"
}

// Mapping gives a mapping's definition.
func (p *Platform) Mapping(ctx context.Context, id string) (jobs.Mapping, error) {
	c := p.get("Cannot read mapping "+id, schemaPath+"/mapping/"+url.PathEscape(id))
	c.object = [2]string{"mapping", id}
	var r raw
	if err := p.checked(ctx, c, &r, func() error { return mappingShape.checkID(r, id) }); err != nil {
		return jobs.Mapping{}, err
	}
	if r.deleted() || r.text("id") != id {
		return jobs.Mapping{}, notFound("mapping", id)
	}
	return p.mappingOf(ctx, r)
}

// Mappings lists all mappings by stream, field and guard.
func (p *Platform) Mappings(ctx context.Context) ([]jobs.Mapping, error) {
	var all []raw
	c := p.get("Cannot read the mappings", schemaPath+"/mapping")
	if err := p.checked(ctx, c, &all, func() error { return mappingShape.checkAll(all) }); err != nil {
		return nil, err
	}
	var list []jobs.Mapping
	for _, r := range all {
		if r.deleted() {
			continue
		}
		m, err := p.mappingOf(ctx, r)
		if err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	slices.SortFunc(list, func(a, b jobs.Mapping) int {
		return cmp.Or(cmp.Compare(a.Stream, b.Stream), cmp.Compare(a.Field, b.Field), cmp.Compare(a.GuardExpression, b.GuardExpression))
	})
	return list, nil
}

// DeleteMapping deletes a mapping. Deleting what is not there is no error.
func (p *Platform) DeleteMapping(ctx context.Context, id string) error {
	summary := "Cannot delete mapping " + id
	p.schema.Lock()
	defer p.schema.Unlock()
	s, err := p.loadSchema(ctx, summary)
	if err != nil {
		return err
	}
	return p.deleteObject(ctx, s, summary, "mapping", s.mappings, id)
}
