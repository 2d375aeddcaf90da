package engine

import (
	"context"
	"fmt"
	"iter"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// Fields implements jobs.CustomerData.
func (e *Engine) Fields(ctx context.Context) ([]jobs.Field, error) {
	p, err := e.openPlatform(ctx, readStore)
	if err != nil {
		return nil, err
	}
	return p.Fields(ctx)
}

// Streams implements jobs.CustomerData.
func (e *Engine) Streams(ctx context.Context) ([]jobs.StreamInfo, error) {
	p, err := e.openPlatform(ctx, readStore)
	if err != nil {
		return nil, err
	}
	return p.Streams(ctx)
}

// Audiences implements jobs.CustomerData.
func (e *Engine) Audiences(ctx context.Context) ([]jobs.Audience, error) {
	p, err := e.openPlatform(ctx, readStore)
	if err != nil {
		return nil, err
	}
	return p.Audiences(ctx)
}

// AudienceSize implements jobs.CustomerData.
func (e *Engine) AudienceSize(ctx context.Context, idOrSlug string) (int64, error) {
	return readPlatform(ctx, e, Platform.AudienceSize, idOrSlug)
}

// Scan implements jobs.CustomerData.
func (e *Engine) Scan(ctx context.Context, idOrSlug string, fields []string) ([]jobs.Field, iter.Seq2[[]jobs.Value, error], error) {
	p, err := e.openPlatform(ctx, readStore)
	if err != nil {
		return nil, nil, err
	}
	return p.Scan(ctx, idOrSlug, fields)
}

// Events implements jobs.CustomerData.
func (e *Engine) Events(ctx context.Context, stream string) iter.Seq2[jobs.Event, error] {
	local, err := e.localPlatform(ctx, readStore, "the events of stream "+stream)
	if err != nil {
		return func(yield func(jobs.Event, error) bool) { yield(jobs.Event{}, err) }
	}
	return local.Events(ctx, stream)
}

// Profile implements jobs.CustomerData.
func (e *Engine) Profile(ctx context.Context, id jobs.Identity) (jobs.Profile, error) {
	local, err := e.localPlatform(ctx, readStore, "single profiles")
	if err != nil {
		return nil, err
	}
	return local.Profile(ctx, id)
}

// Erase implements jobs.CustomerData.
func (e *Engine) Erase(ctx context.Context, id jobs.Identity, dryRun bool) (jobs.Erasure, error) {
	local, err := e.localPlatform(ctx, writeStore, "what is erased")
	if err != nil {
		return jobs.Erasure{}, err
	}
	return local.Erase(ctx, id, dryRun)
}

// localPlatform returns the platform where it keeps customer data in this
// store; what names the data for the error of a platform that does not.
func (e *Engine) localPlatform(ctx context.Context, a access, what string) (LocalPlatform, error) {
	p, err := e.openPlatform(ctx, a)
	if err != nil {
		return nil, err
	}
	local, ok := p.(LocalPlatform)
	if !ok {
		return nil, jobs.Invalid("", "The Lytics account answers this, and not the provider",
			fmt.Sprintf("The platform is a Lytics account, and it keeps %s to itself.", what), "Use Lytics's own page or API for it")
	}
	return local, nil
}
