//nolint:thelper // what is given to onEachDatabase are the bodies of tests
package store_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// Of processes that write an intent down at once, one succeeds; the others see that
// the place changed. checklist 67
func TestOneOfManyIntentsIsWritten(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		written := make([]bool, 8)
		var wg sync.WaitGroup
		for i := range written {
			wg.Go(func() {
				want := store.IntentRow{Kind: jobs.KindField, Place: "email", Owner: jobs.Owner(fmt.Sprint(i)), Creator: "in_1", Definition: "{}"}
				var err error
				if written[i], err = db.Intend(ctx, want, nil); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		winner := slices.Index(written, true)
		if winner < 0 || slices.Contains(written[winner+1:], true) {
			t.Fatalf("got %v, want one that is written", written)
		}
		intent, ok, err := db.Intent(ctx, jobs.KindField, "email")
		want := store.IntentRow{Kind: jobs.KindField, Place: "email", Owner: jobs.Owner(fmt.Sprint(winner)), Creator: "in_1", Definition: "{}"}
		if d := cmp.Diff(want, intent); !ok || err != nil || d != "" {
			t.Fatalf("read: %t, %v (-want +got):\n%s", ok, err, d)
		}
		next := want
		next.Owner, next.Creator = "next", "in_2"
		if ok, err := db.Intend(ctx, next, &next); ok || err != nil {
			t.Errorf("over an intent that was not seen: got %t, %v; want false", ok, err)
		}
		if ok, err := db.Intend(ctx, next, &want); !ok || err != nil {
			t.Errorf("over the intent that was seen: got %t, %v; want true", ok, err)
		}
		// The first process does not end what the second one took over.
		made := &store.OwnerRow{Kind: jobs.KindField, ID: "email", Owner: "next", Creator: "in_2"}
		if err := db.FinishIntent(ctx, want, nil); err != nil {
			t.Error(err)
		}
		if _, ok, err := db.Intent(ctx, jobs.KindField, "email"); !ok || err != nil {
			t.Errorf("the intent after another ended: got %t, %v; want true", ok, err)
		}
		if err := db.FinishIntent(ctx, next, made); err != nil {
			t.Error(err)
		}
		if _, ok, err := db.Intent(ctx, jobs.KindField, "email"); ok || err != nil {
			t.Errorf("the intent after it ended: got %t, %v; want false", ok, err)
		}
		// A process that ends in good order leaves nothing to adopt.
		if err := db.Retire(ctx, "in_2", nil); err != nil {
			t.Fatal(err)
		}
		made.Confirmed = true
		row, _, err := db.Owner(ctx, jobs.KindField, "email")
		if d := cmp.Diff(*made, row); err != nil || d != "" {
			t.Errorf("the owner after its process retired: %v (-want +got):\n%s", err, d)
		}
	})
}

// Ids that are added at the same time are all there.
func TestExportOwnersAddedAtOnceAreAllKept(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, db *store.DB) {
		var want []string
		var wg sync.WaitGroup
		for i := range 10 {
			id := fmt.Sprintf("job_%d", i)
			want = append(want, id)
			for range 2 {
				wg.Go(func() {
					if err := db.AddExportOwner(t.Context(), "export key", id); err != nil {
						t.Error(err)
					}
				})
			}
		}
		wg.Wait()
		got, err := db.ExportOwners(t.Context(), "export key")
		slices.Sort(got)
		if d := cmp.Diff(want, got); err != nil || d != "" {
			t.Errorf("owners: %v (-want +got):\n%s", err, d)
		}
	})
}

// Two processes that find the same abandoned job do not both get it. checklist 44 59
func TestAnAbandonedJobIsAdoptedOnce(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, db *store.DB) {
		auth := authorization(t, db)
		abandoned := job(t, db, auth.ID, "customers")
		var wg sync.WaitGroup
		errs := make([]error, 6)
		for i := range errs {
			wg.Go(func() {
				adopted := abandoned
				adopted.Creator = fmt.Sprintf("in_%d", i+10)
				errs[i] = db.CreateJob(t.Context(), adopted, &abandoned)
			})
		}
		wg.Wait()
		got := 0
		for i, err := range errs {
			switch {
			case err == nil:
				got++
				if j, err := db.Job(t.Context(), abandoned.ID); err != nil || j.Creator != fmt.Sprintf("in_%d", i+10) {
					t.Errorf("the job is of %q, %v; want in_%d", j.Creator, err, i+10)
				}
			case !jobs.IsCode(err, jobs.CodeConflict):
				t.Errorf("got %v, want a conflict", err)
			}
		}
		if got != 1 {
			t.Errorf("%d processes adopted the job, want 1", got)
		}
	})
}
