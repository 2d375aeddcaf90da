package engine

import (
	"context"
	"fmt"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// side gives the customer-data platform; create makes the store it lives in.
func (e *Engine) side(ctx context.Context, write, create bool) (Platform, error) {
	open := e.open
	if write {
		open = e.writable
	}
	if _, err := open(ctx, create); err != nil {
		return nil, err
	}
	return e.platform, nil
}

// call runs a method of the platform.
func call[In, Out any](ctx context.Context, e *Engine, write, create bool, method func(Platform, context.Context, In) (Out, error), in In) (Out, error) {
	p, err := e.side(ctx, write, create)
	if err != nil {
		var none Out
		return none, err
	}
	return method(p, ctx, in)
}

// remove runs a method of the platform that deletes.
func remove(ctx context.Context, e *Engine, method func(Platform, context.Context, string) error, id string) error {
	p, err := e.side(ctx, true, false)
	if err != nil {
		return err
	}
	return method(p, ctx, id)
}

// CreateField implements jobs.Platform.
func (e *Engine) CreateField(ctx context.Context, f jobs.Field) (jobs.Field, error) {
	return call(ctx, e, true, true, Platform.CreateField, f)
}

// PutField implements jobs.Platform.
func (e *Engine) PutField(ctx context.Context, f jobs.Field) (jobs.Field, error) {
	return call(ctx, e, true, false, Platform.PutField, f)
}

// Field implements jobs.Platform.
func (e *Engine) Field(ctx context.Context, id string) (jobs.Field, error) {
	return call(ctx, e, false, false, Platform.Field, id)
}

// DeleteField implements jobs.Platform.
func (e *Engine) DeleteField(ctx context.Context, id string) error {
	return remove(ctx, e, Platform.DeleteField, id)
}

// CreateMapping implements jobs.Platform.
func (e *Engine) CreateMapping(ctx context.Context, m jobs.Mapping) (jobs.Mapping, error) {
	return call(ctx, e, true, true, Platform.CreateMapping, m)
}

// PutMapping implements jobs.Platform.
func (e *Engine) PutMapping(ctx context.Context, m jobs.Mapping) (jobs.Mapping, error) {
	return call(ctx, e, true, false, Platform.PutMapping, m)
}

// Mapping implements jobs.Platform.
func (e *Engine) Mapping(ctx context.Context, id string) (jobs.Mapping, error) {
	return call(ctx, e, false, false, Platform.Mapping, id)
}

// DeleteMapping implements jobs.Platform.
func (e *Engine) DeleteMapping(ctx context.Context, id string) error {
	return remove(ctx, e, Platform.DeleteMapping, id)
}

// CreateAudience implements jobs.Platform.
func (e *Engine) CreateAudience(ctx context.Context, a jobs.Audience) (jobs.Audience, error) {
	return call(ctx, e, true, true, Platform.CreateAudience, a)
}

// PutAudience implements jobs.Platform.
func (e *Engine) PutAudience(ctx context.Context, a jobs.Audience) (jobs.Audience, error) {
	return call(ctx, e, true, false, Platform.PutAudience, a)
}

// Audience implements jobs.Platform.
func (e *Engine) Audience(ctx context.Context, idOrSlug string) (jobs.Audience, error) {
	return call(ctx, e, false, false, Platform.Audience, idOrSlug)
}

// DeleteAudience implements jobs.Platform.
func (e *Engine) DeleteAudience(ctx context.Context, id string) error {
	a, err := e.Audience(ctx, id)
	if jobs.IsCode(err, jobs.CodeNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	all, err := e.Jobs(ctx)
	if err != nil {
		return err
	}
	var users []string
	for _, j := range all {
		if j.Export != nil && (j.Export.AudienceID == a.ID || j.Export.AudienceID == a.Slug) {
			users = append(users, fmt.Sprintf("%s (%s)", j.Label, j.ID))
		}
	}
	if len(users) > 0 {
		return &jobs.Error{
			Code: jobs.CodeInUse, Summary: fmt.Sprintf("Audience %s is still exported", a.Slug),
			Detail: "These jobs export it: " + strings.Join(users, ", ") + ".", Next: "Destroy the exports first",
		}
	}
	return remove(ctx, e, Platform.DeleteAudience, id)
}
