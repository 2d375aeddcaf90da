package embedded

import (
	"context"
	"slices"
)

// batch holds some consecutive events of a stream. At the end of a batch, the builder looks
// up the unknown identities of all its events together and assigns the events to users
// by their identities. Then it loads each user's profile once, and merges all of the
// user's events into it. So each profile is read once and written once in a batch, for
// any number and order of its events.
type batch struct {
	// tx is nil between a commit and the next batch.
	tx *buildTx
	// taken and bytes are the number and the total size of the events that were read
	// for the batch.
	taken, bytes int
	// events are those of them that identify a user.
	events []batchEvent
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
	reader stateReader
	// wanted are the identities to look up.
	wanted []identity
	// unwritten are the identities that have a new owner.
	unwritten unwrittenIdentities
	// spare are users to be handed out.
	spare []user
}

// batchEvent is an event of a batch, the event n of an evaluation.
type batchEvent struct {
	of *evaluation
	n  int
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
	// The memory of the first elements, because most users of a build have one.
	firstProfile  [1]int64
	firstIdentity [1]identity
	firstEvent    [1]int32
}

// spareUsers is the number of users that are allocated together.
const spareUsers = 256

func (b *batch) newUser() *user {
	if len(b.spare) == 0 {
		b.spare = make([]user, spareUsers)
	}
	u := &b.spare[0]
	b.spare = b.spare[1:]
	u.profiles, u.identities, u.events = u.firstProfile[:0], u.firstIdentity[:0], u.firstEvent[:0]
	return u
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

// addChunk adds the events of a chunk to the batch.
func (b *builder) addChunk(e *evaluation) {
	b.taken += e.taken
	b.bytes += e.bytes
	b.counters.Unfit += e.unfit
	b.counters.Unidentified += e.unidentified
	for n := range e.events {
		b.events = append(b.events, batchEvent{e, n})
	}
}

// assignEvents assigns the events of the batch to their users.
func (b *builder) assignEvents(ctx context.Context) error {
	if err := b.findProfiles(ctx); err != nil {
		return err
	}
	for n, e := range b.events {
		u := b.userOf(e.of.identitiesOf(e.n))
		b.markActive(u)
		u.events = append(u.events, int32(n))
	}
	return nil
}

// findProfiles looks up the stored profiles of the identities that are not known
// in memory.
func (b *builder) findProfiles(ctx context.Context) (err error) {
	clear(b.found)
	b.wanted = b.wanted[:0]
	for _, e := range b.events {
		for _, i := range e.of.identitiesOf(e.n) {
			if b.known != nil && !b.known.mayHave(i) {
				continue
			}
			if _, known := b.identities[i]; known {
				continue
			}
			if id, ok := b.unwritten.find(i); ok {
				b.found[i] = id
			} else {
				b.wanted = append(b.wanted, i)
			}
		}
	}
	slices.SortFunc(b.wanted, identity.compare)
	return b.tx.findOwners(ctx, slices.Compact(b.wanted), b.found)
}

// userOf returns the user of these identities, which are different ones. It joins all
// users that have one of them.
func (b *builder) userOf(touched []identity) *user {
	var u *user
	unknown := 0
	for _, i := range touched {
		if known := b.lookup(i); known != nil {
			u = b.join(u, known)
		} else {
			unknown++
		}
	}
	if u == nil {
		u = b.newUser()
	}
	if unknown == 0 {
		return u
	}
	for _, i := range touched {
		if unknown < len(touched) {
			if _, ok := b.identities[i]; ok {
				continue
			}
		}
		i = i.clone()
		b.identities[i] = u
		u.identities = append(u.identities, i)
		if b.known != nil {
			b.known.add(i)
		}
	}
	b.markActive(u)
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
		u = b.newUser()
		u.profiles = append(u.profiles, id)
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

// loadAtOnce is the number of users whose profiles are read together.
const loadAtOnce = 250

// loadAll reads the stored profiles of users, except those in the cache.
func (b *builder) loadAll(ctx context.Context, users []*user) error {
	b.blobs = b.blobs[:0]
	clear(b.loaded)
	var wanted []int64
	for _, u := range users {
		for _, id := range u.profiles {
			if _, ok := b.cache.profiles[id]; ok {
				continue
			}
			if _, ok := b.recent.get(id); !ok {
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

// loadedBlob returns the stored form of a profile that read has read.
func (b *builder) loadedBlob(id int64) ([]byte, bool) {
	at, ok := b.loaded[id]
	return b.blobs[at[0]:at[1]], ok
}

// mergeBatch merges the batch into the profiles and writes them.
func (b *builder) mergeBatch(ctx context.Context) (err error) {
	if b.tx == nil {
		if b.tx, err = b.out.begin(ctx); err != nil {
			return err
		}
	}
	if err := b.assignEvents(ctx); err != nil {
		return err
	}
	b.active = slices.DeleteFunc(b.active, func(u *user) bool { return u.parent != nil })
	slices.SortFunc(b.active, compareUsers)
	b.recent.beginBatch()
	for users := range slices.Chunk(b.active, loadAtOnce) {
		if err := b.loadAll(ctx, users); err != nil {
			return err
		}
		for _, u := range users {
			if err := b.mergeUser(ctx, u); err != nil {
				return err
			}
		}
	}
	b.unwritten.endRun()
	if err := b.tx.flush(ctx); err != nil {
		return err
	}
	b.taken, b.bytes = 0, 0
	clear(b.events)
	clear(b.wanted)
	b.events, b.active = b.events[:0], b.active[:0]
	if len(b.identities) > b.limits.cachedIdentities {
		b.forgetIdentities()
	}
	return nil
}

// commit commits the merged batches with the position in the stream.
func (b *builder) commit(ctx context.Context, stream string, at position) error {
	if err := b.tx.commit(ctx, &b.unwritten, &b.counters, stream, at); err != nil {
		return err
	}
	b.tx, b.committed = nil, b.p.now()
	return nil
}

// rollback ends a transaction that was not committed.
func (b *builder) rollback() {
	if b.tx != nil {
		b.tx.rollback()
	}
}

// mayWait reports whether the merged batches can be committed with later ones. In a file
// of its own, the transaction of a first build stays open until many identities are
// unwritten. Another build writes few identities, and the connection of a table is needed
// by others.
func (b *builder) mayWait() bool {
	return b.known != nil && !b.out.dialect.shared && b.unwritten.bytes() < b.limits.unwrittenBytes &&
		b.p.now().Sub(b.committed) < commitEvery
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
