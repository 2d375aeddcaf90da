package engine_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/lyticstest"
)

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
	_, err = e.DryRun(t.Context(), job.ID, 0)
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
