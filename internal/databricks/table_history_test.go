package databricks_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// The time of a commit is the same in every list that begins with it, and a list may begin
// earlier where commits were made meanwhile.
func TestCommitsSinceAVersion(t *testing.T) {
	t.Parallel()
	s, w := createShop(t)
	orders := jobs.TableName{Catalog: "main", Database: "shop", Table: "orders"}
	first, _, err := w.LatestVersion(t.Context(), orders)
	if err != nil {
		t.Fatal(err)
	}
	s.Exec(t, "INSERT INTO main.shop.orders VALUES (3)", "INSERT INTO main.shop.orders VALUES (4)")
	for _, latest := range []int64{first.Version, first.Version + 1, first.Version + 2} {
		commits, err := w.CommitsSince(t.Context(), orders, first.Version, latest)
		if err != nil || len(commits) < 3 || commits[0].Version != first.Version+2 {
			t.Fatalf("after %d: got %+v, %v, want at least 3 commits", latest, commits, err)
		}
		if got := commits[2]; got.Version != first.Version || !got.At.Equal(first.At) {
			t.Errorf("after %d: got %+v, want version %d of %s", latest, got, first.Version, first.At)
		}
	}
	if commits, err := w.CommitsSince(t.Context(), orders, 0, 10_000); err != nil || len(commits) > 0 {
		t.Errorf("got %d commits, %v, want none of so long a list", len(commits), err)
	}
}

// Delta moves the time of a commit that is not later than the one before it in the list: what
// is a millisecond later may have been moved, and is not known.
func TestMovedTimesOfCommitsAreUnknown(t *testing.T) {
	t.Parallel()
	at := func(millis int) time.Time { return time.Date(2026, 1, 2, 3, 4, 5, millis*1_000_000, time.UTC) }
	commits := []databricks.Commit{{Version: 4, At: at(900)}, {Version: 3, At: at(2)}, {Version: 2, At: at(1)}, {Version: 1, At: at(0)}}
	databricks.ForgetMovedTimes(commits)
	want := []databricks.Commit{{Version: 4, At: at(900)}, {Version: 3}, {Version: 2}, {Version: 1, At: at(0)}}
	if diff := cmp.Diff(want, commits); diff != "" {
		t.Errorf("the commits (-want +got):\n%s", diff)
	}
	for text, want := range map[string]time.Time{
		"2026-01-02 03:04:05.001 +0000 UTC": at(1), "2026-01-02 04:04:05.001 +0100 CET": at(1),
		"2026-01-02 08:34:05.001 +0530 +0530": at(1), "2026-01-02 03:04:05.001": at(1), "2026-01-02 03:04:05": at(0), "": {}, "soon": {},
	} {
		if got := databricks.TimeOfText(text); !got.Equal(want) {
			t.Errorf("got the time %s of %q, want %s", got, text, want)
		}
	}
}
