package engine

import (
	"context"
	"fmt"
	"iter"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/lytics"
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

// EventLines implements jobs.CustomerData.
func (e *Engine) EventLines(ctx context.Context, stream string) iter.Seq2[[]byte, error] {
	p, err := e.openPlatform(ctx, readStore)
	var local LocalPlatform
	if err == nil {
		local, err = localPlatform(p, "the events of stream "+stream)
	}
	if err != nil {
		return func(yield func([]byte, error) bool) { yield(nil, err) }
	}
	return local.EventLines(ctx, stream)
}

// Profile implements jobs.CustomerData.
func (e *Engine) Profile(ctx context.Context, id jobs.Identity) (jobs.Profile, error) {
	return readPlatform(ctx, e, Platform.Profile, id)
}

// Erase implements jobs.CustomerData.
func (e *Engine) Erase(ctx context.Context, r jobs.ErasureRequest) (jobs.Erasure, error) {
	p, err := e.openPlatform(ctx, writeStore)
	if err != nil {
		return jobs.Erasure{}, err
	}
	if account, ok := p.(AccountPlatform); ok {
		out, err := account.RequestErasure(ctx, r)
		if err != nil {
			return out, err
		}
		return e.eraseQuarantined(ctx, r, out, holdsIdentity(append(out.Identities, r.Identity)))
	}
	local, err := localPlatform(p, "what is erased")
	if err != nil {
		return jobs.Erasure{}, err
	}
	if r.Conflicts {
		return jobs.Erasure{}, jobs.Invalid("conflicts", "Only a Lytics account has a choice of conflicts",
			"The embedded platform erases the one user that has the identity: there, no identity is in two profiles.", "Leave it out")
	}
	if err := e.refuseErasureElsewhere(ctx, p); err != nil {
		return jobs.Erasure{}, err
	}
	out, err := local.Erase(ctx, r.Identity, r.DryRun)
	if err != nil {
		return out, err
	}
	belongs, err := local.BelongsTo(ctx, out.Identities)
	if err != nil {
		return out, err
	}
	return e.eraseQuarantined(ctx, r, out, belongs)
}

// refuseErasureElsewhere fails if the store's events are all in a Lytics account:
// an erasure here would find nobody, and the user would stay in Lytics.
func (e *Engine) refuseErasureElsewhere(ctx context.Context, p Platform) error {
	account, err := lytics.AccountOf(ctx, e.db)
	if err != nil || account == "" {
		return err
	}
	streams, err := p.Streams(ctx)
	if err != nil || len(streams) > 0 {
		return err
	}
	return jobs.Invalid("platform.lytics", "The user is in Lytics, and no Lytics account is configured",
		fmt.Sprintf("The store in %s belongs to Lytics account %s, and has no events of its own.", e.db.Place(), account),
		"Give --lytics and LYTICS_API_TOKEN, or the runner's configuration file")
}

// ErasureDone implements jobs.CustomerData.
func (e *Engine) ErasureDone(ctx context.Context, requestID string) (bool, error) {
	p, err := e.openPlatform(ctx, readStore)
	if err != nil {
		return false, err
	}
	account, ok := p.(AccountPlatform)
	if !ok {
		return false, jobs.Invalid("request", "Only a Lytics account has requests for erasure",
			"The embedded platform has erased a user when the command ends.", "Give --identifier, or configure the Lytics account")
	}
	return account.ErasureDone(ctx, requestID)
}

// localPlatform returns the platform where it keeps customer data in this
// store; what names the data for the error of a platform that does not.
func localPlatform(p Platform, what string) (LocalPlatform, error) {
	local, ok := p.(LocalPlatform)
	if !ok {
		return nil, jobs.Invalid("", "The Lytics account answers this, and not the provider",
			fmt.Sprintf("The platform is a Lytics account, and it keeps %s to itself.", what), "Use Lytics's own page or API for it")
	}
	return local, nil
}
