package client_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// process opens what looks like one process on a store of the test's own.
type process func() jobs.API

// conforms runs one test against the engine itself, and against a runner of it
// that clients ask.
func conforms(t *testing.T, check func(t *testing.T, open process)) {
	t.Helper()
	inProcess := func(t *testing.T, dir string) *engine.Engine {
		t.Helper()
		e := engine.New(engine.Options{
			DataDir: filepath.Join(dir, "data"), EncryptionKeyFile: filepath.Join(dir, "keys", "key"), AllowPrivateHosts: true,
			Getenv: func(string) string { return "" },
		})
		t.Cleanup(func() {
			if err := e.Close(); err != nil {
				t.Error(err)
			}
		})
		return e
	}
	t.Run("in process", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		check(t, func() jobs.API { return inProcess(t, dir) })
	})
	t.Run("over HTTP", func(t *testing.T) {
		t.Parallel()
		e := inProcess(t, t.TempDir())
		check(t, func() jobs.API {
			c, _ := serve(t, e)
			return c
		})
	})
}

func authorize(t *testing.T, a jobs.API, label string) jobs.Authorization {
	t.Helper()
	secret := jobs.NewSecret("dapi-1")
	made, err := a.CreateAuthorization(t.Context(), jobs.AuthorizationChange{Token: &secret, AuthorizationSpec: jobs.AuthorizationSpec{
		// Nothing listens there.
		Label: label, Host: "http://127.0.0.1", Port: 1, HTTPPath: "/sql/1.0/warehouses/a", TokenVersion: 3}})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func importSpec(auth, table string) jobs.JobSpec {
	since := time.Date(2026, 3, 8, 7, 30, 0, 123456000, time.UTC)
	return jobs.JobSpec{
		Label: table, AuthorizationID: auth, QueryTimeout: time.Minute, FailOnError: true, Triggers: map[string]string{"a": "1"},
		Import: &jobs.TableImport{Catalog: "main", Database: "sales", Table: table, TimestampColumn: "ts", Since: &since},
	}
}

// checklist 58: a store that is not there is no empty one.
func TestAMissingStoreIsNoEmptyOne(t *testing.T) {
	t.Parallel()
	conforms(t, func(t *testing.T, open process) {
		t.Helper()
		a := open()
		if _, err := a.Store(t.Context(), false); !jobs.IsCode(err, jobs.CodeStore) {
			t.Fatalf("got %v", err)
		}
		made, err := a.Store(t.Context(), true)
		if err != nil || made.ID == "" || made.Location == "" || made.RunnerAlive {
			t.Fatalf("%+v, %v", made, err)
		}
		if again, err := open().Store(t.Context(), false); err != nil || again.ID != made.ID {
			t.Fatalf("%+v, %v", again, err)
		}
	})
}

// checklist 46 49
func TestAuthorizationsLiveAndDie(t *testing.T) {
	t.Parallel()
	conforms(t, func(t *testing.T, open process) {
		t.Helper()
		a := open()
		made := authorize(t, a, "warehouse")
		if !made.SecretReadable || made.TokenVersion != 3 || made.CreatedAt.IsZero() {
			t.Fatalf("%+v", made)
		}
		moved := jobs.AuthorizationChange{AuthorizationSpec: made.AuthorizationSpec}
		moved.Host = "http://127.0.0.2"
		_, err := a.UpdateAuthorization(t.Context(), made.ID, moved)
		if e, ok := errors.AsType[*jobs.Error](err); !ok || e.Code != jobs.CodeInvalid || e.Attribute != "token_wo" || e.Next == "" {
			t.Fatalf("got %#v", err)
		}
		same := jobs.AuthorizationChange{AuthorizationSpec: made.AuthorizationSpec}
		same.Label = "renamed"
		if got, err := a.UpdateAuthorization(t.Context(), made.ID, same); err != nil || got.Label != "renamed" || !got.SecretReadable {
			t.Fatalf("%+v, %v", got, err)
		}
		j, err := a.CreateJob(t.Context(), importSpec(made.ID, "customers"))
		if err != nil {
			t.Fatal(err)
		}
		if err := a.DeleteAuthorization(t.Context(), made.ID); !jobs.IsCode(err, jobs.CodeInUse) || !strings.Contains(err.Error(), j.ID) {
			t.Fatalf("got %v", err)
		}
		if err := a.DeleteJob(t.Context(), j.ID); err != nil {
			t.Fatal(err)
		}
		if err := a.DeleteAuthorization(t.Context(), made.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Authorization(t.Context(), made.ID); !jobs.IsCode(err, jobs.CodeNotFound) {
			t.Fatalf("got %v", err)
		}
	})
}

// checklist 47 59
func TestJobsLiveAndDie(t *testing.T) {
	t.Parallel()
	conforms(t, func(t *testing.T, open process) {
		t.Helper()
		a := open()
		auth := authorize(t, a, "warehouse")
		spec := importSpec(auth.ID, "customers")
		spec.Schedule = &jobs.Schedule{Frequency: jobs.Daily, TimeOfDay: "02:30", Timezone: "Europe/Berlin"}
		made, err := a.CreateJob(t.Context(), spec)
		if err != nil {
			t.Fatal(err)
		}
		if made.Import.Stream != "databricks_main_sales_customers" || made.NextRunAt == nil || !made.Import.Since.Equal(*spec.Import.Since) {
			t.Fatalf("%+v", made)
		}
		if _, err := a.CreateJob(t.Context(), spec); !jobs.IsCode(err, jobs.CodeConflict) || !strings.Contains(err.Error(), made.ID) {
			t.Fatalf("a second one of the same key: %v", err)
		}
		spec.Label = "renamed"
		if got, err := a.UpdateJob(t.Context(), made.ID, spec); err != nil || got.Label != "renamed" {
			t.Fatalf("%+v, %v", got, err)
		}
		if got, err := a.PauseJob(t.Context(), made.ID, true); err != nil || !got.Paused || got.NextRunAt != nil {
			t.Fatalf("%+v, %v", got, err)
		}
		if got, err := a.PauseJob(t.Context(), made.ID, false); err != nil || got.Paused || got.NextRunAt == nil {
			t.Fatalf("%+v, %v", got, err)
		}
		if all, err := a.Jobs(t.Context()); err != nil || len(all) != 1 || all[0].ID != made.ID {
			t.Fatalf("%+v, %v", all, err)
		}
		for range 2 {
			if err := a.DeleteJob(t.Context(), made.ID); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := a.Job(t.Context(), made.ID); !jobs.IsCode(err, jobs.CodeNotFound) {
			t.Fatalf("got %v", err)
		}
		for name, err := range map[string]error{
			"UpdateJob": second(a.UpdateJob(t.Context(), "job_x", spec)), "PauseJob": second(a.PauseJob(t.Context(), "job_x", true)),
			"StartRun": second(a.StartRun(t.Context(), "job_x", jobs.ReasonManual)), "Run": second(a.Run(t.Context(), "run_x")),
			"WaitRun": second(a.WaitRun(t.Context(), "run_x", nil)), "CancelRun": a.CancelRun(t.Context(), "run_x"),
			"RunLog": second(a.RunLog(t.Context(), "run_x")),
			"Field":  second(a.Field(t.Context(), "f")), "Mapping": second(a.Mapping(t.Context(), "m")), "Audience": second(a.Audience(t.Context(), "a/..")),
		} {
			if !jobs.IsCode(err, jobs.CodeNotFound) {
				t.Errorf("%s of what is not there gave %v", name, err)
			}
		}
	})
}

func second[T any](_ T, err error) error { return err }

// checklist 44: what a process left that died is adopted by the next; what one
// left that ended in good order, or that lives, is its own.
func TestTheNextApplyAdoptsWhatOneLeftThatDied(t *testing.T) {
	t.Parallel()
	conforms(t, func(t *testing.T, open process) {
		t.Helper()
		first := open()
		auth := authorize(t, first, "warehouse")
		spec := importSpec(auth.ID, "customers")
		made, err := first.CreateJob(t.Context(), spec)
		if err != nil {
			t.Fatal(err)
		}
		second := open()
		if _, err := second.CreateJob(t.Context(), spec); !jobs.IsCode(err, jobs.CodeConflict) {
			t.Fatalf("while the first lives: %v", err)
		}
		if dies, ok := first.(interface{ Die() }); ok {
			dies.Die()
			got, err := second.CreateJob(t.Context(), spec)
			if err != nil || got.ID != made.ID {
				t.Fatalf("after the first died: %+v, %v", got, err)
			}
		}
	})
}

func TestARunIsFollowedToItsEnd(t *testing.T) {
	t.Parallel()
	conforms(t, func(t *testing.T, open process) {
		t.Helper()
		a := open()
		j, err := a.CreateJob(t.Context(), importSpec(authorize(t, a, "warehouse").ID, "customers"))
		if err != nil {
			t.Fatal(err)
		}
		started, err := a.StartRun(t.Context(), j.ID, jobs.ReasonManual)
		if err != nil || started.JobID != j.ID || started.Reason != jobs.ReasonManual {
			t.Fatalf("%+v, %v", started, err)
		}
		ended := make(chan jobs.Run, 1)
		go func() {
			run, err := a.WaitRun(t.Context(), started.ID, func(jobs.Run) {})
			if err != nil {
				t.Error(err)
			}
			ended <- run
		}()
		if err := a.CancelRun(t.Context(), started.ID); err != nil {
			t.Fatal(err)
		}
		run := <-ended
		if run.ID != started.ID || run.Status.Active() || run.FinishedAt == nil {
			t.Fatalf("%+v", run)
		}
		list, err := a.ListRuns(t.Context(), jobs.RunFilter{JobID: j.ID, Statuses: []jobs.Status{run.Status}, Limit: 5})
		if err != nil || len(list) != 1 || list[0].ID != run.ID {
			t.Fatalf("%+v, %v", list, err)
		}
		if none, err := a.ListRuns(t.Context(), jobs.RunFilter{JobID: "job_x"}); err != nil || len(none) != 0 {
			t.Fatalf("%+v, %v", none, err)
		}
		if _, err := a.RunLog(t.Context(), run.ID); err != nil {
			t.Fatal(err)
		}
	})
}

// Ctrl-C of an apply cancels the run that it started.
func TestWhoStartedARunCancelsItByGoing(t *testing.T) {
	t.Parallel()
	conforms(t, func(t *testing.T, open process) {
		t.Helper()
		a := open()
		j, err := a.CreateJob(t.Context(), importSpec(authorize(t, a, "warehouse").ID, "customers"))
		if err != nil {
			t.Fatal(err)
		}
		started, err := a.StartRun(t.Context(), j.ID, jobs.ReasonApply)
		if err != nil {
			t.Fatal(err)
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := a.WaitRun(gone, started.ID, nil); err == nil {
			t.Fatal("an interrupted wait gave no error")
		}
		run, err := a.WaitRun(t.Context(), started.ID, nil)
		if err != nil || run.Status != jobs.StatusCancelled && run.Status != jobs.StatusFailed {
			t.Fatalf("%+v, %v", run, err)
		}
	})
}

func TestFieldsMappingsAndAudiencesLiveAndDie(t *testing.T) {
	t.Parallel()
	conforms(t, func(t *testing.T, open process) {
		t.Helper()
		a := open()
		field := jobs.Field{ID: "email", Type: "string", IsIdentifier: true, IsPII: true, MergeOperation: "latest", Description: "é"}
		f, err := a.CreateField(t.Context(), field)
		if err != nil || f.ID != "email" || !f.IsIdentifier || !f.IsPII {
			t.Fatalf("%+v, %v", f, err)
		}
		other := field
		other.Type, other.MergeOperation, other.IsIdentifier = "int", "sum", false
		if _, err := a.CreateField(t.Context(), other); !jobs.IsCode(err, jobs.CodeConflict) {
			t.Fatalf("got %v", err)
		}
		m, err := a.CreateMapping(t.Context(), jobs.Mapping{Stream: "a/b c", Field: "email", Expression: "email"})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := a.Mapping(t.Context(), m.ID); err != nil || got != m {
			t.Fatalf("%+v, %v", got, err)
		}
		if err := a.DeleteField(t.Context(), "email"); !jobs.IsCode(err, jobs.CodeInUse) {
			t.Fatalf("got %v", err)
		}
		audience, err := a.CreateAudience(t.Context(), jobs.Audience{Name: "All", Slug: "all", Filter: "FILTER AND (EXISTS email)"})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := a.Audience(t.Context(), "all"); err != nil || got != audience {
			t.Fatalf("%+v, %v", got, err)
		}
		if n, err := a.AudienceSize(t.Context(), "all"); err != nil || n != 0 {
			t.Fatalf("%d, %v", n, err)
		}
		for _, err := range a.Events(t.Context(), "none") {
			if !jobs.IsCode(err, jobs.CodeNotFound) {
				t.Fatalf("got %v", err)
			}
		}
		columns, rows, err := a.Scan(t.Context(), "all", nil)
		if err != nil || len(columns) == 0 {
			t.Fatalf("%+v, %v", columns, err)
		}
		for row, err := range rows {
			t.Errorf("a row of nobody: %v, %v", row, err)
		}
		if _, err := a.Profile(t.Context(), jobs.Identity{Field: "email", Value: "a@b"}); !jobs.IsCode(err, jobs.CodeNotFound) {
			t.Fatalf("got %v", err)
		}
		for what, err := range map[string]error{
			"audience": a.DeleteAudience(t.Context(), audience.ID), "mapping": a.DeleteMapping(t.Context(), m.ID), "field": a.DeleteField(t.Context(), "email"),
		} {
			if err != nil && what != "field" {
				t.Fatal(what, err)
			}
		}
		if fields, err := a.Fields(t.Context()); err != nil {
			t.Fatal(fields, err)
		}
	})
}
