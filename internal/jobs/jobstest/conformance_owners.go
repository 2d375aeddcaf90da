package jobstest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

var ownedField = jobs.Field{ID: "email", Type: "string", MergeOperation: "latest"}

// claimed fails the test unless a claim of a field gets an answer.
func claimed(t *testing.T, what string, a jobs.API, owner jobs.Owner, reason jobs.ClaimReason, want jobs.Ownership) {
	t.Helper()
	got, err := a.Claim(t.Context(), jobs.Claim{Kind: jobs.KindField, ID: ownedField.ID, Owner: owner, Reason: reason})
	if err != nil || got != want {
		t.Errorf("%s: got ownership %q, %v; want %q", what, got, err, want)
	}
}

// createOwned creates the field and notes that the owner's state holds it.
func createOwned(t *testing.T, a jobs.API, owner jobs.Owner) {
	t.Helper()
	if _, err := a.CreateField(t.Context(), ownedField, owner); err != nil {
		t.Fatal(err)
	}
	claimed(t, "the state of the creator", a, owner, jobs.ClaimByOwner, jobs.OwnershipOwn)
}

// checklist 67: another resource can neither create, nor change, nor delete the object
// of a resource, also with the same definition.
func owners(t *testing.T, open Opener) {
	t.Helper()
	ctx := t.Context()
	a := open()
	if err := a.CheckCreate(ctx, jobs.Object{Field: &ownedField}); err != nil {
		t.Errorf("check before there is a store: %v", err)
	}
	createOwned(t, a, "first")
	second := open()
	err := errorOf(second.CreateField(ctx, ownedField, "second"))
	refused(t, "a second resource for one field", err, jobs.CodeConflict, "id")
	if !strings.Contains(err.Error(), "to = lytics_field.NAME") || !strings.Contains(err.Error(), `id = "email"`) {
		t.Errorf("the error shows no import block: %v", err)
	}
	changed := ownedField
	changed.Description = "changed"
	refused(t, "a change by another resource", errorOf(second.PutField(ctx, changed, "second")), jobs.CodeNotOwned, "id")
	refused(t, "a deletion by another resource", second.DeleteField(ctx, "email", "second"), jobs.CodeNotOwned, "id")
	claimed(t, "the state of another resource", second, "second", jobs.ClaimByOwner, jobs.OwnershipOther)
	claimed(t, "a state without an owner", second, "third", jobs.ClaimByState, jobs.OwnershipOther)
	if err := second.CheckCreate(ctx, jobs.Object{Field: &ownedField}); err != nil {
		t.Errorf("check of an object that has an owner: got %v, want that the create decides", err)
	}
	got, err := a.Field(ctx, "email")
	if d := cmp.Diff(ownedField, must(t, "read", got, err)); d != "" {
		t.Errorf("the field after all that (-want +got):\n%s", d)
	}
	if _, err := a.PutField(ctx, changed, "first"); err != nil {
		t.Errorf("a change by the owner: %v", err)
	}
	if err := a.DeleteField(ctx, "email", "first"); err != nil {
		t.Errorf("a deletion by the owner: %v", err)
	}
	createOwned(t, second, "second")
	if got, err := a.Claim(ctx, jobs.Claim{Kind: jobs.KindField, ID: "email", Reason: jobs.ClaimByOwner}); err == nil {
		t.Errorf("a claim without an owner: got %q, want an error", got)
	}
}

// checklist 67: an import takes an object from its owner, once a state file holds the
// new owner. A plan that is never applied changes no owner. The first owner's destroy
// leaves an object that is claimed.
func imports(t *testing.T, open Opener) {
	t.Helper()
	ctx := t.Context()
	a := open()
	createOwned(t, a, "first")
	b := open()
	claimed(t, "an import in a plan", b, "planned", jobs.ClaimByImport, jobs.OwnershipTaken)
	claimed(t, "the first owner after the plan", a, "first", jobs.ClaimByOwner, jobs.OwnershipOwn)
	claimed(t, "an import", b, "second", jobs.ClaimByImport, jobs.OwnershipTaken)
	refused(t, "a deletion of a claimed object", a.DeleteField(ctx, "email", "first"), jobs.CodeNotOwned, "id")
	claimed(t, "the state after the import", b, "second", jobs.ClaimByOwner, jobs.OwnershipOwn)
	claimed(t, "the first owner after the import", a, "first", jobs.ClaimByOwner, jobs.OwnershipOther)
	refused(t, "a change by the first owner", errorOf(a.PutField(ctx, ownedField, "first")), jobs.CodeNotOwned, "id")
	refused(t, "a deletion by the first owner", a.DeleteField(ctx, "email", "first"), jobs.CodeNotOwned, "id")
	if _, err := b.PutField(ctx, ownedField, "second"); err != nil {
		t.Errorf("a change by the new owner: %v", err)
	}
	claimed(t, "an import that is applied with a change", a, "third", jobs.ClaimByImport, jobs.OwnershipTaken)
	if _, err := a.PutField(ctx, ownedField, "third"); err != nil {
		t.Errorf("a change in the apply of the import: %v", err)
	}
	if err := a.DeleteField(ctx, "email", "third"); err != nil {
		t.Errorf("a deletion by the new owner: %v", err)
	}
}

// A provider of an earlier release names no owner, and its state files hold none. The
// first state to be read by this release owns the object.
func withoutOwner(t *testing.T, open Opener) {
	t.Helper()
	ctx := t.Context()
	a := open()
	if _, err := a.CreateField(ctx, ownedField, ""); err != nil {
		t.Fatal(err)
	}
	refused(t, "the same definition again", errorOf(a.CreateField(ctx, ownedField, "")), jobs.CodeConflict, "id")
	if _, err := a.PutField(ctx, ownedField, ""); err != nil {
		t.Errorf("a change without an owner: %v", err)
	}
	claimed(t, "a plan", a, "planned", jobs.ClaimByState, jobs.OwnershipOwn)
	claimed(t, "an apply", a, "first", jobs.ClaimByState, jobs.OwnershipOwn)
	claimed(t, "the state after the apply", a, "first", jobs.ClaimByOwner, jobs.OwnershipOwn)
	claimed(t, "another state", a, "second", jobs.ClaimByState, jobs.OwnershipOther)
	refused(t, "a change without the owner", errorOf(a.PutField(ctx, ownedField, "")), jobs.CodeNotOwned, "id")
	refused(t, "a deletion without the owner", a.DeleteField(ctx, "email", ""), jobs.CodeNotOwned, "id")
	if err := a.DeleteField(ctx, "email", "first"); err != nil {
		t.Errorf("a deletion by the owner: %v", err)
	}
}

// checklist 44: the next create gets what a process created that was killed before a
// state file held it.
func interruptedCreate(t *testing.T, open Opener) {
	t.Helper()
	ctx := t.Context()
	first := open()
	if _, err := first.CreateField(ctx, ownedField, "first"); err != nil {
		t.Fatal(err)
	}
	m, err := first.CreateMapping(ctx, jobs.Mapping{Stream: "s", Field: "email", Expression: "email"}, "first")
	m = must(t, "create mapping", m, err)
	v, err := first.CreateAudience(ctx, jobs.Audience{Name: "All", Slug: "all", Filter: "FILTER *"}, "first")
	v = must(t, "create audience", v, err)
	second := open()
	refused(t, "while the first lives", errorOf(second.CreateField(ctx, ownedField, "second")), jobs.CodeConflict, "id")
	dies, ok := first.(interface{ Die() })
	if !ok {
		return
	}
	dies.Die()
	changed := ownedField
	changed.Description = "changed"
	if got, err := second.CreateField(ctx, changed, "second"); err != nil || got != changed {
		t.Errorf("field: got %+v, %v; want %+v", got, err, changed)
	}
	if got, err := second.CreateMapping(ctx, m, "second"); err != nil || got != m {
		t.Errorf("mapping: got %+v, %v; want %+v", got, err, m)
	}
	if got, err := second.CreateAudience(ctx, v, "second"); err != nil || got != v {
		t.Errorf("audience: got %+v, %v; want %+v", got, err, v)
	}
	claimed(t, "the second owner", second, "second", jobs.ClaimByOwner, jobs.OwnershipOwn)
	claimed(t, "the first owner", second, "first", jobs.ClaimByOwner, jobs.OwnershipOther)
}
