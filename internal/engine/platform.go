package engine

import (
	"context"
	"fmt"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// openPlatform returns the customer-data platform of the store, opened for what
// the caller needs.
func (e *Engine) openPlatform(ctx context.Context, a access) (Platform, error) {
	if _, err := e.open(ctx, a); err != nil {
		return nil, err
	}
	return e.platform, nil
}

type platformMethod[In, Out any] = func(Platform, context.Context, In) (Out, error)

// readPlatform calls a method of the platform that reads.
func readPlatform[In, Out any](ctx context.Context, e *Engine, method platformMethod[In, Out], in In) (Out, error) {
	p, err := e.openPlatform(ctx, readStore)
	if err != nil {
		var none Out
		return none, err
	}
	return method(p, ctx, in)
}

// JudgeDraft implements jobs.Judge. It needs no store.
func (e *Engine) JudgeDraft(ctx context.Context, d jobs.Draft) (jobs.Judgement, error) {
	judge, err := e.openJudge()
	if err != nil {
		return jobs.Judgement{}, err
	}
	return judge.JudgeDraft(ctx, d)
}

func (e *Engine) openJudge() (Judge, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, errClosed()
	}
	if e.judge != nil {
		return e.judge, nil
	}
	open := e.options.Platform.OpenJudge
	if open == nil {
		open = func() (Judge, error) { return parsers{}, nil }
	}
	judge, err := open()
	if err != nil {
		return nil, err
	}
	e.judge = judge
	return judge, nil
}

// CreateField implements jobs.Platform.
func (e *Engine) CreateField(ctx context.Context, f jobs.Field, owner jobs.Owner) (jobs.Field, error) {
	return createOwned(ctx, e, ownedFields, f, owner)
}

// PutField implements jobs.Platform.
func (e *Engine) PutField(ctx context.Context, f jobs.Field, owner jobs.Owner) (jobs.Field, error) {
	return putOwned(ctx, e, ownedFields, f, owner)
}

// Field implements jobs.Platform.
func (e *Engine) Field(ctx context.Context, id string) (jobs.Field, error) {
	return readPlatform(ctx, e, Platform.Field, id)
}

// DeleteField implements jobs.Platform.
func (e *Engine) DeleteField(ctx context.Context, id string, owner jobs.Owner) error {
	return deleteOwned(ctx, e, jobs.KindField, id, owner, Platform.DeleteField)
}

// CreateMapping implements jobs.Platform.
func (e *Engine) CreateMapping(ctx context.Context, m jobs.Mapping, owner jobs.Owner) (jobs.Mapping, error) {
	return createOwned(ctx, e, ownedMappings, m, owner)
}

// PutMapping implements jobs.Platform.
func (e *Engine) PutMapping(ctx context.Context, m jobs.Mapping, owner jobs.Owner) (jobs.Mapping, error) {
	return putOwned(ctx, e, ownedMappings, m, owner)
}

// Mapping implements jobs.Platform.
func (e *Engine) Mapping(ctx context.Context, id string) (jobs.Mapping, error) {
	return readPlatform(ctx, e, Platform.Mapping, id)
}

// DeleteMapping implements jobs.Platform.
func (e *Engine) DeleteMapping(ctx context.Context, id string, owner jobs.Owner) error {
	return deleteOwned(ctx, e, jobs.KindMapping, id, owner, Platform.DeleteMapping)
}

// CreateAudience implements jobs.Platform.
func (e *Engine) CreateAudience(ctx context.Context, a jobs.Audience, owner jobs.Owner) (jobs.Audience, error) {
	return createOwned(ctx, e, ownedAudiences, a, owner)
}

// PutAudience implements jobs.Platform.
func (e *Engine) PutAudience(ctx context.Context, a jobs.Audience, owner jobs.Owner) (jobs.Audience, error) {
	return putOwned(ctx, e, ownedAudiences, a, owner)
}

// Audience implements jobs.Platform.
func (e *Engine) Audience(ctx context.Context, idOrSlug string) (jobs.Audience, error) {
	return readPlatform(ctx, e, Platform.Audience, idOrSlug)
}

// DeleteAudience implements jobs.Platform.
func (e *Engine) DeleteAudience(ctx context.Context, id string, owner jobs.Owner) error {
	return deleteOwned(ctx, e, jobs.KindAudience, id, owner, func(p Platform, ctx context.Context, id string) error {
		return e.deleteUnusedAudience(ctx, p, id)
	})
}

// deleteUnusedAudience deletes an audience that no job exports.
func (e *Engine) deleteUnusedAudience(ctx context.Context, p Platform, id string) error {
	a, err := p.Audience(ctx, id)
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
	return p.DeleteAudience(ctx, id)
}
