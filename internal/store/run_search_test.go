//nolint:thelper // what is given to onEachDatabase are the bodies of tests
package store_test

import (
	compare "cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// fail executes a run of a job that fails.
func fail(t *testing.T, db *store.DB, j store.JobRow, summary string) string {
	t.Helper()
	run := queue(t, db, j, "in_1")
	c, _ := claim(t, db, run, "in_1")
	run.Status, run.Failure = jobs.StatusFailed, jobs.Failure{Code: jobs.CodeUnauthorized, Summary: summary, Detail: "It has EXPIRED, by 100% of its days."}
	if err := db.FinishRun(t.Context(), c, run); err != nil {
		t.Fatal(err)
	}
	return run.ID
}

func searched(t *testing.T, db *store.DB, s jobs.RunSearch) jobs.RunPage {
	t.Helper()
	page, err := db.SearchRuns(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return page
}

func runIDs(runs []jobs.Run) (ids []string) {
	for _, r := range runs {
		ids = append(ids, r.ID)
	}
	return ids
}

func TestRunsAreSearched(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, db *store.DB) {
		auth := authorization(t, db).ID
		orders, refunds := job(t, db, auth, "orders"), job(t, db, auth, "refunds")
		expired := fail(t, db, orders, "dbc-1.example.com refused the access token")
		other := fail(t, db, refunds, "dbc-2.example.com refused the access token")
		lost := fail(t, db, refunds, "The session was lost")
		queued := shared(t, db, orders)
		// The clock of a database may give two runs the same time.
		created := func(in func(time.Time) bool) (ids []string) {
			for _, r := range searched(t, db, jobs.RunSearch{}).Runs {
				if in(r.CreatedAt) {
					ids = append(ids, r.ID)
				}
			}
			return ids
		}
		for name, c := range map[string]struct {
			search jobs.RunSearch
			want   []string
		}{
			"all":             {jobs.RunSearch{}, []string{queued.ID, lost, other, expired}},
			"of a job":        {jobs.RunSearch{JobIDs: []string{refunds.ID}}, []string{lost, other}},
			"of two jobs":     {jobs.RunSearch{JobIDs: []string{refunds.ID, orders.ID}, Statuses: []jobs.Status{jobs.StatusFailed}}, []string{lost, other, expired}},
			"of two states":   {jobs.RunSearch{Statuses: []jobs.Status{jobs.StatusQueued, jobs.StatusMissed}}, []string{queued.ID}},
			"failed":          {jobs.RunSearch{Statuses: []jobs.Status{jobs.StatusFailed}}, []string{lost, other, expired}},
			"active":          {jobs.RunSearch{Statuses: []jobs.Status{jobs.StatusRunning, jobs.StatusWaiting, jobs.StatusQueued}}, []string{queued.ID}},
			"by hand":         {jobs.RunSearch{Reasons: []jobs.Reason{jobs.ReasonManual}}, []string{queued.ID}},
			"with a problem":  {jobs.RunSearch{Problem: "… refused the access token"}, []string{other, expired}},
			"with no problem": {jobs.RunSearch{Problem: "… was eaten"}, nil},
			"with a text":     {jobs.RunSearch{Text: "Expired, by 100%"}, []string{lost, other, expired}},
			"with no text":    {jobs.RunSearch{Text: "100_"}, nil},
			"until it began":  {jobs.RunSearch{Until: queued.CreatedAt}, created(func(at time.Time) bool { return at.Before(queued.CreatedAt) })},
			"from when":       {jobs.RunSearch{From: queued.CreatedAt}, created(func(at time.Time) bool { return !at.Before(queued.CreatedAt) })},
		} {
			page := searched(t, db, c.search)
			if diff := cmp.Diff(c.want, runIDs(page.Runs), cmpopts.SortSlices(strings.Compare)); diff != "" || page.Total != int64(len(c.want)) {
				t.Errorf("%s: %d in all, want %d; runs (-want +got):\n%s", name, page.Total, len(c.want), diff)
			}
		}
	})
}

// Pages follow each other in both directions, and have each run once.
func TestRunsArePaged(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, db *store.DB) {
		j := job(t, db, authorization(t, db).ID, "orders")
		var runs []jobs.Run
		for range 7 {
			runs = append(runs, shared(t, db, j))
		}
		slices.SortFunc(runs, func(a, b jobs.Run) int {
			return compare.Or(b.CreatedAt.Compare(a.CreatedAt), strings.Compare(a.ID, b.ID))
		})
		want := runIDs(runs)
		var got []string
		var pages []jobs.RunPage
		for before := ""; ; {
			page := searched(t, db, jobs.RunSearch{Before: before, Limit: 3})
			if page.Total != 7 {
				t.Errorf("got %d runs in all, want 7", page.Total)
			}
			got, pages = append(got, runIDs(page.Runs)...), append(pages, page)
			if before = page.Older; before == "" {
				break
			}
		}
		if diff := cmp.Diff(want, got); diff != "" || len(pages) != 3 {
			t.Fatalf("%d pages, want 3; runs (-want +got):\n%s", len(pages), diff)
		}
		for i := len(pages) - 1; i > 0; i-- {
			back := searched(t, db, jobs.RunSearch{After: pages[i].Newer, Limit: 3})
			if diff := cmp.Diff(runIDs(pages[i-1].Runs), runIDs(back.Runs)); diff != "" || (back.Newer == "") != (i == 1) {
				t.Errorf("back from page %d, on to %q (-want +got):\n%s", i, back.Newer, diff)
			}
		}
		if _, err := db.SearchRuns(t.Context(), jobs.RunSearch{Before: "yesterday"}); !jobs.IsCode(err, jobs.CodeInvalid) {
			t.Errorf("got %v, want a refusal of the position", err)
		}
	})
}

func TestEqualFailuresAreGrouped(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, db *store.DB) {
		auth := authorization(t, db).ID
		var all []string
		for i, table := range []string{"orders", "refunds", "returns"} {
			j := job(t, db, auth, table)
			all = append(all, j.ID)
			for range i + 1 {
				fail(t, db, j, fmt.Sprintf("dbc-%d.example.com refused the access token", i%2))
			}
			if i == 0 {
				fail(t, db, j, "The session was lost")
			}
		}
		got, err := db.RunGroups(t.Context(), jobs.RunSearch{})
		if err != nil {
			t.Fatal(err)
		}
		orders := all[0]
		slices.Sort(all)
		want := []jobs.RunGroup{
			{Problem: "… refused the access token", Summary: "… refused the access token", Runs: 6, JobIDs: all},
			{Problem: "The session was lost", Summary: "The session was lost", Runs: 1, JobIDs: []string{orders}},
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(jobs.RunGroup{}, "First", "Last")); diff != "" {
			t.Errorf("groups (-want +got):\n%s", diff)
		}
		if len(got) > 0 && (got[0].First.IsZero() || got[0].Last.Before(got[0].First)) {
			t.Errorf("the failures are from %s to %s", got[0].First, got[0].Last)
		}
		one, err := db.RunGroups(t.Context(), jobs.RunSearch{Problem: "The session was lost"})
		if err != nil || len(one) != 1 || one[0].Runs != 1 {
			t.Errorf("got %v, %v; want the one group", one, err)
		}
	})
}

func TestPhasesAreKeptWithTheLog(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, db *store.DB) {
		run := queue(t, db, job(t, db, authorization(t, db).ID, "orders"), "in_1")
		c, _ := claim(t, db, run, "in_1")
		run.Status = jobs.StatusRunning
		_, err := db.BeatRun(t.Context(), c, run,
			store.LogEntry{Age: 2 * time.Second, Level: store.LogInfo, Message: "reading rows (3 of 9)", Phase: "reading rows"},
			store.LogEntry{Age: time.Second, Level: store.LogInfo, Message: "three rows"},
			store.LogEntry{Level: store.LogInfo, Message: "building profiles", Phase: "building profiles"})
		if err != nil {
			t.Fatal(err)
		}
		got, err := db.RunPhases(t.Context(), run.ID)
		if err != nil || len(got) != 2 || got[0].Name != "reading rows" || got[1].Name != "building profiles" {
			t.Fatalf("got %v, %v; want the two phases", got, err)
		}
		if took := got[1].At.Sub(got[0].At); took < 2*time.Second {
			t.Errorf("the first phase took %s, want 2 s or more", took)
		}
	})
}

// A version is kept of each definition that differs, with who wrote it.
func TestVersionsOfADefinitionAreKept(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, db *store.DB) {
		j := job(t, db, authorization(t, db).ID, "orders")
		put := func(change func()) {
			t.Helper()
			change()
			ctx := store.WithAudited(t.Context(), &store.Audited{Actor: jobs.Actor{Name: "ci"}, Action: "update-job"})
			if err := db.PutJob(ctx, j); err != nil {
				t.Fatal(err)
			}
		}
		put(func() {})
		put(func() { j.InLytics = &store.InLytics{Started: true} })
		put(func() { j.Import.Where = "amount > 0" })
		put(func() { j.Label = "All orders" })
		got, err := db.JobVersions(t.Context(), j.ID)
		if err != nil {
			t.Fatal(err)
		}
		spec := j.JobSpec
		before := spec
		before.Label = "orders"
		first := before
		first.Import = &jobs.TableImport{Catalog: "main", Database: "sales", Table: "orders", TimestampColumn: "ts", Stream: "s"}
		want := []jobs.JobVersion{{Actor: "ci", JobSpec: spec}, {Actor: "ci", JobSpec: before}, {JobSpec: first}}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(jobs.JobVersion{}, "At")); diff != "" {
			t.Errorf("versions (-want +got):\n%s", diff)
		}
		for i := range 60 {
			put(func() { j.Label = fmt.Sprintf("orders %d", i) })
		}
		if got, err = db.JobVersions(t.Context(), j.ID); err != nil || len(got) != 50 || got[0].Label != "orders 59" {
			t.Errorf("got %d versions, %v; want the 50 newest", len(got), err)
		}
	})
}
