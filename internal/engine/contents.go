package engine

import (
	"context"
	"fmt"
	"iter"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// Fields implements jobs.CustomerData.
func (e *Engine) Fields(ctx context.Context) ([]jobs.Field, error) {
	p, err := e.side(ctx, false, false)
	if err != nil {
		return nil, err
	}
	return p.Fields(ctx)
}

// Streams implements jobs.CustomerData.
func (e *Engine) Streams(ctx context.Context) ([]jobs.StreamInfo, error) {
	p, err := e.side(ctx, false, false)
	if err != nil {
		return nil, err
	}
	return p.Streams(ctx)
}

// Audiences implements jobs.CustomerData.
func (e *Engine) Audiences(ctx context.Context) ([]jobs.Audience, error) {
	p, err := e.side(ctx, false, false)
	if err != nil {
		return nil, err
	}
	return p.Audiences(ctx)
}

// AudienceSize implements jobs.CustomerData.
func (e *Engine) AudienceSize(ctx context.Context, idOrSlug string) (int64, error) {
	return call(ctx, e, false, false, Platform.AudienceSize, idOrSlug)
}

// Scan implements jobs.CustomerData.
func (e *Engine) Scan(ctx context.Context, idOrSlug string, fields []string) ([]jobs.Field, iter.Seq2[[]jobs.Value, error], error) {
	p, err := e.side(ctx, false, false)
	if err != nil {
		return nil, nil, err
	}
	return p.Scan(ctx, idOrSlug, fields)
}

// Events implements jobs.CustomerData.
func (e *Engine) Events(ctx context.Context, stream string) iter.Seq2[jobs.Event, error] {
	k, err := e.keeper(ctx, false, "the events of stream "+stream)
	if err != nil {
		return func(yield func(jobs.Event, error) bool) { yield(jobs.Event{}, err) }
	}
	return k.Events(ctx, stream)
}

// Profile implements jobs.CustomerData.
func (e *Engine) Profile(ctx context.Context, id jobs.Identity) (jobs.Profile, error) {
	k, err := e.keeper(ctx, false, "single profiles")
	if err != nil {
		return nil, err
	}
	return k.Profile(ctx, id)
}

// Erase implements jobs.CustomerData.
func (e *Engine) Erase(ctx context.Context, id jobs.Identity, dryRun bool) (jobs.Erasure, error) {
	k, err := e.keeper(ctx, true, "what is erased")
	if err != nil {
		return jobs.Erasure{}, err
	}
	return k.Erase(ctx, id, dryRun)
}

// keeper gives the platform, if it keeps what is asked for in this store.
func (e *Engine) keeper(ctx context.Context, write bool, what string) (keeper, error) {
	p, err := e.side(ctx, write, false)
	if err != nil {
		return nil, err
	}
	k, ok := p.(keeper)
	if !ok {
		return nil, jobs.Invalid("", "The Lytics account answers this, and not the provider",
			fmt.Sprintf("The platform is a Lytics account, and it keeps %s to itself.", what), "Use Lytics's own page or API for it")
	}
	return k, nil
}
