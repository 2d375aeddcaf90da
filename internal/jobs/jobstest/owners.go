package jobstest

import (
	"context"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// ObjectOwner says which resource an object of the platform belongs to.
type ObjectOwner struct {
	// Owner is empty while the object belongs to no resource.
	Owner jobs.Owner
	// Claimant becomes the owner when it asks again.
	Claimant jobs.Owner
	// Creator is the process that created the object.
	Creator string
	// Confirmed is set once a state file is known to hold the object.
	Confirmed bool
}

// objectKey is the key of Store.Owners.
func objectKey(kind jobs.ObjectKind, id string) string { return jobs.PlatformObject(kind, id) }

func mayChange(o ObjectOwner, owner jobs.Owner) bool {
	return o.Owner == "" || owner != "" && (o.Owner == owner || o.Claimant == owner)
}

// confirm makes an owner that a state file holds the object's owner.
func (s *Store) confirm(key string, owner jobs.Owner) {
	o := s.Owners[key]
	if o.Owner != owner {
		o.Owner, o.Claimant = owner, ""
	}
	o.Confirmed = true
	s.Owners[key] = o
}

// create stores v for an owner, unless the object exists. An object that a dead
// process created, and that no state file holds, becomes the owner's.
func create[T any](
	ctx context.Context, f *Fake, s *Store, m map[string]T, kind jobs.ObjectKind, id string, v T, owner jobs.Owner,
) (T, error) {
	o, key, creator := s.Owners[objectKey(kind, id)], objectKey(kind, id), jobs.Creator(ctx, f.instance)
	if _, exists := m[id]; exists {
		repeated := owner != "" && o.Owner == owner
		abandoned := o.Creator != "" && !o.Confirmed && o.Claimant == "" && o.Creator != creator && !f.env.alive[o.Creator]
		if !repeated && !abandoned {
			return v, objectExists(kind, id)
		}
	}
	m[id] = v
	s.Owners[key] = ObjectOwner{Owner: owner, Creator: creator}
	f.creates.Made(ctx, key)
	return v, nil
}

func objectExists(kind jobs.ObjectKind, id string) error {
	return jobs.ExistsError(kind, id, map[jobs.ObjectKind]string{
		jobs.KindField: "id", jobs.KindMapping: "expression", jobs.KindAudience: "slug",
	}[kind], "The "+string(kind)+" "+id+" exists already", "This resource did not create it.", "choose another name")
}

// put changes an existing object.
func put[T any](s *Store, m map[string]T, kind jobs.ObjectKind, id string, v T, owner jobs.Owner) (T, error) {
	if _, err := get(m, string(kind), id); err != nil {
		return v, err
	}
	key := objectKey(kind, id)
	if !mayChange(s.Owners[key], owner) {
		return v, jobs.NotOwnedError(kind, id, "changed")
	}
	m[id] = v
	if owner != "" {
		s.confirm(key, owner)
	}
	return v, nil
}

// refuseDelete refuses to delete an object that belongs to another resource, or that
// another resource claims.
func (s *Store) refuseDelete(kind jobs.ObjectKind, id string, owner jobs.Owner) error {
	o := s.Owners[objectKey(kind, id)]
	if !mayChange(o, owner) || o.Owner != "" && o.Claimant != "" && o.Claimant != owner {
		return jobs.NotOwnedError(kind, id, "deleted")
	}
	return nil
}

// CheckCreate implements jobs.Platform.
func (f *Fake) CheckCreate(ctx context.Context, o jobs.Object) error {
	return do(ctx, f, "CheckCreate", []any{o}, func() error {
		s, err := f.store()
		if err != nil {
			return nil //nolint:nilerr // no store means no objects
		}
		var kind jobs.ObjectKind
		var id string
		var exists bool
		switch {
		case o.Field != nil:
			kind, id = jobs.KindField, o.Field.ID
			_, exists = s.Fields[id]
		case o.Mapping != nil:
			kind, id = jobs.KindMapping, mappingID(*o.Mapping)
			_, exists = s.Mappings[id]
		case o.Audience != nil:
			kind, id = jobs.KindAudience, audienceID(*o.Audience)
			_, exists = s.Audiences[id]
		}
		if _, owned := s.Owners[objectKey(kind, id)]; !exists || owned {
			return nil
		}
		return objectExists(kind, id)
	})
}

// Claim implements jobs.Platform.
func (f *Fake) Claim(ctx context.Context, c jobs.Claim) (jobs.Ownership, error) {
	return read(ctx, f, "Claim", []any{c}, func(s *Store) (jobs.Ownership, error) {
		if c.Owner == "" || c.ID == "" {
			return "", jobs.Invalid("owner", "The claim is incomplete", "It names no owner and object.", "Name both.")
		}
		key := objectKey(c.Kind, c.ID)
		o := s.Owners[key]
		switch {
		case c.Reason == jobs.ClaimByOwner && mayChange(o, c.Owner):
			s.confirm(key, c.Owner)
			return jobs.OwnershipOwn, nil
		case c.Reason == jobs.ClaimByImport || c.Reason == jobs.ClaimByState && o.Owner == "":
			answer := jobs.OwnershipOwn
			if o.Owner != "" {
				answer = jobs.OwnershipTaken
			}
			o.Claimant = c.Owner
			s.Owners[key] = o
			return answer, nil
		}
		return jobs.OwnershipOther, nil
	})
}
