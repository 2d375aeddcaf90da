package engine_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/importer"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/lyticstest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// putWatermark gives an import a cursor, as a finished run leaves it.
func putWatermark(t *testing.T, e *engine.Engine, key string, at time.Time) {
	t.Helper()
	db, err := e.Serve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	micros := at.UnixMicro()
	document, err := json.Marshal(importer.Cursor{Version: 2, Generation: 1, DigestColumns: []string{"id"}, Watermark: &micros, Sent: 5})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Write(t.Context(), func(tx *store.Tx) error { return store.PutCursorDocument(t.Context(), tx, key, document) })
	if err != nil {
		t.Fatal(err)
	}
}

func cursorOf(t *testing.T, e *engine.Engine, key string) *importer.Cursor {
	t.Helper()
	db, err := e.Serve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c, err := importer.ReadCursor(t.Context(), db, key)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A move keeps the job's id and runs. To Lytics it continues at the watermark's
// second, and back where the definition says.
func TestAJobMovesToLyticsAndBack(t *testing.T) {
	t.Parallel()
	a := openAccount(t, lyticstest.Switches{})
	e := a.open()
	s := lyticsImport(t, e)
	inLytics := s.AuthorizationID
	s.ManagedBy, s.AuthorizationID = jobs.ManagedByProvider, authorize(t, e).ID
	s.Schedule = weekly()
	job := create(t, e, s)
	auth, err := e.Authorization(t.Context(), s.AuthorizationID)
	if err != nil {
		t.Fatal(err)
	}
	key := jobs.Key(auth.Host, s) + "|lytics|" + a.APIURL + "|"
	watermark := time.Date(2026, 5, 6, 7, 8, 9, 987654000, time.UTC)
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	runner := process(t, a.dir, nil)
	putWatermark(t, runner, key, watermark)
	if err := runner.Close(); err != nil {
		t.Fatal(err)
	}
	e = a.open()

	moved := s
	moved.ManagedBy = jobs.ManagedByLytics
	_, err = e.UpdateJob(t.Context(), job.ID, moved)
	wantCode(t, "with the authorization of the other side", err, jobs.CodeInvalid, "authorization_id")
	moved.AuthorizationID = inLytics
	got := update(t, e, job.ID, moved)
	if got.ID != job.ID || got.Lytics.Since == nil || !got.Lytics.Since.Equal(watermark.Truncate(time.Second)) {
		t.Errorf("got %+v, want job %s from %v on", got.Lytics, job.ID, watermark.Truncate(time.Second))
	}
	if config := a.one()["config"].(map[string]any); config["since_date"] != "2026-05-06 07:08:09" || a.one()["status"] != "running" {
		t.Errorf("got config %v and status %v, want since_date at the watermark's second, and running", config, a.one()["status"])
	}
	if diff := cmp.Diff(moved, read(t, e, job.ID).JobSpec); diff != "" {
		t.Errorf("the definition after the move (-want +got):\n%s", diff)
	}
	moved.Description = "changed"
	if update(t, e, job.ID, moved); a.one()["config"].(map[string]any)["since_date"] != "2026-05-06 07:08:09" {
		t.Errorf("got config %v after a change, want the same since_date", a.one()["config"])
	}

	_, err = e.UpdateJob(t.Context(), job.ID, s)
	wantCode(t, "back without since_timestamp", err, jobs.CodeInvalid, "since_timestamp")
	since := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	s.Import.Since = &since
	if got = update(t, e, job.ID, s); got.ID != job.ID || got.Lytics != nil || got.NextRunAt == nil {
		t.Errorf("got %+v, want job %s with a planned run", got, job.ID)
	}
	for _, j := range a.Jobs() {
		if j["deleted"] != true {
			t.Errorf("got job %v, want it killed", j)
		}
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	c := cursorOf(t, process(t, a.dir, nil), key)
	if c.Generation != 2 || c.Watermark != nil || c.From == nil || *c.From != since.UnixMicro()+1 {
		t.Errorf("got cursor %+v, want a generation that begins after %v", c, since)
	}
}

func TestAnExportMovesToLyticsAndBack(t *testing.T) {
	t.Parallel()
	a := openAccount(t, lyticstest.Switches{})
	e := a.open()
	audience, err := e.CreateAudience(t.Context(), jobs.Audience{Name: "VIP", Slug: "vip", Filter: "FILTER *"}, "owner")
	if err != nil {
		t.Fatal(err)
	}
	s := lyticsImport(t, e)
	s.Label, s.Import, s.QueryTimeout = "vip", nil, jobs.DefaultQueryTimeout
	s.Export = &jobs.AudienceExport{AudienceID: "vip", Catalog: "main", Database: "sales", Fields: []string{"email"}}
	job := create(t, e, s)
	want := map[string]any{
		"catalog": "main", "database": "sales", "segment_id": audience.ID, "fields": []any{"email"}, "continuous_update": false,
	}
	if diff := cmp.Diff(want, a.one()["config"]); diff != "" {
		t.Errorf("config in Lytics (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(s, read(t, e, job.ID).JobSpec); diff != "" {
		t.Errorf("the definition as read (-want +got):\n%s", diff)
	}
	back, table := s, *s.Export
	back.Export = &table
	back.ManagedBy, back.AuthorizationID = jobs.ManagedByProvider, authorize(t, e).ID
	if got := update(t, e, job.ID, back); got.ID != job.ID || got.Export.TableName != "lytics_user_vip" {
		t.Errorf("got %+v, want job %s with its table", got.Export, job.ID)
	}
	if got := update(t, e, job.ID, s); got.ID != job.ID || got.Export.TableName != "" {
		t.Errorf("got %+v, want job %s without a table", got.Export, job.ID)
	}
}

// A job that an operator paused stays paused on the other side.
func TestAPausedJobStaysPausedWhenItMoves(t *testing.T) {
	t.Parallel()
	a := openAccount(t, lyticstest.Switches{})
	e := a.open()
	there := lyticsImport(t, e, func(s *jobs.JobSpec) { s.Schedule = weekly() })
	here := there
	here.ManagedBy, here.AuthorizationID = jobs.ManagedByProvider, authorize(t, e).ID
	job := create(t, e, here)
	if _, err := e.PauseJob(t.Context(), job.ID, true); err != nil {
		t.Fatal(err)
	}
	if got := update(t, e, job.ID, there); !got.Paused || a.one()["status"] != "initializing" {
		t.Errorf("got paused %t and status %v in Lytics, want a paused job that did not run", got.Paused, a.one()["status"])
	}
	if got, err := e.PauseJob(t.Context(), job.ID, false); err != nil || got.Paused || a.one()["status"] != "running" {
		t.Errorf("got %+v, %v and status %v in Lytics, want it to run", got, err, a.one()["status"])
	}
	// Somebody pauses it in Lytics.
	a.outside("POST", "/v2/job/"+a.id()+"/pause", nil)
	since := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	table := *here.Import
	here.Import, table.Since = &table, &since
	if got := update(t, e, job.ID, here); !got.Paused || got.NextRunAt != nil {
		t.Errorf("got paused %t and next run %v, want a paused job", got.Paused, got.NextRunAt)
	}
}
