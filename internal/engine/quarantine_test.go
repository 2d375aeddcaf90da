package engine_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs/jobstest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// reject puts rows into a job's quarantine, as an import that rejected them does.
func reject(t *testing.T, db *store.DB, job jobs.Job, rows ...jobs.RejectedEvent) {
	t.Helper()
	row, err := db.Job(t.Context(), job.ID)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Write(t.Context(), func(tx *store.Tx) error {
		of := store.RejectedRun{ImportKey: row.Key, JobID: job.ID, RunID: "run_1", Stream: job.Import.Stream}
		_, err := store.AddQuarantined(t.Context(), tx, of, rows, 100, nil)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func rejectedRow(id, data string) jobs.RejectedEvent {
	return jobs.RejectedEvent{
		Event: jobs.Event{ID: id, Time: time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC), Data: []byte(data)}, Reason: "because", Bytes: int64(len(data)),
	}
}

// quarantined returns the ids of the events in a job's quarantine.
func quarantined(t *testing.T, e *engine.Engine, job jobs.Job) (ids []string) {
	t.Helper()
	list, err := e.QuarantinedRows(t.Context(), jobs.QuarantineFilter{JobID: job.ID})
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range list.Entries {
		if len(entry.Data) > 0 {
			t.Errorf("the list has the data of %s, which the filter does not ask for", entry.EventID)
		}
		ids = append(ids, entry.EventID)
	}
	return ids
}

// checklist 66: rows in quarantine are sent again on request, with the ids that their
// events had, and leave the quarantine in the transaction that stores them.
func TestQuarantinedRowsAreSentAgain(t *testing.T) {
	t.Parallel()
	e, db := serve(t, t.TempDir(), succeed)
	job := createJob(t, e, "orders")
	late := rejectedRow("late", `{}`)
	late.Time = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
	reject(t, db, job, rejectedRow("e1", `{"id":1}`), rejectedRow("e2", `{"id":2}`), late,
		jobs.RejectedEvent{Event: jobs.Event{ID: "first"}, Among: &jobs.EventRange{LastID: "last", Events: 9, Rejected: 2}})
	list, err := e.QuarantinedRows(t.Context(), jobs.QuarantineFilter{JobID: job.ID, WithData: true})
	if err != nil || list.Total != 4 || list.Rows != 5 || string(list.Entries[1].Data) != `{"id":2}` {
		t.Fatalf("the list is %+v, %v, want 4 entries of 5 rows", list, err)
	}
	got, err := e.ResendQuarantined(t.Context(), job.ID, []int64{list.Entries[1].ID})
	if want := (jobs.Resent{Accepted: 1}); err != nil || got != want {
		t.Errorf("sent one again: got %+v, %v, want %+v", got, err, want)
	}
	got, err = e.ResendQuarantined(t.Context(), job.ID, nil)
	if want := (jobs.Resent{Accepted: 1, Rejected: 1, NotSendable: 1}); err != nil || got != want {
		t.Errorf("sent the others again: got %+v, %v, want %+v", got, err, want)
	}
	if d := cmp.Diff([]string{"late", "first"}, quarantined(t, e, job)); d != "" {
		t.Errorf("left in quarantine (-want +got):\n%s", d)
	}
	var events []string
	for event, err := range jobstest.Events(e.EventLines(t.Context(), job.Import.Stream)) {
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, fmt.Sprintf("%s %s", event.ID, event.Data))
	}
	if d := cmp.Diff([]string{`e2 {"id":2}`, `e1 {"id":1}`}, events); d != "" {
		t.Errorf("in the stream (-want +got):\n%s", d)
	}
	if n, err := e.DropQuarantined(t.Context(), job.ID, nil); n != 2 || err != nil {
		t.Errorf("dropped %d, %v, want 2", n, err)
	}
	if _, err := e.DropQuarantined(t.Context(), job.ID, make([]int64, 1001)); !jobs.IsCode(err, jobs.CodeInvalid) {
		t.Errorf("1001 ids: got %v, want %s", err, jobs.CodeInvalid)
	}
}

// Two processes that send a quarantine again at once send each row once.
func TestTwoProcessesSendAQuarantineAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e, db := serve(t, dir, succeed)
	job := createJob(t, e, "orders")
	for n := range 40 {
		reject(t, db, job, rejectedRow(fmt.Sprintf("e%d", n), `{"id":1}`))
	}
	type outcome struct {
		sent jobs.Resent
		err  error
	}
	outcomes := make(chan outcome)
	for _, p := range []*engine.Engine{e, process(t, dir, succeed)} {
		go func() {
			sent, err := p.ResendQuarantined(t.Context(), job.ID, nil)
			outcomes <- outcome{sent, err}
		}()
	}
	var accepted int64
	for range 2 {
		o := <-outcomes
		if o.err != nil {
			t.Error(o.err)
		}
		accepted += o.sent.Accepted
	}
	ids := map[string]int{}
	for event, err := range jobstest.Events(e.EventLines(t.Context(), job.Import.Stream)) {
		if err != nil {
			t.Fatal(err)
		}
		ids[event.ID]++
	}
	total := 0
	for _, n := range ids {
		total += n
	}
	if accepted != 40 || total != 40 || len(ids) != 40 || len(quarantined(t, e, job)) != 0 {
		t.Errorf("%d rows were accepted, %d events with %d ids are in the stream, %v in quarantine; want 40, 40, 40, none", accepted, total, len(ids), quarantined(t, e, job))
	}
}

// An erasure removes the rows of the user from quarantine, by the mappings of the
// stream, and a dry run counts them.
func TestAnErasureRemovesRowsFromQuarantine(t *testing.T) {
	t.Parallel()
	e, db := serve(t, t.TempDir(), succeed)
	ctx := t.Context()
	job := createJob(t, e, "orders")
	if _, err := e.CreateField(ctx, jobs.Field{ID: "email", Type: "string", IsIdentifier: true}, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := e.CreateMapping(ctx, jobs.Mapping{Stream: job.Import.Stream, Field: "email", Expression: "email(mail)"}, ""); err != nil {
		t.Fatal(err)
	}
	reject(t, db, job, rejectedRow("ann", `{"mail":"Ann@Example.com"}`), rejectedRow("bob", `{"mail":"bob@example.com","friend":"ann@example.com"}`),
		jobs.RejectedEvent{Event: jobs.Event{ID: "ann by key"}, Key: `{"mail":"ann@example.com"}`, Reason: "too long"})
	request := jobs.ErasureRequest{Identity: jobs.Identity{Field: "email", Value: "ann@example.com"}, DryRun: true}
	if got, err := e.Erase(ctx, request); err != nil || got.Quarantined != 2 || len(quarantined(t, e, job)) != 3 {
		t.Errorf("a dry run: got %+v, %v, want 2 rows in quarantine", got, err)
	}
	request.DryRun = false
	if got, err := e.Erase(ctx, request); err != nil || got.Quarantined != 2 {
		t.Errorf("an erasure: got %+v, %v, want 2 rows in quarantine", got, err)
	}
	if d := cmp.Diff([]string{"bob"}, quarantined(t, e, job)); d != "" {
		t.Errorf("left in quarantine (-want +got):\n%s", d)
	}
}
