package engine

import (
	"context"
	"encoding/json"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// Mappings implements jobs.CustomerData.
func (e *Engine) Mappings(ctx context.Context) ([]jobs.Mapping, error) {
	p, err := e.openPlatform(ctx, readStore)
	if err != nil {
		return nil, err
	}
	return p.Mappings(ctx)
}

// LatestEvents returns the newest events of a stream, at most n, the newest first. A
// platform that keeps its events to itself is CodeInvalid.
func (e *Engine) LatestEvents(ctx context.Context, stream string, n int) ([]jobs.Event, error) {
	p, err := e.openPlatform(ctx, readStore)
	if err != nil {
		return nil, err
	}
	local, err := localPlatform(p, "the events of stream "+stream)
	if err != nil {
		return nil, err
	}
	return local.LatestEvents(ctx, stream, n)
}

// searchedEvents is how many events of a stream ProfileEvents looks at, the newest ones.
const searchedEvents = 20_000

// ProfileEvents returns the events that a profile came from: of each stream the newest
// ones, at most n, the newest first, among about the stream's newest 20,000 events. id is the
// identity by which the profile was found.
func (e *Engine) ProfileEvents(ctx context.Context, id jobs.Identity, of jobs.Profile, n int) (map[string][]jobs.Event, error) {
	p, err := e.openPlatform(ctx, readStore)
	if err != nil {
		return nil, err
	}
	local, err := localPlatform(p, "the events of a profile")
	if err != nil {
		return nil, err
	}
	fields, err := p.Fields(ctx)
	if err != nil {
		return nil, err
	}
	belongs, err := local.BelongsTo(ctx, identities(id, of, fields))
	if err != nil {
		return nil, err
	}
	streams, err := p.Streams(ctx)
	if err != nil {
		return nil, err
	}
	found := map[string][]jobs.Event{}
	for _, s := range streams {
		events, err := local.LatestEventsOf(ctx, s.Name, searchedEvents, n, func(e jobs.Event) bool { return belongs(s.Name, e) })
		if err != nil {
			return nil, err
		}
		if len(events) > 0 {
			found[s.Name] = events
		}
	}
	return found, nil
}

// identities are the identities of a profile: its values of identifiers.
func identities(known jobs.Identity, of jobs.Profile, fields []jobs.Field) []jobs.Identity {
	all := []jobs.Identity{known}
	for _, f := range fields {
		v, ok := of[f.ID]
		if !ok || v.Null || !f.IsIdentifier {
			continue
		}
		var list []string
		if json.Unmarshal([]byte(v.Text), &list) != nil {
			list = []string{v.Text}
		}
		for _, text := range list {
			all = append(all, jobs.Identity{Field: f.ID, Value: text})
		}
	}
	return all
}
