package engine_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/importer"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/lyticstest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

const (
	accountToken   = "canary-account-token"
	warehouseToken = "canary-warehouse-token"
)

// standIn is a stand-in for Lytics and a store whose platform it is.
type standIn struct {
	*lyticstest.Server
	t   *testing.T
	dir string
}

func openAccount(t *testing.T, switches lyticstest.Switches) *standIn {
	t.Helper()
	s, err := lyticstest.New(lyticstest.Options{Token: accountToken, Switches: switches})
	if err != nil {
		t.Fatal(err)
	}
	a := &standIn{Server: s, t: t, dir: t.TempDir()}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if wrong := s.Wrong(); len(wrong) != 0 {
			t.Errorf("requests that are not as documented: %v", wrong)
		}
	})
	return a
}

// open opens an engine as another process would. Its runs follow Lytics.
func (a *standIn) open() *engine.Engine {
	a.t.Helper()
	return process(a.t, a.dir, nil, func(o *engine.Options) {
		o.Platform = engine.Lytics(engine.LyticsAccount{Token: jobs.NewSecret(accountToken), APIURL: a.APIURL, BulkURL: a.BulkURL})
	})
}

// outside makes a call of the API as a person with the token would.
func (a *standIn) outside(method, path string, body any) map[string]any {
	a.t.Helper()
	var reader io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			a.t.Fatal(err)
		}
		reader = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(a.t.Context(), method, a.APIURL+path, reader)
	if err != nil {
		a.t.Fatal(err)
	}
	r.Header.Set("Authorization", accountToken)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var answer struct {
		Data map[string]any `json:"data"`
	}
	_ = json.NewDecoder(resp.Body).Decode(&answer)
	if resp.StatusCode >= 300 {
		a.t.Fatalf("%s %s: status %d", method, path, resp.StatusCode)
	}
	return answer.Data
}

// one gives the only job of the account that is not deleted.
func (a *standIn) one() map[string]any {
	a.t.Helper()
	var found map[string]any
	for _, j := range a.Jobs() {
		if j["deleted"] == true {
			continue
		}
		if found != nil {
			a.t.Fatalf("got several jobs, want one: %v and %v", found, j)
		}
		found = j
	}
	if found == nil {
		a.t.Fatal("got no job, want one")
	}
	return found
}

func (a *standIn) id() string { return a.one()["id"].(string) }

func lyticsAuth(label string) jobs.AuthorizationChange {
	token := jobs.NewSecret(warehouseToken)
	return jobs.AuthorizationChange{
		AuthorizationSpec: jobs.AuthorizationSpec{
			Label: label, Host: "dbc-1.cloud.databricks.com", Port: 443, HTTPPath: "/sql/1.0/warehouses/1", TokenVersion: 1,
			ManagedBy: jobs.ManagedByLytics, CheckConnection: true,
		},
		Token: &token,
	}
}

func lyticsImport(t *testing.T, e *engine.Engine, change ...func(*jobs.JobSpec)) jobs.JobSpec {
	t.Helper()
	auth, err := e.CreateAuthorization(t.Context(), lyticsAuth("warehouse"))
	if err != nil {
		t.Fatal(err)
	}
	s := importSpec(auth.ID, "customers")
	s.Label, s.Description, s.ManagedBy, s.QueryTimeout = "customers", "all of them", jobs.ManagedByLytics, 45*time.Minute
	for _, f := range change {
		f(&s)
	}
	return s
}

func create(t *testing.T, e *engine.Engine, s jobs.JobSpec) jobs.Job {
	t.Helper()
	j, err := e.CreateJob(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func update(t *testing.T, e *engine.Engine, id string, s jobs.JobSpec) jobs.Job {
	t.Helper()
	j, err := e.UpdateJob(t.Context(), id, s)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func read(t *testing.T, e *engine.Engine, id string) jobs.Job {
	t.Helper()
	j, err := e.Job(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func wantCode(t *testing.T, what string, err error, code jobs.Code, attribute string) {
	t.Helper()
	e, ok := errors.AsType[*jobs.Error](err)
	if !ok || e.Code != code || e.Attribute != attribute {
		t.Errorf("%s: got error %v, want code %s at attribute %q", what, err, code, attribute)
	}
}

// An authorization in Lytics has its token there, and every change sends it again.
func TestLyticsKeepsAnAuthorization(t *testing.T) {
	t.Parallel()
	for _, switches := range []lyticstest.Switches{{}, {KeepOmittedConfig: true, UnderscoreSlugs: true}} {
		a := openAccount(t, switches)
		e := a.open()
		auth, err := e.CreateAuthorization(t.Context(), lyticsAuth("warehouse"))
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]any{
			"host": "dbc-1.cloud.databricks.com", "port": json.Number("443"), "httppath": "/sql/1.0/warehouses/1", "token": warehouseToken,
		}
		if diff := cmp.Diff(want, a.AuthConfigs()[auth.LyticsID]); diff != "" {
			t.Errorf("config in Lytics (-want +got):\n%s", diff)
		}
		c := lyticsAuth("renamed")
		c.Token, c.HTTPPath = nil, "/sql/1.0/warehouses/2"
		// Another process, without the token in its configuration.
		e = a.open()
		if auth, err = e.UpdateAuthorization(t.Context(), auth.ID, c); err != nil || auth.Label != "renamed" {
			t.Fatalf("got %+v, %v; want the new label", auth, err)
		}
		want["httppath"] = "/sql/1.0/warehouses/2"
		if diff := cmp.Diff(want, a.AuthConfigs()[auth.LyticsID]); diff != "" {
			t.Errorf("config in Lytics after a change (-want +got):\n%s", diff)
		}
		c.ManagedBy = jobs.ManagedByProvider
		_, err = e.UpdateAuthorization(t.Context(), auth.ID, c)
		wantCode(t, "to this provider in place", err, jobs.CodeInvalid, "managed_by")
		_, err = e.CreateAuthorization(t.Context(), lyticsAuth("renamed"))
		wantCode(t, "a label that is taken", err, jobs.CodeConflict, "label")
		if err := e.DeleteAuthorization(t.Context(), auth.ID); err != nil || len(a.AuthConfigs()) != 0 {
			t.Errorf("got %v and %d authorizations after the deletion, want none", err, len(a.AuthConfigs()))
		}
		if auth, err = e.CreateAuthorization(t.Context(), lyticsAuth("warehouse")); err != nil {
			t.Fatal(err)
		}
		a.outside("DELETE", "/v2/auth/"+auth.LyticsID, nil)
		_, err = e.Authorization(t.Context(), auth.ID)
		wantCode(t, "deleted in Lytics", err, jobs.CodeNotFound, "")
		if err := e.DeleteAuthorization(t.Context(), auth.ID); err != nil {
			t.Errorf("got %v, want no error for an authorization that is gone", err)
		}
	}
}

// Whether Lytics refuses an authorization whose warehouse it cannot reach, or
// answers that it is unhealthy, is not documented.
func TestLyticsCannotReachTheWarehouse(t *testing.T) {
	t.Parallel()
	for name, switches := range map[string]lyticstest.Switches{"400": {}, "unhealthy": {UnhealthyAuth: true}} {
		a := openAccount(t, switches)
		e := a.open()
		c := lyticsAuth("warehouse")
		c.Host = lyticstest.Unreachable
		_, err := e.CreateAuthorization(t.Context(), c)
		code := jobs.CodeInvalid
		if switches.UnhealthyAuth {
			code = jobs.CodeUnreachable
		}
		wantCode(t, name, err, code, "host")
		if strings.Contains(err.Error(), warehouseToken) {
			t.Errorf("%s: the error has the token: %v", name, err)
		}
		if len(a.AuthConfigs()) != 0 {
			t.Errorf("%s: got %d authorizations in Lytics, want none", name, len(a.AuthConfigs()))
		}
		c.CheckConnection = false
		if _, err := e.CreateAuthorization(t.Context(), c); switches.UnhealthyAuth && err != nil {
			t.Errorf("%s: got %v, want no error without check_connection", name, err)
		}
	}
}

func TestLyticsExecutesAnImport(t *testing.T) {
	t.Parallel()
	for name, switches := range map[string]lyticstest.Switches{
		"resume": {}, "bounce": {StartByBounce: true, UnderscoreSlugs: true, RestartOnChange: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := openAccount(t, switches)
			e := a.open()
			since := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
			s := lyticsImport(t, e, func(s *jobs.JobSpec) { s.Import.Since, s.Import.RowLimit = &since, 100 })
			job := create(t, e, s)
			want := map[string]any{
				"catalog": "main", "database": "sales", "source": "customers", "stream": job.Import.Stream, "timestamp_field": "ts",
				"since_date": "2026-01-02 03:04:05", "query_timeout": json.Number("45"), "row_limit": json.Number("100"), "continuous_update": false,
			}
			if diff := cmp.Diff(want, a.one()["config"]); diff != "" {
				t.Errorf("config in Lytics (-want +got):\n%s", diff)
			}
			if got := a.one()["status"]; got != "initializing" {
				t.Errorf("got status %v after the creation, want initializing: it must not run yet", got)
			}
			run := start(t, e, job, jobs.ReasonApply)
			if got := a.one()["status"]; got != "running" {
				t.Errorf("got status %v, want running", got)
			}
			a.AddJobLog(a.id(), "info", "100 rows imported")
			seen := false
			go a.FinishRun(a.id(), "completed", time.Time{})
			run, err := e.WaitRun(t.Context(), run.ID, func(r jobs.Run) { seen = seen || strings.Contains(r.Phase, "in Lytics") })
			if err != nil || run.Status != jobs.StatusSucceeded {
				t.Fatalf("got run %+v, %v; want it to succeed", run, err)
			}
			log, err := e.RunLog(t.Context(), run.ID)
			if err != nil || !slices.ContainsFunc(log, func(l jobs.LogLine) bool { return l.Message == "Lytics: 100 rows imported" }) {
				t.Errorf("got log %v, %v; want the entry of Lytics", log, err)
			}
			if log, err = e.JobLog(t.Context(), job.ID); err != nil || len(log) < 3 {
				t.Errorf("got %v, %v; want the log that Lytics keeps", log, err)
			}
			got := read(t, e, job.ID)
			if diff := cmp.Diff(s, got.JobSpec); diff != "" {
				t.Errorf("the definition as read (-want +got):\n%s", diff)
			}
			if got.Lytics == nil || got.Lytics.Status != "completed" || got.Lytics.ID != a.id() {
				t.Errorf("got state %+v, want completed", got.Lytics)
			}
			// Another apply runs it again, and a failed one says why.
			run = start(t, e, job, jobs.ReasonApply)
			a.AddJobLog(a.id(), "error", "no such table")
			a.FinishRun(a.id(), "failed", time.Time{})
			run, err = e.WaitRun(t.Context(), run.ID, nil)
			if err != nil || run.Status != jobs.StatusFailed || !strings.Contains(run.Failure.Detail, "no such table") {
				t.Errorf("got run %+v, %v; want it to fail with the newest error", run, err)
			}
			if err := e.DeleteJob(t.Context(), job.ID); err != nil {
				t.Fatal(err)
			}
			for _, j := range a.Jobs() {
				if j["deleted"] != true {
					t.Errorf("got job %v after the deletion, want it killed", j)
				}
			}
		})
	}
}

func weekly() *jobs.Schedule {
	return &jobs.Schedule{
		Frequency: jobs.Weekly, TimeOfDay: "09:30", DayOfWeek: "tuesday", Timezone: "Europe/Berlin", StartImmediately: true, CatchUp: jobs.CatchUpOne,
	}
}

// What somebody changes in Lytics is read, and a change of the definition keeps what
// it does not have.
func TestDriftPauseAndUpdateInLytics(t *testing.T) {
	t.Parallel()
	for _, switches := range []lyticstest.Switches{{}, {RestartOnChange: true, StartByBounce: true}} {
		a := openAccount(t, switches)
		e := a.open()
		s := lyticsImport(t, e, func(s *jobs.JobSpec) { s.Schedule = weekly() })
		job := create(t, e, s)
		if got := a.one()["status"]; got != "running" {
			t.Errorf("got status %v, want running: the definition has a schedule", got)
		}
		wake := time.Date(2030, 1, 1, 8, 30, 0, 0, time.UTC)
		a.FinishRun(a.id(), "sleeping", wake)
		if got := read(t, e, job.ID); got.NextRunAt == nil || !got.NextRunAt.Equal(wake) || got.Paused || got.LastRun != nil {
			t.Errorf("got next run %v, paused %t, last run %v; want %v, not paused and no last run", got.NextRunAt, got.Paused, got.LastRun, wake)
		}
		// Somebody gives it a tag and quiet hours, and changes the frequency.
		body := a.one()
		config := body["config"].(map[string]any)
		config["run_frequency"], config["database"] = "daily", "marketing"
		changed := map[string]any{
			"name": body["name"], "config": config, "auth_ids": body["auth_ids"], "description": body["description"], "tag": "mine",
			"quiet_timezone": "UTC", "quiet_period": 3,
		}
		a.outside("PUT", "/v2/job/databricks-import/"+a.id(), changed)
		got := read(t, e, job.ID)
		if got.Schedule.Frequency != jobs.Daily || got.Import.Database != "marketing" {
			t.Errorf("got frequency %s and database %s, want what was changed in Lytics", got.Schedule.Frequency, got.Import.Database)
		}
		// A pause of an operator survives a change of the definition.
		if got, err := e.PauseJob(t.Context(), job.ID, true); err != nil || !got.Paused || got.NextRunAt != nil {
			t.Errorf("got %+v, %v; want it paused", got, err)
		}
		s.Description = "changed"
		if got = update(t, e, job.ID, s); !got.Paused {
			t.Error("the change resumed the job, want it paused")
		}
		after := a.one()
		if status := after["status"]; status != "paused" && status != "pausing" {
			t.Errorf("got status %v in Lytics, want paused", status)
		}
		if after["tag"] != "mine" || after["quiet_timezone"] != "UTC" || after["description"] != "changed" {
			t.Errorf("got %v, want the tag and the quiet hours kept", after)
		}
		if config := after["config"].(map[string]any); config["run_frequency"] != "weekly" || config["database"] != "sales" ||
			config["day_of_week"] != "tuesday" || config["time_of_day"] != "09:30" || config["timezone"] != "Europe/Berlin" {
			t.Errorf("got config %v, want that of the definition", config)
		}
		if got, err := e.PauseJob(t.Context(), job.ID, false); err != nil || got.Paused || got.Lytics.Status != "running" {
			t.Errorf("got %+v, %v; want it to run again", got, err)
		}
		yes := true
		s.Schedule.Paused = &yes
		if got = update(t, e, job.ID, s); !got.Paused {
			t.Error("the definition says paused, and the job is not")
		}
		// Unknown words of Lytics are shown as they are.
		a.FinishRun(a.id(), "fault-3", time.Time{})
		all, err := e.Jobs(t.Context())
		if err != nil || len(all) != 1 || all[0].Lytics.Status != "fault-3" {
			t.Errorf("got %+v, %v; want the status fault-3", all, err)
		}
		// Lytics does not tell when a job ran last; updated is its last change.
		if all[0].LastRun != nil {
			t.Errorf("got last run %+v, want none", all[0].LastRun)
		}
		a.outside("POST", "/v2/job/"+a.id()+"/kill", nil)
		_, err = e.Job(t.Context(), job.ID)
		wantCode(t, "killed in Lytics", err, jobs.CodeNotFound, "")
		// Terraform drops it from its state and creates it anew.
		if again := create(t, e, s); again.ID == job.ID || !again.Paused || a.one()["status"] != "initializing" {
			t.Errorf("got job %+v, want a new one that did not run", again)
		}
	}
}

// A creation whose answer is lost is searched for, and made again only if it is not
// there.
func TestACreationWhoseAnswerIsLostIsNotRepeated(t *testing.T) {
	t.Parallel()
	for _, effect := range []bool{true, false} {
		a := openAccount(t, lyticstest.Switches{})
		e := a.open()
		s := lyticsImport(t, e)
		a.Inject(lyticstest.Fault{Method: "POST", Path: "/v2/job/databricks-import", Cut: true, AfterEffect: effect})
		job := create(t, e, s)
		if id := a.id(); id != job.Lytics.ID {
			t.Errorf("got job %s, want %s", job.Lytics.ID, id)
		}
		a.Inject(lyticstest.Fault{Method: "POST", Path: "/v2/auth/databricks-db", Cut: true, AfterEffect: effect})
		if _, err := e.CreateAuthorization(t.Context(), lyticsAuth("second")); err != nil || len(a.AuthConfigs()) != 2 {
			t.Errorf("got %v and %d authorizations, want 2", err, len(a.AuthConfigs()))
		}
	}
}

// An apply that ended while Lytics created a job finds it the next time.
func TestAnInterruptedCreationIsAdopted(t *testing.T) {
	t.Parallel()
	a := openAccount(t, lyticstest.Switches{})
	first := a.open()
	s := lyticsImport(t, first)
	// The answer is lost, and so is the answer to the search for the job.
	a.Inject(lyticstest.Fault{Method: "POST", Path: "/v2/job/databricks-import", Cut: true, AfterEffect: true})
	a.Inject(lyticstest.Fault{Method: "GET", Path: "/v2/job", Skip: 1, Status: 403})
	if _, err := first.CreateJob(t.Context(), s); err == nil {
		t.Fatal("got no error, want one")
	}
	id := a.id()
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if job := create(t, a.open(), s); job.Lytics.ID != id {
		t.Errorf("got job %s, want the one that was created, %s", job.Lytics.ID, id)
	}
}

func TestLyticsLimitsCreations(t *testing.T) {
	t.Parallel()
	a := openAccount(t, lyticstest.Switches{})
	e := a.open()
	s := lyticsImport(t, e)
	for n := range 10 {
		s.Label, s.Import.Table = string(rune('a'+n)), string(rune('a'+n))
		s.Import.Stream = s.Import.Table
		create(t, e, s)
	}
	s.Label, s.Import.Table = "one too many", "k"
	_, err := e.CreateJob(t.Context(), s)
	wantCode(t, "the eleventh creation within an hour", err, jobs.CodeLimited, "")
	if all, err := e.Jobs(t.Context()); err != nil || len(all) != 10 {
		t.Errorf("got %d jobs, %v; want 10: the refused one leaves nothing", len(all), err)
	}
}

func TestAJobOfLyticsIsAdopted(t *testing.T) {
	t.Parallel()
	for _, switches := range []lyticstest.Switches{{}, {UnderscoreSlugs: true}} {
		a := openAccount(t, switches)
		auth := a.outside("POST", "/v2/auth/databricks-db", map[string]any{"label": "theirs", "config": map[string]any{
			"host": "dbc-1.cloud.databricks.com", "port": 443, "httppath": "/sql/1", "token": "t",
		}})
		made := a.outside("POST", "/v2/job/databricks-import", map[string]any{
			"name": "orders", "description": "theirs", "auth_ids": []any{auth["id"]}, "config": map[string]any{
				"catalog": "main", "database": "sales", "source": "orders", "timestamp_field": "updated_at", "since_date": "2026-01-02T00:00:00Z",
				"continuous_update": true, "run_frequency": "hourly", "timezone": "UTC",
			},
		})
		e := a.open()
		job := read(t, e, jobs.LyticsIDPrefix+made["id"].(string))
		since := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
		want := jobs.JobSpec{
			Label: "orders", Description: "theirs", AuthorizationID: job.AuthorizationID, ManagedBy: jobs.ManagedByLytics,
			QueryTimeout: jobs.DefaultQueryTimeout, FailOnError: true,
			Import: &jobs.TableImport{
				Catalog: "main", Database: "sales", Table: "orders", TimestampColumn: "updated_at", Stream: "databricks_orders", Since: &since,
			},
			Schedule: &jobs.Schedule{Frequency: jobs.Hourly, StartImmediately: true, CatchUp: jobs.CatchUpOne},
		}
		if diff := cmp.Diff(want, job.JobSpec); diff != "" {
			t.Errorf("the adopted definition (-want +got):\n%s", diff)
		}
		if again := read(t, e, jobs.LyticsIDPrefix+made["id"].(string)); again.ID != job.ID {
			t.Errorf("got id %s the second time, want %s", again.ID, job.ID)
		}
		owner, err := e.Authorization(t.Context(), jobs.LyticsIDPrefix+auth["id"].(string))
		if err != nil || owner.ID != job.AuthorizationID || owner.SecretReadable || owner.Host != "" {
			t.Errorf("got %+v, %v; want authorization %s without a secret", owner, err, job.AuthorizationID)
		}
		for _, id := range []string{owner.ID, job.ID} {
			if err := e.Confirm(t.Context(), id); err != nil {
				t.Error(err)
			}
		}
		// The next apply sends what Lytics does not tell.
		if _, err := e.UpdateAuthorization(t.Context(), owner.ID, lyticsAuth("theirs")); err != nil {
			t.Fatal(err)
		}
		want.Import.TimestampColumn, want.Description = "changed_at", "ours"
		update(t, e, job.ID, want)
		if config := a.one()["config"].(map[string]any); config["timestamp_field"] != "changed_at" || a.one()["description"] != "ours" {
			t.Errorf("got %v, want what the definition says", a.one())
		}
	}
}

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

func TestWhatLyticsHasNotIsRefused(t *testing.T) {
	t.Parallel()
	a := openAccount(t, lyticstest.Switches{})
	e := a.open()
	s := lyticsImport(t, e)
	s.Import.Where = "x = 1"
	_, err := e.CreateJob(t.Context(), s)
	if err == nil || !strings.Contains(err.Error(), "Lytics has no where") {
		t.Errorf("got %v, want where to be refused", err)
	}
	s.Import.Where = ""
	job := create(t, e, s)
	_, err = e.DryRun(t.Context(), job.ID)
	wantCode(t, "a dry run", err, jobs.CodeInvalid, "managed_by")
	after := importSpec(authorize(t, e).ID, "orders")
	after.After = []string{job.ID}
	_, err = e.CreateJob(t.Context(), after)
	wantCode(t, "a job after it", err, jobs.CodeInvalid, "after")
	embedded := process(t, t.TempDir(), nil)
	_, err = embedded.CreateAuthorization(t.Context(), lyticsAuth("warehouse"))
	wantCode(t, "without a Lytics account", err, jobs.CodeInvalid, "managed_by")
}

// A runner plans and executes nothing of a job that Lytics executes.
func TestARunnerSchedulesNoJobOfLytics(t *testing.T) {
	t.Parallel()
	a := openAccount(t, lyticstest.Switches{})
	e := a.open()
	create(t, e, lyticsImport(t, e, func(s *jobs.JobSpec) { s.Schedule = weekly() }))
	a.FinishRun(a.id(), "sleeping", time.Now().Add(-time.Hour))
	_, db := serve(t, a.dir, nil)
	if schedule, run, err := db.Due(t.Context()); err != nil || schedule != nil || run != nil {
		t.Errorf("got schedule %v and run %v due, %v; want none", schedule, run, err)
	}
}
