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

// mergeUser merges a user's events of the batch into the user's profile, and adds the
// identities that have a new owner to unwritten.
func (b *builder) mergeUser(ctx context.Context, u *user) error {
	if len(u.profiles) == 0 && len(u.events) == 1 && len(u.identities) <= b.limits.identities {
		return b.putNewUser(ctx, u)
	}
	pr, moved, err := b.profileOf(ctx, u)
	if err != nil {
		return err
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
			states, text := e.of.statesOf(e.n)
			if err := b.reader.add(pr, states, text, b.plan.fields); err != nil {
				return fmt.Errorf("an event of profile %d: %w", pr.id, err)
			}
		}
		pr.computeSize()
	}
	if err := b.tx.putProfile(ctx, pr); err != nil {
		return err
	}
	b.cache.keep(pr, b.limits.cachedBytes)
	b.users[pr.id] = u
	b.merged(u, pr.id, moved)
	return nil
}

// putNewUser writes the profile of a new user with one event. Its stored form is put
// together from the stored forms of its parts.
func (b *builder) putNewUser(ctx context.Context, u *user) error {
	id := b.newProfile()
	t := b.tx
	from := len(t.blobs)
	e := b.events[u.events[0]]
	t.blobs = append(appendIdentities(t.blobs, u.identities), e.of.encodedStates(e.n)...)
	b.recent.keep(id, t.blobs[from:], b.limits.cachedBytes/recentShare)
	b.merged(u, id, u.identities)
	return t.putEncoded(ctx, id)
}

// merged makes u the user of one stored profile. moved are the identities that the
// profile did not have before.
func (b *builder) merged(u *user, id int64, moved []identity) {
	for _, i := range moved {
		b.unwritten.put(owner{i, id})
	}
	u.profiles, u.identities, u.events, u.active = append(u.profiles[:0], id), u.firstIdentity[:0], u.firstEvent[:0], false
}

func (b *builder) newProfile() (id int64) {
	b.counters.LastProfile++
	b.counters.Profiles++
	return b.counters.LastProfile
}

// profileOf returns the one profile of a user: a new profile, the stored one, or the
// result of joining several stored profiles. moved are the identities of the profiles
// that were joined into another one. A profile that is joined with a conflict becomes
// part of the conflict. Otherwise the profile with the most identities stays, because
// then the fewest identities move. Two conflicts stay separate, because neither is the
// profile of a user.
func (b *builder) profileOf(ctx context.Context, u *user) (pr *profile, moved []identity, err error) {
	if len(u.profiles) == 0 {
		return &profile{id: b.newProfile(), states: make([]merge.State, len(b.plan.fields))}, nil, nil
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
	blob, ok := b.recent.get(id)
	if !ok {
		blob, ok = b.loadedBlob(id)
	}
	if !ok {
		// The profile was in the cache, which was emptied since.
		if err := b.read(ctx, []int64{id}); err != nil {
			return nil, err
		}
		blob, ok = b.loadedBlob(id)
	}
	if !ok {
		return nil, fmt.Errorf("profile %d is missing; %s to build all profiles again", id, b.p.profiles.rebuildHint())
	}
	pr, err := readProfile(blob, b.plan.fields, nil)
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
