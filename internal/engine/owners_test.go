package engine_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// interrupting is the embedded platform, except that a create is interrupted: before
// the platform has the object, or after.
type interrupting struct {
	engine.Platform
	after bool
}

var errInterrupted = errors.New("the process is killed")

func (p interrupting) CreateField(ctx context.Context, f jobs.Field) (jobs.Field, error) {
	if p.after {
		if _, err := p.Platform.CreateField(ctx, f); err != nil {
			return f, err
		}
	}
	return f, errInterrupted
}

// interrupt changes the engine's options so that creates of fields are interrupted.
func interrupt(after bool) func(*engine.Options) {
	return func(o *engine.Options) {
		embedded := engine.Embedded(nil, nil)
		o.Platform = engine.Backend{Open: func(db *store.DB) (engine.Platform, error) {
			p, err := embedded.Open(db)
			return interrupting{p, after}, err
		}}
	}
}

var email = jobs.Field{ID: "email", Type: "string", MergeOperation: "latest"}

// checklist 44 67: the next create finds what an interrupted one made, and continues.
func TestAnInterruptedCreateContinues(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]bool{"before the platform has it": false, "after the platform has it": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			first := process(t, dir, succeed, interrupt(after))
			if _, err := first.CreateField(t.Context(), email, "first"); !errors.Is(err, errInterrupted) {
				t.Fatalf("got %v, want the interruption", err)
			}
			// The plan refuses nothing of its own.
			if err := first.CheckCreate(t.Context(), jobs.Object{Field: &email}); err != nil {
				t.Errorf("check: %v", err)
			}
			if err := first.Close(); err != nil {
				t.Fatal(err)
			}
			next := process(t, dir, succeed)
			changed := email
			changed.Description = "changed meanwhile"
			if got, err := next.CreateField(t.Context(), changed, "next"); err != nil || got != changed {
				t.Fatalf("the next create: got %+v, %v; want %+v", got, err, changed)
			}
			if got, err := next.Field(t.Context(), "email"); err != nil || got != changed {
				t.Errorf("the field: got %+v, %v; want %+v", got, err, changed)
			}
			if err := next.DeleteField(t.Context(), "email", "first"); !jobs.IsCode(err, jobs.CodeNotOwned) {
				t.Errorf("a deletion by the first: got %v, want %s", err, jobs.CodeNotOwned)
			}
			if err := next.DeleteField(t.Context(), "email", "next"); err != nil {
				t.Errorf("a deletion by the owner: %v", err)
			}
		})
	}
}

// checklist 67: what somebody made at the place of an interrupted create is not taken
// for its own.
func TestAnInterruptedCreateDoesNotTakeAnotherObject(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := process(t, dir, succeed, interrupt(false))
	if _, err := first.CreateField(t.Context(), email, "first"); !errors.Is(err, errInterrupted) {
		t.Fatalf("got %v, want the interruption", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	foreignField(t, dir, jobs.Field{ID: "email", Type: "string", MergeOperation: "oldest"})
	next := process(t, dir, succeed)
	_, err := next.CreateField(t.Context(), email, "next")
	if !jobs.IsCode(err, jobs.CodeConflict) || !strings.Contains(err.Error(), "to = lytics_field.NAME") {
		t.Errorf("got %v, want a conflict with the import block", err)
	}
}

// foreignField makes a field as somebody does without this program.
func foreignField(t *testing.T, dir string, f jobs.Field) {
	t.Helper()
	db, err := store.Open(t.Context(), store.Location{Dir: filepath.Join(dir, "data")}, true)
	if err != nil {
		t.Fatal(err)
	}
	exec(t, db, `INSERT INTO fields (id, description, type, is_identifier, is_pii, merge_operation, capacity, keep_days)
		VALUES (?, '', ?, 0, 0, ?, 0, 0)`, f.ID, f.Type, f.MergeOperation)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// checklist 67: a field that nobody of this store made is refused at plan and at
// create, also with the same definition; an import claims it.
func TestAForeignFieldIsImportedOnly(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	foreignField(t, dir, email)
	e := process(t, dir, succeed)
	for what, err := range map[string]error{
		"check":  e.CheckCreate(t.Context(), jobs.Object{Field: &email}),
		"create": errorOnly(e.CreateField(t.Context(), email, "own")),
	} {
		if !jobs.IsCode(err, jobs.CodeConflict) || !strings.Contains(err.Error(), "id = \"email\"") {
			t.Errorf("%s: got %v, want a conflict with the import block", what, err)
		}
	}
	got, err := e.Claim(t.Context(), jobs.Claim{Kind: jobs.KindField, ID: "email", Owner: "own", Reason: jobs.ClaimByImport})
	if err != nil || got != jobs.OwnershipOwn {
		t.Fatalf("import: got %q, %v; want own", got, err)
	}
	if _, err := e.PutField(t.Context(), email, "own"); err != nil {
		t.Errorf("a change after the import: %v", err)
	}
}

func errorOnly[T any](_ T, err error) error { return err }

// Two resources for one field in one configuration: one is created.
func TestTwoCreatesOfOneFieldAtOnce(t *testing.T) {
	t.Parallel()
	e := process(t, t.TempDir(), succeed)
	var wg sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		wg.Go(func() {
			errs[i] = errorOnly(e.CreateField(t.Context(), email, jobs.Owner("owner"+string(rune('a'+i)))))
		})
	}
	wg.Wait()
	created := 0
	for _, err := range errs {
		if err == nil {
			created++
		} else if !jobs.IsCode(err, jobs.CodeConflict) {
			t.Errorf("got %v, want a conflict", err)
		}
	}
	if created != 1 {
		t.Errorf("%d resources created the field, want 1", created)
	}
}
