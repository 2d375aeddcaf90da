package engine_test

import (
	"os/user"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// audited lists the audit log, the oldest entry first, without ids and times.
func audited(t *testing.T, a jobs.API) []jobs.AuditEntry {
	t.Helper()
	page, err := a.AuditLog(t.Context(), jobs.AuditFilter{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	out := make([]jobs.AuditEntry, 0, len(page.Entries))
	for i := range page.Entries {
		e := page.Entries[len(page.Entries)-1-i]
		if e.ID == 0 || e.At.IsZero() {
			t.Errorf("an entry has no id or no time: %+v", e)
		}
		e.ID = 0
		out = append(out, e)
	}
	return out
}

var withoutTime = cmpopts.IgnoreFields(jobs.AuditEntry{}, "At")

// Every change is in the audit log, with who made it and its result; reading is not,
// and no value of a definition or of a user is.
func TestChangesAreInTheAuditLog(t *testing.T) {
	t.Parallel()
	a := engine.Audited{Engine: process(t, t.TempDir(), succeed)}
	who := jobs.Actor{Name: "ci", Role: jobs.RoleAdmin, Via: jobs.ViaAPI, Address: "192.0.2.7"}
	ctx := jobs.WithActor(t.Context(), who)
	secret := jobs.NewSecret("dapi-canary-of-the-log")
	spec := jobs.AuthorizationSpec{Label: "warehouse", Host: "http://127.0.0.1", Port: 1, HTTPPath: "/canary-of-the-log"}
	auth, err := a.CreateAuthorization(ctx, jobs.AuthorizationChange{AuthorizationSpec: spec, Token: &secret})
	if err != nil {
		t.Fatal(err)
	}
	job, err := a.CreateJob(ctx, jobs.JobSpec{
		Label: "orders", AuthorizationID: auth.ID, Schedule: &jobs.Schedule{Frequency: jobs.Daily, TimeOfDay: "03:00"},
		Import: &jobs.TableImport{Catalog: "main", Database: "sales", Table: "canary-of-the-log", TimestampColumn: "ts"},
	})
	if err != nil {
		t.Fatal(err)
	}
	run, err := a.StartRun(ctx, job.ID, jobs.ReasonManual)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.WaitRun(ctx, run.ID, nil); err != nil {
		t.Fatal(err)
	}
	_, _ = a.Jobs(ctx)
	_, _ = a.Run(ctx, run.ID)
	if _, err := a.PauseJob(ctx, job.ID, true); err != nil {
		t.Fatal(err)
	}
	if _, err := a.PauseJob(ctx, job.ID, false); err != nil {
		t.Fatal(err)
	}
	if err := a.DeleteAuthorization(ctx, auth.ID); !jobs.IsCode(err, jobs.CodeInUse) {
		t.Fatalf("got %v, want in_use", err)
	}
	if _, err := a.CreateField(ctx, jobs.Field{ID: "email", Type: "string", IsIdentifier: true}, "owner"); err != nil {
		t.Fatal(err)
	}
	identity := jobs.ErasureRequest{Identity: jobs.Identity{Field: "email", Value: "canary-of-the-log@example.com"}}
	_, _ = a.Erase(ctx, identity)
	identity.DryRun = true
	_, _ = a.Erase(ctx, identity)
	if err := a.DeleteJob(ctx, job.ID); err != nil {
		t.Fatal(err)
	}
	token, err := a.CreateToken(ctx, jobs.TokenSpec{Name: "reader", Role: jobs.RoleRead})
	if err != nil {
		t.Fatal(err)
	}
	entry := func(action, object, label, result string) jobs.AuditEntry {
		return jobs.AuditEntry{Actor: "ci", Role: jobs.RoleAdmin, Via: jobs.ViaAPI, Address: "192.0.2.7", Action: action, Object: object,
			Label: label, Result: result}
	}
	started := entry("start-run", job.ID, "orders", "ok")
	started.RunID = run.ID
	want := []jobs.AuditEntry{
		entry("create-authorization", auth.ID, "warehouse", "ok"), entry("create-job", job.ID, "orders", "ok"), started,
		entry("pause-job", job.ID, "orders", "ok"), entry("resume-job", job.ID, "orders", "ok"),
		entry("delete-authorization", auth.ID, "warehouse", "in_use"), entry("create-field", "email", "", "ok"),
		entry("erase", "email", "", "ok"), entry("delete-job", job.ID, "orders", "ok"), entry("create-token", "reader", "", "ok"),
	}
	got := audited(t, a)
	if d := cmp.Diff(want, got, withoutTime); d != "" {
		t.Errorf("the audit log: want and got:\n%s", d)
	}
	for _, e := range got {
		for _, text := range []string{e.Object, e.Label, e.Result, e.Action} {
			if strings.Contains(text, "canary") || strings.Contains(text, token.Secret.Reveal()) {
				t.Errorf("a value is in the audit log: %+v", e)
			}
		}
	}
}

// In embedded use, who makes a change is the user of the operating system.
func TestEmbeddedChangesAreOfTheOperatingSystemsUser(t *testing.T) {
	t.Parallel()
	e := process(t, t.TempDir(), succeed)
	job := createJob(t, e, "orders")
	a := engine.Audited{Engine: e}
	if err := a.DeleteJob(t.Context(), job.ID); err != nil {
		t.Fatal(err)
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	got := audited(t, a)
	if len(got) != 1 || got[0].Actor != me.Username || got[0].Via != jobs.ViaEmbedded || got[0].Address == "" {
		t.Errorf("got %+v, want one change by %s on this machine", got, me.Username)
	}
}

// A change and its entry are one transaction: without the entry, the change is not
// made.
func TestChangeAndItsEntryAreOneTransaction(t *testing.T) {
	t.Parallel()
	e, db := serve(t, t.TempDir(), succeed)
	job := createJob(t, e, "orders")
	a := engine.Audited{Engine: e}
	exec(t, db, `CREATE TRIGGER no_entries BEFORE INSERT ON audit BEGIN SELECT raise(ABORT, 'the log is full'); END`)
	if err := a.DeleteJob(t.Context(), job.ID); err == nil || !strings.Contains(err.Error(), "the log is full") {
		t.Errorf("got %v, want the error of the log", err)
	}
	if _, err := a.StartRun(t.Context(), job.ID, jobs.ReasonManual); err == nil {
		t.Error("a run was started without an entry")
	}
	if _, err := a.CreateToken(t.Context(), jobs.TokenSpec{Name: "ci", Role: jobs.RoleRead}); err == nil {
		t.Error("a token was created without an entry")
	}
	exec(t, db, `DROP TRIGGER no_entries`)
	if _, err := a.Job(t.Context(), job.ID); err != nil {
		t.Errorf("the job was deleted without an entry: %v", err)
	}
	if all, err := a.Tokens(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("got tokens %+v, %v; want none", all, err)
	}
	if runs, err := a.ListRuns(t.Context(), jobs.RunFilter{}); err != nil || len(runs) != 0 {
		t.Errorf("got runs %+v, %v; want none", runs, err)
	}
}

// Without a runner, the first change that a process makes removes entries that are older
// than a runner would keep them. Where a runner has made entries, its operator decides.
func TestEmbeddedUseForgetsOldEntries(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		via  jobs.Via
		want []string
	}{
		"embedded use only": {jobs.ViaEmbedded, []string{"kept", "create-field"}},
		"a runner before":   {jobs.ViaAPI, []string{"old", "kept", "create-field"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			a := engine.Audited{Engine: process(t, dir, succeed)}
			db, err := store.Open(t.Context(), store.Location{Dir: dataDir(dir)}, false)
			if err != nil {
				t.Fatal(err)
			}
			for action, days := range map[string]int{"old": 401, "kept": 399} {
				if err := db.AppendAudit(t.Context(), jobs.AuditEntry{Action: action, Actor: "me", Via: c.via, Result: jobs.AuditOK}); err != nil {
					t.Fatal(err)
				}
				exec(t, db, `UPDATE audit SET at = at - ? WHERE action = ?`, (time.Duration(days) * 24 * time.Hour).Microseconds(), action)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			if _, err := a.CreateField(t.Context(), jobs.Field{ID: "email", Type: "string"}, "mine"); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, e := range audited(t, a) {
				got = append(got, e.Action)
			}
			slices.Sort(got)
			slices.Sort(c.want)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("entries (-want +got):\n%s", diff)
			}
		})
	}
}
