package embedded

import (
	"context"
	"fmt"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/merge"
)

// owner is the profile that has an identity.
type owner struct {
	identity
	profile int64
}

// mergeUser merges a user's events of the batch into the user's profile, and returns
// the identities that have a new owner.
func (b *builder) mergeUser(ctx context.Context, u *user) ([]owner, error) {
	pr, moved, err := b.profileOf(ctx, u)
	if err != nil {
		return nil, err
	}
	moved = append(moved, u.identities...)
	if !pr.conflict {
		pr.identities = append(pr.identities, moved...)
		if len(pr.identities) > b.limits.identities {
			b.turnIntoConflict(pr)
		}
	}
	if !pr.conflict {
		for _, i := range u.events {
			e := b.events[i]
			for _, c := range b.contributions[e.from:e.to] {
				pr.add(c, b.plan.fields, e.at)
			}
		}
		pr.computeSize()
	}
	if err := b.tx.putProfile(ctx, pr); err != nil {
		return nil, err
	}
	b.cache.keep(pr, b.limits.cachedBytes)
	u.profiles, u.identities, u.events, u.active = append(u.profiles[:0], pr.id), nil, nil, false
	b.users[pr.id] = u
	owners := make([]owner, len(moved))
	for i := range moved {
		owners[i] = owner{moved[i], pr.id}
	}
	return owners, nil
}

// profileOf returns the one profile of a user: a new profile, the stored one, or the
// result of joining several stored profiles. moved are the identities of the profiles
// that were joined into another one. A profile that is joined with a conflict becomes
// part of the conflict. Otherwise the profile with the most identities stays, because
// then the fewest identities move. Two conflicts stay separate, because neither is the
// profile of a user.
func (b *builder) profileOf(ctx context.Context, u *user) (pr *profile, moved []identity, err error) {
	if len(u.profiles) == 0 {
		b.counters.LastProfile++
		b.counters.Profiles++
		return &profile{id: b.counters.LastProfile, states: make([]merge.State, len(b.plan.fields))}, nil, nil
	}
	if pr, err = b.load(ctx, u.profiles[0]); err != nil {
		return nil, nil, err
	}
	for _, id := range u.profiles[1:] {
		o, err := b.load(ctx, id)
		if err != nil {
			return nil, nil, err
		}
		if pr.conflict && o.conflict {
			continue
		}
		if o.conflict || !pr.conflict && len(o.identities) > len(pr.identities) {
			pr, o = o, pr
		}
		moved = append(moved, o.identities...)
		if !pr.conflict {
			pr.mergeFrom(o)
		}
		delete(b.users, o.id)
		b.counters.Profiles--
		b.tx.removeProfile(o.id)
	}
	return pr, moved, nil
}

func (b *builder) load(ctx context.Context, id int64) (*profile, error) {
	if pr, ok := b.cache.take(id); ok {
		return pr, nil
	}
	at, ok := b.loaded[id]
	if !ok {
		// The profile was in the cache, which was emptied since.
		err := b.read(ctx, []int64{id})
		if err != nil {
			return nil, err
		}
		at, ok = b.loaded[id]
	}
	if !ok {
		return nil, fmt.Errorf("profile %d is missing; %s to build all profiles again", id, b.p.profiles.rebuildHint())
	}
	pr, err := readProfile(b.blobs[at[0]:at[1]], b.plan.fields, nil)
	if err != nil {
		return nil, fmt.Errorf("profile %d: %w; %s to build all profiles again", id, err, b.p.profiles.rebuildHint())
	}
	pr.id = id
	return pr, nil
}

// turnIntoConflict turns a profile with too many identities into a conflict. The order
// of events does not matter: the same identities are joined in any order, so the same
// profiles become conflicts.
func (b *builder) turnIntoConflict(pr *profile) {
	last := pr.identities[len(pr.identities)-1]
	field := b.plan.fields[last.field]
	b.stats.ConflictExample = field.ID + "=" + last.value
	if field.IsPII {
		// The example gets into Terraform state and logs.
		b.stats.ConflictExample = field.ID
	}
	b.counters.Profiles--
	b.counters.Conflicts++
	*pr = profile{id: pr.id, conflict: true, states: make([]merge.State, len(b.plan.fields)), size: profileOverhead}
}
