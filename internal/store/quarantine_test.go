//nolint:thelper // what is given to onEachDatabase are the bodies of tests
package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

var rejectedAt = time.Date(2024, 5, 6, 7, 8, 9, 123456000, time.UTC)

// rejected makes events e0, e1, ... that were rejected.
func rejected(from, n int) (list []jobs.RejectedEvent) {
	for i := from; i < from+n; i++ {
		data := fmt.Appendf(nil, `{"id":%d,"email":"canary@example.com"}`, i)
		list = append(list, jobs.RejectedEvent{
			Event: jobs.Event{ID: fmt.Sprintf("e%d", i), Time: rejectedAt, Data: data},
			Key:   fmt.Sprintf(`{"id":%d}`, i), Reason: "Lytics rejected the event", Bytes: int64(len(data)),
		})
	}
	return list
}

// quarantine puts events into quarantine as a run of the job does.
func quarantine(t *testing.T, db *store.DB, job store.JobRow, runID string, events []jobs.RejectedEvent, limit int64, key *store.Key) int64 {
	t.Helper()
	var removed int64
	err := db.Write(t.Context(), func(tx *store.Tx) (err error) {
		of := store.RejectedRun{ImportKey: job.Key, JobID: job.ID, RunID: runID, Stream: "orders"}
		removed, err = store.AddQuarantined(t.Context(), tx, of, events, limit, key)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return removed
}

func listed(t *testing.T, db *store.DB, q store.QuarantineQuery, withData bool, key *store.Key) jobs.QuarantineList {
	t.Helper()
	list, err := db.Quarantined(t.Context(), q, withData, 100, key)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// events gives the ids of the events of entries.
func eventsOf(list jobs.QuarantineList) (ids []string) {
	for _, e := range list.Entries {
		ids = append(ids, e.EventID)
	}
	return ids
}

// checklist 66
func TestARejectedRowIsListedWithItsKeyTimeRunAndReason(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, db *store.DB) {
		j := job(t, db, authorization(t, db).ID, "orders")
		run := queue(t, db, j, "in_1")
		key := loadKey(t, filepath.Join(t.TempDir(), "key"))
		long := jobs.RejectedEvent{Event: jobs.Event{ID: "long", Time: rejectedAt, Data: bytes.Repeat([]byte("x"), store.LongestQuarantinedRow+1)}, Reason: "too long"}
		some := jobs.RejectedEvent{
			Event: jobs.Event{ID: "first", Time: rejectedAt}, Reason: "not told",
			Among: &jobs.EventRange{LastID: "last", LastTime: rejectedAt.Add(time.Hour), Events: 500, Rejected: 3},
		}
		quarantine(t, db, j, run.ID, append(rejected(0, 1), long, some), 100, key)

		last := rejectedAt.Add(time.Hour)
		want := jobs.QuarantineList{Total: 3, Rows: 5, Entries: []jobs.QuarantineEntry{
			{EventID: "e0", Events: 1, Rows: 1, Key: `{"id":0}`, Reason: "Lytics rejected the event", Bytes: 37, Sendable: true, Data: []byte(`{"id":0,"email":"canary@example.com"}`)},
			{EventID: "long", Events: 1, Rows: 1, Reason: "too long", Bytes: store.LongestQuarantinedRow + 1},
			{EventID: "first", LastEventID: "last", LastEventTime: &last, Events: 500, Rows: 3, Reason: "not told"},
		}}
		for i := range want.Entries {
			e := &want.Entries[i]
			e.JobID, e.RunID, e.Stream, e.EventTime = j.ID, run.ID, "orders", rejectedAt
		}
		ignored := cmpopts.IgnoreFields(jobs.QuarantineEntry{}, "ID", "CreatedAt")
		if d := cmp.Diff(want, listed(t, db, store.QuarantineQuery{JobID: j.ID}, true, key), ignored); d != "" {
			t.Errorf("listed with data (-want +got):\n%s", d)
		}
		want.Entries[0].Data = nil
		if d := cmp.Diff(want, listed(t, db, store.QuarantineQuery{RunID: run.ID}, false, key), ignored); d != "" {
			t.Errorf("listed without data (-want +got):\n%s", d)
		}
		n, reasons, err := db.RejectedBy(t.Context(), run.ID)
		if d := cmp.Diff([]store.RejectionReason{{"Lytics rejected the event", 1}, {"too long", 1}, {"not told", 3}}, reasons); err != nil || n != 5 || d != "" {
			t.Errorf("the run has %d rejected rows, %v, want 5; reasons (-want +got):\n%s", n, err, d)
		}
	})
}

// checklist 53 66
func TestRowsInQuarantineAreEncrypted(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, db *store.DB) {
		j := job(t, db, authorization(t, db).ID, "orders")
		dir := t.TempDir()
		key, other := loadKey(t, filepath.Join(dir, "a")), loadKey(t, filepath.Join(dir, "b"))
		quarantine(t, db, j, "run_1", rejected(0, 1), 100, key)
		var content []byte
		if err := db.Read().QueryRowContext(t.Context(), `SELECT content FROM quarantine`).Scan(&content); err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(content, []byte("canary")) || bytes.Contains(content, []byte(`"id"`)) {
			t.Errorf("the store holds %q", content)
		}
		for name, key := range map[string]*store.Key{"another key": other, "no key": nil} {
			got := listed(t, db, store.QuarantineQuery{}, false, key)
			if len(got.Entries) != 1 || got.Entries[0].Key != "" || got.Entries[0].EventID != "e0" {
				t.Errorf("%s: listed %+v, want e0 without its key", name, got.Entries)
			}
			if _, err := db.Quarantined(t.Context(), store.QuarantineQuery{}, true, 100, key); !jobs.IsCode(err, jobs.CodeSecretUnreadable) {
				t.Errorf("%s: got %v, want %s", name, err, jobs.CodeSecretUnreadable)
			}
		}
	})
}

// checklist 66: what is removed because of the bounds is counted.
func TestTheQuarantineIsBoundedInNumberAndDays(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, db *store.DB) {
		auth := authorization(t, db).ID
		j, other := job(t, db, auth, "orders"), job(t, db, auth, "customers")
		run := queue(t, db, j, "in_1")
		quarantine(t, db, other, "run_2", rejected(0, 3), 3, nil)
		if got := quarantine(t, db, j, run.ID, rejected(0, 2), 3, nil); got != 0 {
			t.Errorf("2 of 3: %d were removed", got)
		}
		if got := quarantine(t, db, j, run.ID, rejected(2, 2), 3, nil); got != 1 {
			t.Errorf("4 of 3: %d were removed, want 1", got)
		}
		if got := quarantine(t, db, j, run.ID, rejected(4, 5), 3, nil); got != 5 {
			t.Errorf("3 and 5 of 3: %d were removed, want 5", got)
		}
		q := store.QuarantineQuery{JobID: j.ID, ImportKey: j.Key}
		got := listed(t, db, q, false, nil)
		if d := cmp.Diff([]string{"e6", "e7", "e8"}, eventsOf(got)); d != "" || got.RemovedOverLimit != 6 || got.RemovedExpired != 0 {
			t.Errorf("got %+v, entries (-want +got):\n%s", got, d)
		}
		if n, _, err := db.RejectedBy(t.Context(), run.ID); n != 9 || err != nil {
			t.Errorf("the run counts %d rejected rows, %v, want 9", n, err)
		}
		if n, err := db.ExpireQuarantined(t.Context(), time.Hour); n != 0 || err != nil {
			t.Errorf("of the last hour, %d expired, %v", n, err)
		}
		if n, err := db.ExpireQuarantined(t.Context(), -time.Hour); n != 6 || err != nil {
			t.Errorf("all: %d expired, %v, want 6", n, err)
		}
		if got := listed(t, db, q, false, nil); got.Total != 0 || got.RemovedExpired != 3 {
			t.Errorf("after all expired: %+v", got)
		}
		if got := listed(t, db, store.QuarantineQuery{}, false, nil); got.RemovedExpired != 6 || got.RemovedOverLimit != 6 {
			t.Errorf("of all jobs: %+v", got)
		}
	})
}

// The entries belong to the cursor: a job that takes it over has them too.
func TestTheQuarantineFollowsTheCursor(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, db *store.DB) {
		j := job(t, db, authorization(t, db).ID, "orders")
		quarantine(t, db, j, "run_1", rejected(0, 2), 9, nil)
		for range 2 { // written again, it is there once
			quarantine(t, db, j, "run_2", rejected(1, 1), 9, nil)
		}
		got := listed(t, db, store.QuarantineQuery{JobID: "job_new", ImportKey: j.Key}, false, nil)
		if d := cmp.Diff([]string{"e0", "e1"}, eventsOf(got)); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
		if n, err := db.DropQuarantined(t.Context(), store.QuarantineQuery{JobID: "job_new", ImportKey: j.Key, IDs: []int64{got.Entries[0].ID}}); n != 1 || err != nil {
			t.Errorf("dropped %d, %v, want 1", n, err)
		}
		ofPlatform := j
		ofPlatform.Key, ofPlatform.ID = j.Key+"|lytics|1", "job_old"
		quarantine(t, db, ofPlatform, "run_1", rejected(7, 1), 9, nil)
		if got := listed(t, db, store.QuarantineQuery{JobID: "job_new", JobKey: j.Key}, false, nil); got.Total != 2 {
			t.Errorf("of all platforms: %+v, want e1 and e7", got)
		}
		if n, err := db.DropQuarantined(t.Context(), store.QuarantineQuery{JobID: "job_other", ImportKey: "other"}); n != 0 || err != nil {
			t.Errorf("of another job, dropped %d, %v", n, err)
		}
	})
}

// Rows that one process sends again belong to it, until they are settled or the
// claim is given up.
func TestRowsAreSentAgainByOneProcessOnly(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		j := job(t, db, authorization(t, db).ID, "orders")
		some := jobs.RejectedEvent{Event: jobs.Event{ID: "range"}, Among: &jobs.EventRange{LastID: "z", Events: 9, Rejected: 2}}
		quarantine(t, db, j, "run_1", append(rejected(0, 5), some), 100, nil)
		claim := func(name string, limit int, ids ...int64) (rows []store.QuarantinedRow) {
			t.Helper()
			rows, err := db.ClaimQuarantined(ctx, name, j.Key, ids, 0, limit, nil)
			if err != nil {
				t.Fatal(err)
			}
			return rows
		}
		first := claim("a", 3)
		if len(first) != 3 || first[0].Event.ID != "e0" || string(first[0].Event.Data) != `{"id":0,"email":"canary@example.com"}` || !first[0].Event.Time.Equal(rejectedAt) {
			t.Fatalf("claimed %+v", first)
		}
		second := claim("b", 9)
		if len(second) != 2 || second[0].Event.ID != "e3" {
			t.Errorf("the other process claimed %+v, want e3 and e4", second)
		}
		if got := claim("c", 9, first[0].ID); len(got) != 0 {
			t.Errorf("claimed twice: %+v", got)
		}
		if n, err := db.DropQuarantined(ctx, store.QuarantineQuery{}); n != 1 || err != nil {
			t.Errorf("dropped %d, %v, want only the range", n, err)
		}
		settle := func(name string, sent []int64, again map[int64]string) error {
			return db.Write(ctx, func(tx *store.Tx) error { return store.SettleQuarantined(ctx, tx, name, sent, again) })
		}
		if err := settle("b", []int64{first[0].ID}, nil); !errors.Is(err, store.ErrClaimLost) {
			t.Errorf("settled what another claimed: %v", err)
		}
		if err := settle("a", []int64{first[0].ID, first[1].ID}, map[int64]string{first[2].ID: "rejected again"}); err != nil {
			t.Fatal(err)
		}
		if err := db.ReleaseQuarantined(ctx, "b"); err != nil {
			t.Fatal(err)
		}
		got := listed(t, db, store.QuarantineQuery{}, false, nil)
		if d := cmp.Diff([]string{"e2", "e3", "e4"}, eventsOf(got)); d != "" || got.Entries[0].Reason != "rejected again" || got.Entries[0].Sending {
			t.Errorf("left: %+v\n%s", got.Entries, d)
		}
		if not, sending, err := db.UnsentQuarantined(ctx, j.Key, nil); not != 0 || sending != 0 || err != nil {
			t.Errorf("%d not sendable and %d being sent, %v", not, sending, err)
		}
	})
}

func TestTwoClaimsAtOnceShareNoRow(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, db *store.DB) {
		j := job(t, db, authorization(t, db).ID, "orders")
		quarantine(t, db, j, "run_1", rejected(0, 200), 1000, nil)
		type claimed struct {
			ids []int64
			err error
		}
		results := make(chan claimed)
		for n := range 4 {
			go func() {
				rows, err := db.ClaimQuarantined(context.WithoutCancel(t.Context()), fmt.Sprint(n), j.Key, nil, 0, 100, nil)
				var ids []int64
				for _, r := range rows {
					ids = append(ids, r.ID)
				}
				results <- claimed{ids, err}
			}()
		}
		times := map[int64]int{}
		for range 4 {
			c := <-results
			if c.err != nil {
				t.Error(c.err)
			}
			for _, id := range c.ids {
				times[id]++
			}
		}
		for id, n := range times {
			if n > 1 {
				t.Errorf("row %d was claimed %d times", id, n)
			}
		}
		if len(times) < 100 {
			t.Errorf("%d rows were claimed", len(times))
		}
	})
}

func TestErasureFindsRowsByTheirDataOrKey(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, db *store.DB) {
		j := job(t, db, authorization(t, db).ID, "orders")
		key := loadKey(t, filepath.Join(t.TempDir(), "key"))
		long := jobs.RejectedEvent{Event: jobs.Event{ID: "long"}, Key: `{"email":"canary@example.com"}`}
		quarantine(t, db, j, "run_1", append(rejected(0, 1), long), 100, key)
		var ids []int64
		err := db.SearchQuarantine(t.Context(), key, func(r store.QuarantinedRow) {
			if strings.Contains(string(r.Event.Data), "canary@") && r.Stream == "orders" {
				ids = append(ids, r.ID)
			}
		})
		if err != nil || len(ids) != 2 {
			t.Fatalf("found %v, %v, want two", ids, err)
		}
		if err := db.EraseQuarantined(t.Context(), ids); err != nil {
			t.Fatal(err)
		}
		if got := listed(t, db, store.QuarantineQuery{}, false, key); got.Total != 0 {
			t.Errorf("left: %+v", got)
		}
	})
}
