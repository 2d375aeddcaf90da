package embedded

import (
	"context"
	"slices"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/merge"
)

// batch holds the events between two commits. At the end of a batch, the builder looks
// up the unknown identities of all its events together and assigns the events to users
// by their identities. Then it loads each user's profile once, and merges all of the
// user's events into it. So each profile is read once and written once in a batch, for
// any number and order of its events.
type batch struct {
	tx *buildTx
	// taken and bytes are the number and the total size of the batch's events.
	taken, bytes int
	events       []batchEvent
	// contributions are the contributions of all events, one event after the other.
	contributions []contribution
	// touched are the identities of all events, one event after the other.
	touched []identity
	// found maps identities of this batch to the ids of stored profiles.
	found map[identity]int64
	// identities maps the identities known in memory to their users.
	identities map[identity]*user
	// users maps the ids of stored profiles to users.
	users map[int64]*user
	// active are the users that this batch changes.
	active []*user
	// loaded maps the id of a profile to the beginning and the end of its encoded
	// form in blobs.
	loaded map[int64][2]int
	blobs  []byte
}

// batchEvent is an event of a batch: the indexes of its contributions and of its
// identities.
type batchEvent struct {
	at                     merge.Stamp
	from, to               int
	touchedFrom, touchedTo int
}

// user has a set of identities. Users that events have joined form a tree; its root
// has the profiles, identities and events of all of them.
type user struct {
	parent *user
	// profiles are the ids of the user's stored profiles.
	profiles []int64
	// identities are the user's identities that are not stored yet.
	identities []identity
	// events are indexes into the batch's events.
	events []int32
	active bool
}

func (u *user) root() *user {
	for u.parent != nil {
		if u.parent.parent != nil {
			u.parent = u.parent.parent
		}
		u = u.parent
	}
	return u
}

func (b *batch) forgetIdentities() {
	b.identities, b.users = map[identity]*user{}, map[int64]*user{}
}

func (b *batch) markActive(u *user) {
	if !u.active {
		u.active = true
		b.active = append(b.active, u)
	}
}

// addEvent evaluates an event and adds it to the batch.
func (b *builder) addEvent(s *streamMappings, e rawEvent) {
	b.taken++
	b.bytes += len(e.data) + len(e.id)
	from, touched := len(b.contributions), len(b.touched)
	var unfit int64
	b.contributions, unfit = s.evaluate(e.data, e.micros, b.plan.fields, b.contributions)
	b.counters.Unfit += unfit
	b.touched = b.plan.identitiesOf(b.contributions[from:], b.touched)
	identities := b.touched[touched:]
	if len(identities) == 0 {
		b.counters.Unidentified++
	}
	if len(identities) == 0 || b.erased.has(b.plan.fields, identities) {
		b.contributions, b.touched = b.contributions[:from], b.touched[:touched]
		return
	}
	b.events = append(b.events, batchEvent{at: merge.Stamp{Micros: e.micros, ID: e.id}, from: from, to: len(b.contributions),
		touchedFrom: touched, touchedTo: len(b.touched)})
}

// assignEvents assigns the events of the batch to their users.
func (b *builder) assignEvents(ctx context.Context) error {
	if err := b.findProfiles(ctx); err != nil {
		return err
	}
	for n := range b.events {
		e := &b.events[n]
		u := b.userOf(b.touched[e.touchedFrom:e.touchedTo])
		b.markActive(u)
		u.events = append(u.events, int32(n))
	}
	return nil
}

// findProfiles looks up the stored profiles of the identities that are not known
// in memory.
func (b *builder) findProfiles(ctx context.Context) (err error) {
	clear(b.found)
	wanted := make([]identity, 0, len(b.touched))
	for _, i := range b.touched {
		if _, known := b.identities[i]; !known {
			wanted = append(wanted, i)
		}
	}
	slices.SortFunc(wanted, identity.compare)
	return b.tx.findOwners(ctx, slices.Compact(wanted), b.found)
}

// userOf returns the user of these identities. It joins all users that have one of
// them.
func (b *builder) userOf(touched []identity) *user {
	var u *user
	for _, i := range touched {
		if known := b.lookup(i); known != nil {
			u = b.join(u, known)
		}
	}
	if u == nil {
		u = &user{}
	}
	for _, i := range touched {
		if _, ok := b.identities[i]; !ok {
			i = i.clone()
			b.identities[i] = u
			u.identities = append(u.identities, i)
			b.markActive(u)
		}
	}
	return u
}

// lookup returns the user that has an identity; nil if there is none.
func (b *builder) lookup(i identity) *user {
	if u, ok := b.identities[i]; ok {
		return u.root()
	}
	id, ok := b.found[i]
	if !ok {
		return nil
	}
	u, ok := b.users[id]
	if !ok {
		u = &user{profiles: []int64{id}}
		b.users[id] = u
	}
	b.identities[i.clone()] = u
	return u.root()
}

// join joins two users into one. u may be nil.
func (b *batch) join(u, o *user) *user {
	if u == nil || u == o {
		return o
	}
	if len(o.events)+len(o.identities) > len(u.events)+len(u.identities) {
		u, o = o, u
	}
	o.parent = u
	u.profiles = append(u.profiles, o.profiles...)
	u.identities = append(u.identities, o.identities...)
	u.events = append(u.events, o.events...)
	o.profiles, o.identities, o.events = nil, nil, nil
	b.markActive(u)
	return u
}

// cache keeps profiles in memory from batch to batch.
type cache struct {
	profiles map[int64]*profile
	bytes    int
}

func (c *cache) clear() { c.profiles, c.bytes = map[int64]*profile{}, 0 }

func (c *cache) take(id int64) (*profile, bool) {
	pr, ok := c.profiles[id]
	if ok {
		delete(c.profiles, id)
		c.bytes -= pr.size
	}
	return pr, ok
}

// keep adds a profile. If the cache would exceed the limit, in bytes, it first removes
// all others.
func (c *cache) keep(pr *profile, limit int) {
	if c.bytes+pr.size > limit {
		c.clear()
	}
	if pr.size <= limit {
		c.profiles[pr.id] = pr
		c.bytes += pr.size
	}
}

// loadAtOnce is the number of users whose profiles are read together.
const loadAtOnce = 250

// loadAll reads the stored profiles of users, except those in the cache.
func (b *builder) loadAll(ctx context.Context, users []*user) error {
	b.blobs = b.blobs[:0]
	clear(b.loaded)
	var wanted []int64
	for _, u := range users {
		for _, id := range u.profiles {
			if _, ok := b.cache.profiles[id]; !ok {
				wanted = append(wanted, id)
			}
		}
	}
	slices.Sort(wanted)
	return b.read(ctx, wanted)
}

func (b *builder) read(ctx context.Context, wanted []int64) error {
	return b.tx.loadProfiles(ctx, wanted, func(id int64, blob []byte) {
		from := len(b.blobs)
		b.blobs = append(b.blobs, blob...)
		b.loaded[id] = [2]int{from, len(b.blobs)}
	})
}

// commit merges the batch into the profiles and writes them with the position
// in the stream.
func (b *builder) commit(ctx context.Context, stream string, at position) (err error) {
	if b.tx, err = b.out.begin(ctx); err != nil {
		return err
	}
	defer b.tx.rollback()
	if err := b.assignEvents(ctx); err != nil {
		return err
	}
	var owners []owner
	b.active = slices.DeleteFunc(b.active, func(u *user) bool { return u.parent != nil })
	slices.SortFunc(b.active, compareUsers)
	for users := range slices.Chunk(b.active, loadAtOnce) {
		if err := b.loadAll(ctx, users); err != nil {
			return err
		}
		for _, u := range users {
			owned, err := b.mergeUser(ctx, u)
			if err != nil {
				return err
			}
			owners = append(owners, owned...)
		}
	}
	slices.SortFunc(owners, func(x, y owner) int { return x.compare(y.identity) })
	if err := b.tx.commit(ctx, owners, &b.counters, stream, at); err != nil {
		return err
	}
	b.taken, b.bytes = 0, 0
	clear(b.events)
	clear(b.contributions)
	clear(b.touched)
	b.events, b.contributions, b.touched, b.active = b.events[:0], b.contributions[:0], b.touched[:0], b.active[:0]
	if len(b.identities) > b.limits.cachedIdentities {
		b.forgetIdentities()
	}
	return nil
}

// compareUsers orders users by their profiles. Users without a profile come last,
// in the order of their first events.
func compareUsers(x, y *user) int {
	key := func(u *user) (int, int64) {
		switch {
		case len(u.profiles) > 0:
			return 0, u.profiles[0]
		case len(u.events) > 0:
			return 1, int64(u.events[0])
		default:
			return 2, 0
		}
	}
	xk, xn := key(x)
	yk, yn := key(y)
	if xk != yk {
		return xk - yk
	}
	return int(min(max(xn-yn, -1), 1))
}
