package engine_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// open opens an engine on the store in dir, as another process would.
func open(t *testing.T, dir string) *engine.Engine {
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

func spec(host string) jobs.AuthorizationChange {
	token := jobs.NewSecret("dapi-1")
	return jobs.AuthorizationChange{Token: &token, AuthorizationSpec: jobs.AuthorizationSpec{
		Label: "warehouse", Host: host, Port: 443, HTTPPath: "/sql/1.0/warehouses/a", TokenVersion: 1}}
}

func authorize(t *testing.T, e *engine.Engine) jobs.Authorization {
	t.Helper()
	a, err := e.CreateAuthorization(t.Context(), spec("dbc-1.cloud.databricks.com"))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func importSpec(auth, table string) jobs.JobSpec {
	return jobs.JobSpec{Label: table, AuthorizationID: auth, QueryTimeout: time.Minute, Import: &jobs.TableImport{
		Catalog: "main", Database: "sales", Table: table, TimestampColumn: "ts"}}
}

// checklist 58 61: reading does not create a store.
func TestReadingDoesNotCreateAStore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e := open(t, dir)
	if all, err := e.Jobs(t.Context()); !jobs.IsCode(err, jobs.CodeStore) {
		t.Fatalf("%v, %v", all, err)
	}
	if _, err := e.Authorization(t.Context(), "auth_x"); !jobs.IsCode(err, jobs.CodeStore) {
		t.Fatalf("a missing store says %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "data")); !errors.Is(err, fs.ErrNotExist) {
		t.Fatal("a store was created")
	}
}

// checklist 49
func TestChangedHostNeedsTheTokenAgain(t *testing.T) {
	t.Parallel()
	e := open(t, t.TempDir())
	a := authorize(t, e)
	moved := spec("dbc-2.cloud.databricks.com")
	moved.Token = nil
	_, err := e.UpdateAuthorization(t.Context(), a.ID, moved)
	if got, ok := errors.AsType[*jobs.Error](err); !ok || got.Attribute != "token_wo" {
		t.Fatalf("got %v", err)
	}
	j, err := e.CreateJob(t.Context(), importSpec(a.ID, "customers"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.UpdateAuthorization(t.Context(), a.ID, spec("dbc-2.cloud.databricks.com")); err != nil {
		t.Fatal(err)
	}
	// The key of the job changed with the host, so the old key is free for
	// another job.
	if back, err := e.Authorization(t.Context(), a.ID); err != nil || !back.SecretReadable {
		t.Fatalf("%+v, %v", back, err)
	}
	other := authorize(t, e)
	k, err := e.CreateJob(t.Context(), importSpec(other.ID, "customers"))
	if err != nil || k.ID == j.ID {
		t.Fatalf("%v, %v", k.ID, err)
	}
}

// The host of an authorization is part of its jobs' keys: all of them change,
// or none.
func TestHostChangeIsAllOrNothing(t *testing.T) {
	t.Parallel()
	e := open(t, t.TempDir())
	a := authorize(t, e)
	var made []jobs.Job
	for _, table := range []string{"customers", "orders"} {
		j, err := e.CreateJob(t.Context(), importSpec(a.ID, table))
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, j)
	}
	// Another authorization already has a job of the key that "orders" would get.
	other, err := e.CreateAuthorization(t.Context(), spec("dbc-2.cloud.databricks.com"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.CreateJob(t.Context(), importSpec(other.ID, "orders")); err != nil {
		t.Fatal(err)
	}
	if _, err := e.UpdateAuthorization(t.Context(), a.ID, spec("dbc-2.cloud.databricks.com")); !jobs.IsCode(err, jobs.CodeConflict) {
		t.Fatalf("got %v, want a conflict with the other authorization's job", err)
	}
	if back, err := e.Authorization(t.Context(), a.ID); err != nil || back.Host != a.Host || !back.SecretReadable {
		t.Errorf("got host %q, secret readable %t, %v; want host %q, true, nil", back.Host, back.SecretReadable, err, a.Host)
	}
	// The keys of both jobs are still those of the old host.
	for _, j := range made {
		_, err := e.CreateJob(t.Context(), importSpec(a.ID, j.Import.Table))
		if !jobs.IsCode(err, jobs.CodeConflict) || !strings.Contains(err.Error(), j.ID) {
			t.Errorf("a second job of %s: got %v, want a conflict with %s", j.Import.Table, err, j.ID)
		}
	}
}

func TestAuthorizationWithoutATokenIsRefused(t *testing.T) {
	t.Parallel()
	e := open(t, t.TempDir())
	c := spec("dbc-1.cloud.databricks.com")
	c.Token = nil
	if _, err := e.CreateAuthorization(t.Context(), c); !jobs.IsCode(err, jobs.CodeInvalid) {
		t.Fatalf("got %v", err)
	}
}

// checklist 59: a second job of the same key is refused in the same process and
// in another one.
func TestSecondJobOfTheSameKeyIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := open(t, dir)
	a := authorize(t, first)
	j, err := first.CreateJob(t.Context(), importSpec(a.ID, "customers"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := first.CreateJob(t.Context(), importSpec(a.ID, "customers")); !jobs.IsCode(err, jobs.CodeConflict) || !strings.Contains(err.Error(), j.ID) {
		t.Fatalf("the same process: %v", err)
	}
	if err := first.Confirm(t.Context(), j.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t, dir).CreateJob(t.Context(), importSpec(a.ID, "customers")); !jobs.IsCode(err, jobs.CodeConflict) {
		t.Fatalf("another process: %v", err)
	}
}

// checklist 36: next_run_at, and what pausing does to it.
func TestASchedulePlansTheNextRun(t *testing.T) {
	t.Parallel()
	e := open(t, t.TempDir())
	a := authorize(t, e)
	s := importSpec(a.ID, "customers")
	s.Schedule = &jobs.Schedule{Frequency: jobs.Daily, TimeOfDay: "02:30", Timezone: "UTC"}
	j, err := e.CreateJob(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if j.NextRunAt == nil || j.NextRunAt.Format("15:04:05") != "02:30:00" || time.Until(*j.NextRunAt) > 24*time.Hour {
		t.Fatalf("next run %v", j.NextRunAt)
	}
	yes := true
	s.Schedule.Paused = &yes
	if j, err = e.UpdateJob(t.Context(), j.ID, s); err != nil || j.NextRunAt != nil || !j.Paused {
		t.Fatalf("%+v, %v", j, err)
	}
	// If paused is left out, the job stays paused.
	s.Schedule.Paused = nil
	if j, err = e.UpdateJob(t.Context(), j.ID, s); err != nil || !j.Paused {
		t.Fatalf("%+v, %v", j, err)
	}
	s.Schedule.Timezone = "Mars/Olympus"
	if _, err := e.UpdateJob(t.Context(), j.ID, s); !jobs.IsCode(err, jobs.CodeInvalid) {
		t.Fatalf("an unknown zone: %v", err)
	}
}

func TestExportNeedsAnAudienceAndKeepsItFromDeletion(t *testing.T) {
	t.Parallel()
	e := open(t, t.TempDir())
	a := authorize(t, e)
	s := jobs.JobSpec{Label: "vip", AuthorizationID: a.ID, Export: &jobs.AudienceExport{AudienceID: "vip", Catalog: "main", Database: "sales"}}
	_, err := e.CreateJob(t.Context(), s)
	if got, ok := errors.AsType[*jobs.Error](err); !ok || got.Attribute != "audience_id" {
		t.Fatalf("got %v", err)
	}
	audience, err := e.CreateAudience(t.Context(), jobs.Audience{Name: "VIP customers", Slug: "vip", Filter: "FILTER *"}, "owner")
	if err != nil {
		t.Fatal(err)
	}
	s.Export = &jobs.AudienceExport{AudienceID: audience.ID, Catalog: "main", Database: "sales"}
	j, err := e.CreateJob(t.Context(), s)
	if err != nil || j.Export.TableName != "lytics_user_vip" {
		t.Fatalf("%+v, %v", j.Export, err)
	}
	if err := e.DeleteAudience(t.Context(), audience.ID, "owner"); !jobs.IsCode(err, jobs.CodeInUse) || !strings.Contains(err.Error(), j.ID) {
		t.Fatalf("got %v", err)
	}
	if err := e.DeleteJob(t.Context(), j.ID); err != nil {
		t.Fatal(err)
	}
	if err := e.DeleteAudience(t.Context(), audience.ID, "owner"); err != nil {
		t.Fatal(err)
	}
}

// checklist 26: a run that cannot reach its warehouse fails with its reason.
func TestARunRecordsItsFailure(t *testing.T) {
	t.Parallel()
	e := open(t, t.TempDir())
	c := spec("http://127.0.0.1")
	c.Port = 1
	a, err := e.CreateAuthorization(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	j, err := e.CreateJob(t.Context(), importSpec(a.ID, "customers"))
	if err != nil {
		t.Fatal(err)
	}
	run, err := e.StartRun(t.Context(), j.ID, jobs.ReasonApply)
	if err != nil {
		t.Fatal(err)
	}
	done, err := e.WaitRun(t.Context(), run.ID, nil)
	if err != nil || done.Status != jobs.StatusFailed || done.Failure.Code != jobs.CodeUnreachable || done.FinishedAt == nil {
		t.Fatalf("%+v, %v", done, err)
	}
	if stored, err := e.Run(t.Context(), run.ID); err != nil || stored.Failure != done.Failure {
		t.Fatalf("%+v, %v", stored, err)
	}
	// The command line lists the same run.
	if all, err := e.ListRuns(t.Context(), jobs.RunFilter{JobID: j.ID}); err != nil || len(all) != 1 {
		t.Fatalf("%v, %v", all, err)
	}
}

// checklist 44: a job is adopted even if its process was killed long after it
// created the job.
func TestOldJobOfAKilledProcessIsAdopted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := open(t, dir)
	a := authorize(t, first)
	j, err := first.CreateJob(t.Context(), importSpec(a.ID, "customers"))
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), store.Location{Dir: filepath.Join(dir, "data")}, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	// The creator has no heartbeat any more, and the job is an hour old.
	err = db.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.ExecContext(t.Context(), `UPDATE jobs SET creator = 'in_killed', created_at = created_at - 3600000000;
			INSERT INTO instances (id, kind, heartbeat_at) VALUES ('in_killed', 'apply', CAST(unixepoch('subsec') * 1000000 AS INTEGER))`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	adopted, err := open(t, dir).CreateJob(t.Context(), importSpec(a.ID, "customers"))
	if err != nil || adopted.ID != j.ID {
		t.Fatalf("%s, %v", adopted.ID, err)
	}
}
