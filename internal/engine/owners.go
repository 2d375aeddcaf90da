package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// ownedKind describes one kind of object of the platform that belongs to the
// resource that created it.
type ownedKind[T any] struct {
	kind jobs.ObjectKind
	// normalize fills in what a definition leaves to the platform.
	normalize func(T) T
	// place tells an object from others of its kind before it has an id.
	place func(T) string
	// find gives the object that has the place of a definition.
	find   func(context.Context, Platform, T) (have T, ok bool, err error)
	id     func(T) string
	withID func(T, string) T
	// same reports whether an object is what a definition made.
	same func(have, definition T) bool
	// exists refuses a definition whose place is taken.
	exists      func(want, have T) error
	create, put platformMethod[T, T]
}

// createOwned creates an object for an owner. The intent is in the store before the
// platform is called; what a dead process left of an intent, or created and did not
// save in a state file, becomes the owner's.
func createOwned[T any](ctx context.Context, e *Engine, k ownedKind[T], want T, owner jobs.Owner) (T, error) {
	var none T
	p, err := e.openPlatform(ctx, createStore)
	if err != nil {
		return none, err
	}
	want = k.normalize(want)
	place := k.place(want)
	// A client repeats a request whose answer was lost while the first may be under way.
	unlock, err := e.creating.lock(ctx, string(k.kind)+" "+place)
	if err != nil {
		return none, err
	}
	defer unlock()
	definition, err := json.Marshal(want)
	if err != nil {
		return none, err
	}
	intent := store.IntentRow{
		Kind: k.kind, Place: place, Owner: owner, Creator: jobs.Creator(ctx, e.instance), Definition: string(definition),
	}
	have, found, err := intend(ctx, e, k, p, want, intent)
	if err != nil {
		return none, err
	}
	var made T
	if found {
		made, err = k.put(p, ctx, k.withID(want, k.id(have)))
	} else {
		made, err = k.create(p, ctx, want)
	}
	// What was done is noted even if the caller was interrupted meanwhile.
	ctx, cancel := outlive(ctx, store.Lease)
	defer cancel()
	if err != nil {
		if !mayHaveHappened(err) {
			// The error to report is that of the platform; an intent that stays is taken
			// over when this process has ended.
			_ = e.db.FinishIntent(ctx, intent, nil)
		}
		return none, err
	}
	e.creates.Made(ctx, jobs.PlatformObject(k.kind, k.id(made)))
	return made, e.db.FinishIntent(ctx, intent, &store.OwnerRow{Kind: k.kind, ID: k.id(made), Owner: owner, Creator: intent.Creator})
}

// intend writes an intent down, and gives the object that an interrupted create left
// at its place. It refuses a place that is taken by anything else.
func intend[T any](ctx context.Context, e *Engine, k ownedKind[T], p Platform, want T, intent store.IntentRow) (
	have T, found bool, err error,
) {
	wait := newWaitForDeath()
	for {
		if have, found, err = k.find(ctx, p, want); err != nil {
			return have, false, err
		}
		prior, interrupted, err := e.db.Intent(ctx, k.kind, intent.Place)
		if err != nil {
			return have, false, err
		}
		var row store.OwnerRow
		if found {
			if row, _, err = e.db.Owner(ctx, k.kind, k.id(have)); err != nil {
				return have, false, err
			}
		}
		creator := ""
		switch {
		case found && repeated(row.Owner, intent), interrupted && repeated(prior.Owner, intent):
		case found && (row.Confirmed || row.Claimant != ""):
			return have, false, k.exists(want, have)
		case found && row.Creator == "" && !(interrupted && k.isLeftOf(prior, have)):
			return have, false, k.exists(want, have)
		case interrupted:
			creator = prior.Creator
		case found:
			creator = row.Creator
		}
		if creator != "" {
			switch life, err := wait.look(ctx, e.db, creator, intent.Creator); {
			case err != nil:
				return have, false, err
			case life == unsure:
				continue
			case life == alive && found:
				return have, false, k.exists(want, have)
			case life == alive:
				return have, false, beingCreated(k.kind, intent.Place)
			}
		}
		seen := &prior
		if !interrupted {
			seen = nil
		}
		if written, err := e.db.Intend(ctx, intent, seen); written || err != nil {
			return have, found, err
		}
	}
}

// isLeftOf reports whether an object is what an interrupted create would have made.
// Anything else at its place is of somebody who came later.
func (k ownedKind[T]) isLeftOf(prior store.IntentRow, have T) bool {
	var definition T
	return json.Unmarshal([]byte(prior.Definition), &definition) == nil && k.same(have, definition)
}

// repeated reports whether a create of this owner is repeated because its answer was
// lost.
func repeated(owner jobs.Owner, intent store.IntentRow) bool {
	return owner != "" && owner == intent.Owner
}

func beingCreated(kind jobs.ObjectKind, place string) error {
	return &jobs.Error{
		Code: jobs.CodeConflict, Attribute: map[jobs.ObjectKind]string{
			jobs.KindField: "id", jobs.KindMapping: "expression", jobs.KindAudience: "slug"}[kind],
		Summary: fmt.Sprintf("Another resource creates the %s %s at this moment", kind, place),
		Detail:  "There can be one resource for it: in this configuration, or in another workspace on the store.",
		Next:    "Remove one of the two resources. If the other apply was killed, apply again",
	}
}

// mayHaveHappened reports whether the platform may have the object all the same.
func mayHaveHappened(err error) bool {
	for _, refused := range []jobs.Code{
		jobs.CodeInvalid, jobs.CodeConflict, jobs.CodeInUse, jobs.CodeNotFound, jobs.CodeUnauthorized, jobs.CodeForbidden,
	} {
		if jobs.IsCode(err, refused) {
			return false
		}
	}
	return true
}

// putOwned changes an object that belongs to the owner, or to no resource.
func putOwned[T any](ctx context.Context, e *Engine, k ownedKind[T], want T, owner jobs.Owner) (T, error) {
	var none T
	p, err := e.openPlatform(ctx, writeStore)
	if err != nil {
		return none, err
	}
	row, _, err := e.db.Owner(ctx, k.kind, k.id(want))
	if err != nil {
		return none, err
	}
	if !mayChange(row, owner) {
		return none, jobs.NotOwnedError(k.kind, k.id(want), "changed")
	}
	made, err := k.put(p, ctx, want)
	if err == nil && owner != "" && (row.Owner != owner || !row.Confirmed) {
		err = e.db.ChangeOwner(ctx, k.kind, k.id(want), func(r *store.OwnerRow, _ bool) bool { return confirmOwner(r, owner) })
	}
	return made, err
}

// deleteOwned deletes an object that belongs to the owner, or to no resource. It
// leaves an object that another resource claims.
func deleteOwned(ctx context.Context, e *Engine, kind jobs.ObjectKind, id string, owner jobs.Owner,
	remove func(Platform, context.Context, string) error) error {
	p, err := e.openPlatform(ctx, writeStore)
	if err != nil {
		return err
	}
	row, _, err := e.db.Owner(ctx, kind, id)
	if err != nil {
		return err
	}
	if !mayChange(row, owner) || row.Owner != "" && row.Claimant != "" && row.Claimant != owner {
		return jobs.NotOwnedError(kind, id, "deleted")
	}
	if err := remove(p, ctx, id); err != nil {
		return err
	}
	return e.db.ForgetOwner(ctx, kind, id)
}

// mayChange reports whether an owner may change an object.
func mayChange(r store.OwnerRow, owner jobs.Owner) bool {
	return r.Owner == "" || owner != "" && (r.Owner == owner || r.Claimant == owner)
}

// confirmOwner makes an owner that a state file holds the object's owner, if it may
// be. It reports whether that changes anything.
func confirmOwner(r *store.OwnerRow, owner jobs.Owner) bool {
	if !mayChange(*r, owner) || r.Owner == owner && r.Confirmed {
		return false
	}
	if r.Owner != owner {
		r.Owner, r.Claimant = owner, ""
	}
	r.Confirmed = true
	return true
}

// checkCreate refuses a place that is taken by an object of which the store knows
// nothing.
func checkCreate[T any](ctx context.Context, e *Engine, k ownedKind[T], want T) error {
	p, err := e.openPlatform(ctx, readStore)
	if noStore(err) {
		return nil
	}
	if err != nil {
		return err
	}
	want = k.normalize(want)
	have, found, err := k.find(ctx, p, want)
	if err != nil || !found {
		return err
	}
	_, owned, err := e.db.Owner(ctx, k.kind, k.id(have))
	if err != nil || owned {
		return err
	}
	_, interrupted, err := e.db.Intent(ctx, k.kind, k.place(want))
	if err != nil || interrupted {
		return err
	}
	return k.exists(want, have)
}

// CheckCreate implements jobs.Platform.
func (e *Engine) CheckCreate(ctx context.Context, o jobs.Object) error {
	switch {
	case o.Field != nil:
		return checkCreate(ctx, e, ownedFields, *o.Field)
	case o.Mapping != nil:
		return checkCreate(ctx, e, ownedMappings, *o.Mapping)
	case o.Audience != nil:
		return checkCreate(ctx, e, ownedAudiences, *o.Audience)
	}
	return nil
}

// Claim implements jobs.Platform.
func (e *Engine) Claim(ctx context.Context, c jobs.Claim) (jobs.Ownership, error) {
	kinds := []jobs.ObjectKind{jobs.KindField, jobs.KindMapping, jobs.KindAudience}
	reasons := []jobs.ClaimReason{jobs.ClaimByOwner, jobs.ClaimByState, jobs.ClaimByImport}
	if c.Owner == "" || c.ID == "" || !slices.Contains(kinds, c.Kind) || !slices.Contains(reasons, c.Reason) {
		return "", jobs.Invalid("owner", fmt.Sprintf("The claim of %s %s is incomplete", c.Kind, c.ID),
			"It names no owner and object, or a kind or reason that this release does not know.", "Use the provider and the runner of one release")
	}
	db, err := e.open(ctx, readStore)
	if err != nil {
		return "", err
	}
	row, _, err := db.Owner(ctx, c.Kind, c.ID)
	if err != nil || c.Reason == jobs.ClaimByOwner && row.Owner == c.Owner && row.Confirmed {
		return jobs.OwnershipOwn, err
	}
	answer := jobs.OwnershipOwn
	err = db.ChangeOwner(ctx, c.Kind, c.ID, func(r *store.OwnerRow, _ bool) bool {
		answer = jobs.OwnershipOwn
		switch {
		case c.Reason == jobs.ClaimByOwner && mayChange(*r, c.Owner):
			return confirmOwner(r, c.Owner)
		case c.Reason == jobs.ClaimByImport || c.Reason == jobs.ClaimByState && r.Owner == "":
			if r.Owner != "" {
				answer = jobs.OwnershipTaken
			}
			r.Claimant = c.Owner
			return true
		}
		answer = jobs.OwnershipOther
		return false
	})
	return answer, err
}

// waitForDeath tells dead processes from those that live. A killed process looks
// alive until its lease ends.
type waitForDeath struct{ begun time.Time }

func newWaitForDeath() waitForDeath { return waitForDeath{time.Now()} }

// life is what is known of a process.
type life int

const (
	alive life = iota
	dead
	// unsure means that the process may have been killed within its lease.
	unsure
)

// look reports what is known of a process other than the caller's. It waits for a
// moment before it answers unsure: the caller looks again.
func (w waitForDeath) look(ctx context.Context, db *store.DB, process, caller string) (life, error) {
	if process == caller {
		return alive, nil
	}
	lives, err := db.Alive(ctx, process)
	switch {
	case err != nil:
		return alive, err
	case !lives:
		return dead, nil
	case time.Since(w.begun) > store.Lease+store.Heartbeat:
		return alive, nil
	}
	select {
	case <-ctx.Done():
		return alive, ctx.Err()
	case <-time.After(pollOther):
		return unsure, nil
	}
}

// namedLocks are locks by name.
type namedLocks struct {
	mu   sync.Mutex
	held map[string]chan struct{}
}

// lock waits for the lock of a name.
func (l *namedLocks) lock(ctx context.Context, name string) (unlock func(), err error) {
	for {
		l.mu.Lock()
		released, taken := l.held[name]
		if !taken {
			if l.held == nil {
				l.held = map[string]chan struct{}{}
			}
			released = make(chan struct{})
			l.held[name] = released
			l.mu.Unlock()
			return func() {
				l.mu.Lock()
				defer l.mu.Unlock()
				delete(l.held, name)
				close(released)
			}, nil
		}
		l.mu.Unlock()
		select {
		case <-released:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
