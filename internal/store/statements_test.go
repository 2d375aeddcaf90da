//nolint:thelper // the functions given to onEachDatabase are the bodies of subtests
package store_test

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	msqlite "modernc.org/sqlite"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// subject holds the arguments of the statements. Its objects either are all in the
// store, or none is.
type subject struct {
	auth store.AuthorizationRow
	job  store.JobRow
	// held is the claim of an active run.
	held store.Claim
	// queued is the id of a shared run that is queued.
	queued string
	// alert is the id of an alert.
	alert string
}

// absent returns a subject whose objects are not in the store.
func absent(n string) subject {
	s := subject{held: store.Claim{RunID: "run_none" + n, JobID: "job_none" + n, AuthorizationID: "auth_none" + n, Owner: "in_none", Epoch: 1}, queued: "run_none" + n, alert: "none"}
	s.auth = store.AuthorizationRow{Authorization: jobs.Authorization{ID: s.held.AuthorizationID}}
	s.job = store.JobRow{Key: "none" + n, Job: jobs.Job{ID: s.held.JobID, JobSpec: jobs.JobSpec{AuthorizationID: s.held.AuthorizationID, Import: &jobs.TableImport{Table: "none"}}}}
	return s
}

// present inserts the objects of a subject into the store.
func present(t *testing.T, db *store.DB, n string) subject {
	t.Helper()
	s := subject{auth: authorization(t, db)}
	upstream := job(t, db, s.auth.ID, "upstream of "+n)
	s.job = job(t, db, s.auth.ID, n)
	s.job.After = []string{upstream.ID}
	if err := db.PutJob(t.Context(), s.job); err != nil {
		t.Fatal(err)
	}
	held, _ := claim(t, db, queue(t, db, s.job, "in_1"), "in_1")
	s.held, s.queued = *held, shared(t, db, s.job).ID
	failed := queue(t, db, upstream, "in_1")
	c, _ := claim(t, db, failed, "in_1")
	failed.Status = jobs.StatusFailed
	if err := db.FinishRun(t.Context(), c, failed); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.AddFailureAlerts(t.Context()), db.Beat(t.Context(), store.Instance{ID: "in_1", Kind: store.KindRunner})); err != nil {
		t.Fatal(err)
	}
	s.alert = "failure:" + failed.ID
	err := db.Write(t.Context(), func(tx *store.Tx) error {
		of := store.RejectedRun{ImportKey: s.job.Key, JobID: s.job.ID, RunID: s.held.RunID, Stream: "s"}
		return errors.Join(store.AddSent(t.Context(), tx, s.job.Key, 1, []store.SentRow{{Micros: 7, Times: 1}}),
			second(store.AddQuarantined(t.Context(), tx, of, []jobs.RejectedEvent{{Event: jobs.Event{ID: "e0"}, Reason: "why"}}, 10, nil)))
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// tokenRow is a token that no other subject has.
func tokenRow(s subject) store.NewTokenRow {
	return store.NewTokenRow{Name: s.job.Key, Role: jobs.RoleRead, Hash: jobs.HashToken(store.NewID("t")), Lifetime: time.Hour}
}

// everySearch is a search with all conditions.
func everySearch(s subject) jobs.RunSearch {
	return jobs.RunSearch{
		JobIDs: []string{s.job.ID, "job_none"}, Statuses: []jobs.Status{jobs.StatusFailed, jobs.StatusQueued}, Reasons: []jobs.Reason{jobs.ReasonManual},
		From: time.Unix(7, 0), Until: time.Unix(8, 0), Problem: "isn't … quoted?", Text: `50%_!`, Before: "7.run_x", Limit: 3,
	}
}

// anyKey is a key that encrypted nothing.
func anyKey() (*store.Key, error) {
	return store.ReadKey(base64.StdEncoding.EncodeToString(make([]byte, 32)), "the test")
}

// statements calls each exported function that executes SQL, by its name.
var statements = map[string]func(ctx context.Context, db *store.DB, s subject) error{
	"AuthorizationsBeforeLists": func(ctx context.Context, db *store.DB, _ subject) error {
		return second(db.AuthorizationsBeforeLists(ctx))
	},
	"BindSecrets": func(ctx context.Context, db *store.DB, _ subject) error {
		return db.BindSecrets(ctx, func() (*store.Key, error) { return nil, errors.New("there is no key") })
	},
	"AddExportOwner": func(ctx context.Context, db *store.DB, s subject) error {
		return db.AddExportOwner(ctx, "export "+s.job.Key, s.job.ID)
	},
	"AddFailureAlerts": func(ctx context.Context, db *store.DB, _ subject) error { return db.AddFailureAlerts(ctx) },
	"AddStaleAlert": func(ctx context.Context, db *store.DB, s subject) error {
		return db.AddStaleAlert(ctx, s.job.ID, time.Unix(7, 0))
	},
	"AdoptRun": func(ctx context.Context, db *store.DB, s subject) error {
		_, err := db.AdoptRun(ctx, s.queued, "in_2", "host")
		return err
	},
	"Alive":   func(ctx context.Context, db *store.DB, s subject) error { return second(db.Alive(ctx, s.held.Owner)) },
	"Beating": func(ctx context.Context, db *store.DB, s subject) error { return second(db.Beating(ctx, s.held.Owner)) },
	"Authorization": func(ctx context.Context, db *store.DB, s subject) error {
		return second(db.Authorization(ctx, s.auth.ID))
	},
	"Authorizations": func(ctx context.Context, db *store.DB, _ subject) error { return second(db.Authorizations(ctx)) },
	"AuthorizationByLyticsID": func(ctx context.Context, db *store.DB, s subject) error {
		return second(db.AuthorizationByLyticsID(ctx, s.auth.LyticsID))
	},
	"Beat": func(ctx context.Context, db *store.DB, _ subject) error {
		return db.Beat(ctx, store.Instance{ID: "in_1", Kind: store.KindRunner})
	},
	"BeatRun": func(ctx context.Context, db *store.DB, s subject) error {
		return errors.Join(second(db.BeatRun(ctx, &s.held, jobs.Run{Status: jobs.StatusRunning})),
			second(db.BeatRun(ctx, &s.held, jobs.Run{Status: jobs.StatusRunning}, store.LogEntry{Level: store.LogInfo, Message: "it's \"50%\"? -- yes"})))
	},
	"ClaimQuarantined": func(ctx context.Context, db *store.DB, s subject) error {
		return errors.Join(second(db.ClaimQuarantined(ctx, "c", s.job.Key, nil, 0, 10, nil)),
			second(db.ClaimQuarantined(ctx, "c", s.job.Key, []int64{1, 2}, 1, 1, nil)))
	},
	"DropQuarantined": func(ctx context.Context, db *store.DB, s subject) error {
		return errors.Join(second(db.DropQuarantined(ctx, store.QuarantineQuery{JobID: s.job.ID, ImportKey: s.job.Key, IDs: []int64{3}})),
			second(db.DropQuarantined(ctx, store.QuarantineQuery{RunID: s.held.RunID})))
	},
	"EraseQuarantined": func(ctx context.Context, db *store.DB, _ subject) error { return db.EraseQuarantined(ctx, []int64{1}) },
	"ExpireQuarantined": func(ctx context.Context, db *store.DB, _ subject) error {
		return second(db.ExpireQuarantined(ctx, -time.Hour))
	},
	"Quarantined": func(ctx context.Context, db *store.DB, s subject) error {
		return errors.Join(second(db.Quarantined(ctx, store.QuarantineQuery{}, true, 3, nil)),
			second(db.Quarantined(ctx, store.QuarantineQuery{JobID: s.job.ID, JobKey: s.job.Key, RunID: s.held.RunID}, false, 3, nil)))
	},
	"RejectedBy": func(ctx context.Context, db *store.DB, s subject) error {
		_, _, err := db.RejectedBy(ctx, s.held.RunID)
		return err
	},
	"ReleaseQuarantined": func(ctx context.Context, db *store.DB, _ subject) error { return db.ReleaseQuarantined(ctx, "c") },
	"SearchQuarantine": func(ctx context.Context, db *store.DB, _ subject) error {
		return db.SearchQuarantine(ctx, nil, func(store.QuarantinedRow) {})
	},
	"UnsentQuarantined": func(ctx context.Context, db *store.DB, s subject) error {
		_, _, err := db.UnsentQuarantined(ctx, s.job.Key, []int64{1})
		return err
	},
	"CancelRequested": func(ctx context.Context, db *store.DB, s subject) error {
		return second(db.CancelRequested(ctx, s.held.RunID))
	},
	"ClaimDue": func(ctx context.Context, db *store.DB, s subject) error {
		// The job is due, and its plan has a next time, a run and a skip.
		due := time.Unix(1, 0)
		err := db.Pause(ctx, s.job.ID, false, &due)
		_, err2 := db.ClaimDue(ctx, 10, func(store.JobRow, time.Time, time.Time) store.Plan {
			return store.Plan{Next: new(time.Now().Add(time.Hour)), Run: &due, Note: "late", Skip: &store.Skip{Count: 2, First: time.Unix(0, 0), Last: time.Unix(0, 1000), Why: "down"}}
		})
		return errors.Join(err, err2)
	},
	"ClaimRun": func(ctx context.Context, db *store.DB, s subject) error {
		_, _, err := db.ClaimRun(ctx, s.queued, "in_2", "host", 2)
		return err
	},
	"Clock": func(ctx context.Context, db *store.DB, _ subject) error { return second(db.Clock(ctx)) },
	"Confirm": func(ctx context.Context, db *store.DB, s subject) error {
		return errors.Join(db.Confirm(ctx, s.auth.ID), db.Confirm(ctx, s.job.ID))
	},
	"ChangeOwner": func(ctx context.Context, db *store.DB, s subject) error {
		return db.ChangeOwner(ctx, jobs.KindField, s.job.ID, func(r *store.OwnerRow, _ bool) bool {
			r.Owner, r.Claimant, r.Creator, r.Confirmed = "a", "b", "in_1", true
			return true
		})
	},
	"CreateJob": func(ctx context.Context, db *store.DB, s subject) error {
		return db.CreateJob(ctx, store.JobRow{Key: "created " + s.job.Key, Job: s.job.Job, Creator: "in_1"}, &store.JobRow{})
	},
	"CursorKey": func(ctx context.Context, db *store.DB, s subject) error {
		return second(db.CursorKey(ctx, s.job.Key, s.job.Key+"|x"))
	},
	"CursorDocument": func(ctx context.Context, db *store.DB, s subject) error {
		return second(db.CursorDocument(ctx, s.job.Key))
	},
	"DeleteAuthorization": func(ctx context.Context, db *store.DB, s subject) error {
		return db.DeleteAuthorization(ctx, s.auth.ID)
	},
	"DeleteJob":     func(ctx context.Context, db *store.DB, s subject) error { return db.DeleteJob(ctx, s.job.ID) },
	"DispatchReady": func(ctx context.Context, db *store.DB, _ subject) error { return second(db.DispatchReady(ctx, 10)) },
	"DoneAlert":     func(ctx context.Context, db *store.DB, s subject) error { return db.DoneAlert(ctx, s.alert) },
	"Due": func(ctx context.Context, db *store.DB, _ subject) error {
		_, _, err := db.Due(ctx)
		return err
	},
	"ExportOwners": func(ctx context.Context, db *store.DB, s subject) error {
		return second(db.ExportOwners(ctx, "export "+s.job.Key))
	},
	"FinishIntent": func(ctx context.Context, db *store.DB, s subject) error {
		return db.FinishIntent(ctx, store.IntentRow{Kind: jobs.KindField, Place: s.job.ID}, &store.OwnerRow{Kind: jobs.KindField, ID: s.job.ID, Owner: "a"})
	},
	"ForgetOwner": func(ctx context.Context, db *store.DB, s subject) error {
		return db.ForgetOwner(ctx, jobs.KindField, s.job.ID)
	},
	"Intend": func(ctx context.Context, db *store.DB, s subject) error {
		return second(db.Intend(ctx, store.IntentRow{Kind: jobs.KindField, Place: s.job.ID, Definition: "{}"}, nil))
	},
	"Intent": func(ctx context.Context, db *store.DB, s subject) error {
		_, _, err := db.Intent(ctx, jobs.KindField, s.job.ID)
		return err
	},
	"Owner": func(ctx context.Context, db *store.DB, s subject) error {
		_, _, err := db.Owner(ctx, jobs.KindField, s.job.ID)
		return err
	},
	"Figures": func(ctx context.Context, db *store.DB, _ subject) error { return second(db.Figures(ctx)) },
	"FinishRun": func(ctx context.Context, db *store.DB, s subject) error {
		return db.FinishRun(ctx, &s.held, jobs.Run{Status: jobs.StatusFailed, Failure: jobs.Failure{Code: jobs.CodeFailed, Summary: "isn't this quoted?"}})
	},
	"ForgetJob":       func(ctx context.Context, db *store.DB, s subject) error { return db.ForgetJob(ctx, s.job.ID) },
	"ForgetRuns":      func(ctx context.Context, db *store.DB, _ subject) error { return db.ForgetRuns(ctx, -time.Hour) },
	"ClaimStaleCheck": func(ctx context.Context, db *store.DB, _ subject) error { return second(db.ClaimStaleCheck(ctx, 0)) },
	"Freshnesses": func(ctx context.Context, db *store.DB, _ subject) error {
		return second(db.Freshnesses(ctx, time.Hour))
	},
	"Instances": func(ctx context.Context, db *store.DB, _ subject) error { return second(db.Instances(ctx)) },
	"JobByLyticsID": func(ctx context.Context, db *store.DB, s subject) error {
		return second(db.JobByLyticsID(ctx, s.job.LyticsID))
	},
	"Job":        func(ctx context.Context, db *store.DB, s subject) error { return second(db.Job(ctx, s.job.ID)) },
	"JobByKey":   func(ctx context.Context, db *store.DB, s subject) error { return second(db.JobByKey(ctx, s.job.Key)) },
	"JobFigures": func(ctx context.Context, db *store.DB, _ subject) error { return second(db.JobFigures(ctx, 9)) },
	"Jobs":       func(ctx context.Context, db *store.DB, _ subject) error { return second(db.Jobs(ctx)) },
	"LastRuns":   func(ctx context.Context, db *store.DB, _ subject) error { return second(db.LastRuns(ctx)) },
	"LaterAlert": func(ctx context.Context, db *store.DB, s subject) error {
		return db.LaterAlert(ctx, s.alert, time.Second)
	},
	"NextAlert": func(ctx context.Context, db *store.DB, _ subject) error {
		return second(db.NextAlert(ctx, time.Second))
	},
	"AppendAudit": func(ctx context.Context, db *store.DB, s subject) error {
		return db.AppendAudit(ctx, jobs.AuditEntry{Actor: "a", Object: s.job.ID, Result: jobs.AuditOK})
	},
	"ForgetAudit": func(ctx context.Context, db *store.DB, s subject) error {
		return errors.Join(db.AppendAudit(ctx, jobs.AuditEntry{Object: s.job.ID}), db.ForgetAudit(ctx, -time.Hour))
	},
	"ForgetEmbeddedAudit": func(ctx context.Context, db *store.DB, s subject) error {
		return errors.Join(db.AppendAudit(ctx, jobs.AuditEntry{Object: s.job.ID}), db.ForgetEmbeddedAudit(ctx, -time.Hour))
	},
	"AuditLog": func(ctx context.Context, db *store.DB, s subject) error {
		return errors.Join(second(db.AuditLog(ctx, jobs.AuditFilter{})), second(db.AuditLog(ctx, jobs.AuditFilter{
			Actor: "a", Object: s.job.ID, Action: "b", Since: time.Unix(7, 0), Before: 9, Limit: 1})))
	},
	"BeginSession": func(ctx context.Context, db *store.DB, s subject) error {
		return db.BeginSession(ctx, jobs.HashToken(s.job.ID+"b"), jobs.Session{}, time.Unix(0, 0))
	},
	"Session": func(ctx context.Context, db *store.DB, s subject) error {
		key := jobs.HashToken(s.job.ID)
		return errors.Join(db.BeginSession(ctx, key, jobs.Session{Used: time.Unix(8, 0)}, time.Unix(7, 0)), second(db.Session(ctx, key)))
	},
	"UpdateSession": func(ctx context.Context, db *store.DB, s subject) error {
		return db.UpdateSession(ctx, jobs.HashToken(s.job.ID), jobs.Session{Notice: "n"})
	},
	"EndSession": func(ctx context.Context, db *store.DB, s subject) error {
		return db.EndSession(ctx, jobs.HashToken(s.job.ID))
	},
	"LastSuccess": func(ctx context.Context, db *store.DB, s subject) error {
		return second(db.LastSuccess(ctx, s.job.ID))
	},
	"LastSuccesses": func(ctx context.Context, db *store.DB, _ subject) error { return second(db.LastSuccesses(ctx)) },
	"CreateSignInCode": func(ctx context.Context, db *store.DB, s subject) error {
		return second(db.CreateSignInCode(ctx, jobs.HashToken(s.job.ID+"c"), jobs.TokenHash{}, time.Hour))
	},
	"SignInCode": func(ctx context.Context, db *store.DB, s subject) error {
		code := jobs.HashToken(s.job.ID + "s")
		return errors.Join(second(db.CreateSignInCode(ctx, code, jobs.TokenHash{}, time.Hour)), second(db.SignInCode(ctx, code)))
	},
	"UseSignInCode": func(ctx context.Context, db *store.DB, s subject) error {
		code := jobs.HashToken(s.job.ID + "u")
		return errors.Join(second(db.CreateSignInCode(ctx, code, jobs.TokenHash{}, time.Hour)), second(db.UseSignInCode(ctx, code)))
	},
	"CreateToken": func(ctx context.Context, db *store.DB, s subject) error {
		return second(db.CreateToken(ctx, tokenRow(s)))
	},
	"RotateToken": func(ctx context.Context, db *store.DB, s subject) error {
		forever := tokenRow(s)
		forever.Lifetime = 0
		return errors.Join(second(db.CreateToken(ctx, forever)), second(db.RotateToken(ctx, tokenRow(s), time.Minute)))
	},
	"Tokens": func(ctx context.Context, db *store.DB, _ subject) error { return second(db.Tokens(ctx)) },
	"TokenByHash": func(ctx context.Context, db *store.DB, s subject) error {
		row := tokenRow(s)
		return errors.Join(second(db.CreateToken(ctx, row)), second(db.TokenByHash(ctx, row.Hash)))
	},
	"RevokeToken": func(ctx context.Context, db *store.DB, s subject) error {
		return errors.Join(second(db.CreateToken(ctx, tokenRow(s))), second(db.RevokeToken(ctx, s.job.Key)))
	},
	"CurrentKey": func(ctx context.Context, db *store.DB, _ subject) error { return second(db.CurrentKey(ctx)) },
	"Keyring": func(ctx context.Context, db *store.DB, _ subject) error {
		key, err := anyKey()
		return errors.Join(err, second(db.Keyring(ctx, key)))
	},
	"RotateKey": func(ctx context.Context, db *store.DB, _ subject) error {
		key, err := anyKey()
		return errors.Join(err, second(db.RotateKey(ctx, store.Rotation{To: key})))
	},
	"Pause": func(ctx context.Context, db *store.DB, s subject) error { return db.Pause(ctx, s.job.ID, true, nil) },
	"MigrationLock": func(ctx context.Context, db *store.DB, _ subject) error {
		unlock, err := db.MigrationLock(ctx)
		if err == nil {
			unlock()
		}
		return err
	},
	"PutAuthorization": func(ctx context.Context, db *store.DB, s subject) error { return db.PutAuthorization(ctx, s.auth) },
	"PutJob":           func(ctx context.Context, db *store.DB, s subject) error { return db.PutJob(ctx, s.job) },
	"QueueFollowers":   func(ctx context.Context, db *store.DB, _ subject) error { return second(db.QueueFollowers(ctx)) },
	"QueueRun": func(ctx context.Context, db *store.DB, s subject) error {
		return errors.Join(second(db.QueueRun(ctx, store.NewRun{Job: s.job.Job, Reason: jobs.ReasonManual})),
			second(db.QueueRun(ctx, store.NewRun{Job: s.job.Job, Reason: jobs.ReasonApply, Owner: "in_1"})))
	},
	"Redeliver": func(ctx context.Context, db *store.DB, s subject) error {
		return errors.Join(db.Redeliver(ctx, nil), db.Redeliver(ctx, []string{s.queued}))
	},
	"ReleasedJob": func(ctx context.Context, db *store.DB, s subject) error {
		return second(db.ReleasedJob(ctx, s.job.Key))
	},
	"RequestCancel": func(ctx context.Context, db *store.DB, s subject) error {
		return errors.Join(db.RequestCancel(ctx, s.held.RunID), db.RequestCancel(ctx, s.queued))
	},
	"RequeueRun": func(ctx context.Context, db *store.DB, s subject) error {
		return db.RequeueRun(ctx, &s.held, jobs.Run{}, store.Requeue{Phase: "queued", Wait: time.Second, Failed: true})
	},
	"Retire": func(ctx context.Context, db *store.DB, s subject) error {
		return db.Retire(ctx, s.held.Owner, []string{"job_x", "field/x"})
	},
	"Run": func(ctx context.Context, db *store.DB, s subject) error { return second(db.Run(ctx, s.held.RunID)) },
	"RunPhases": func(ctx context.Context, db *store.DB, s subject) error {
		return second(db.RunPhases(ctx, s.held.RunID))
	},
	"JobVersions": func(ctx context.Context, db *store.DB, s subject) error {
		return second(db.JobVersions(ctx, s.job.ID))
	},
	"SearchRuns": func(ctx context.Context, db *store.DB, s subject) error {
		return errors.Join(second(db.SearchRuns(ctx, jobs.RunSearch{})), second(db.SearchRuns(ctx, everySearch(s))),
			second(db.SearchRuns(ctx, jobs.RunSearch{After: "7.run", Limit: 1})))
	},
	"RunGroups": func(ctx context.Context, db *store.DB, s subject) error {
		return errors.Join(second(db.RunGroups(ctx, jobs.RunSearch{})), second(db.RunGroups(ctx, everySearch(s))))
	},
	"RunLog":      func(ctx context.Context, db *store.DB, s subject) error { return second(db.RunLog(ctx, s.held.RunID)) },
	"RunnerAlive": func(ctx context.Context, db *store.DB, _ subject) error { return second(db.RunnerAlive(ctx)) },
	"Runners":     func(ctx context.Context, db *store.DB, _ subject) error { return second(db.Runners(ctx)) },
	"Runs": func(ctx context.Context, db *store.DB, s subject) error {
		var errs []error
		for _, f := range []jobs.RunFilter{
			{}, {JobID: s.job.ID}, {Statuses: []jobs.Status{}}, {Statuses: []jobs.Status{jobs.StatusFailed}}, {Since: time.Unix(7, 0), Limit: 1},
			{JobID: s.job.ID, Statuses: []jobs.Status{jobs.StatusFailed, jobs.StatusRunning}, Since: time.Unix(7, 0), Limit: 2},
		} {
			errs = append(errs, second(db.Runs(ctx, f)))
		}
		return errors.Join(errs...)
	},
	"SentPages": func(ctx context.Context, db *store.DB, s subject) error {
		return second(db.SentPages(ctx, s.job.Key, 0, 9))
	},
	"SentRows": func(ctx context.Context, db *store.DB, s subject) error {
		return second(db.SentRows(ctx, s.job.Key, store.SentPage{Page: 1}))
	},
	"Stale": func(ctx context.Context, db *store.DB, s subject) error { return second(db.Stale(ctx, s.held.RunID)) },
	"TakeOverLost": func(ctx context.Context, db *store.DB, s subject) error {
		err := db.Write(ctx, func(tx *store.Tx) error {
			_, err := tx.ExecContext(ctx, `UPDATE runs SET lease_until = 1 WHERE id = ?`, s.held.RunID)
			return err
		})
		return errors.Join(err, second(db.TakeOverLost(ctx)))
	},
	"UnconfirmedAuthorizations": func(ctx context.Context, db *store.DB, _ subject) error {
		return second(db.UnconfirmedAuthorizations(ctx))
	},
	"Undelivered": func(ctx context.Context, db *store.DB, _ subject) error {
		oldest := time.Unix(7, 0)
		return errors.Join(second(db.Undelivered(ctx, time.Second, nil)), second(db.Undelivered(ctx, time.Second, &oldest)))
	},
	"WatermarkTies": func(ctx context.Context, db *store.DB, s subject) error {
		return second(db.WatermarkTies(ctx, s.job.Key, 9))
	},
	"WakeWaiting": func(ctx context.Context, db *store.DB, _ subject) error { return db.WakeWaiting(ctx, 2) },

	"AddSent": written(func(ctx context.Context, tx *store.Tx, s subject) error {
		return errors.Join(store.AddSent(ctx, tx, s.job.Key, 2, nil), store.AddSent(ctx, tx, s.job.Key, 3, []store.SentRow{{Micros: 8, Times: 1}}))
	}),
	"AddQuarantined": written(func(ctx context.Context, tx *store.Tx, s subject) error {
		of := store.RejectedRun{ImportKey: s.job.Key, JobID: s.job.ID, RunID: s.held.RunID, Stream: "s"}
		return second(store.AddQuarantined(ctx, tx, of, []jobs.RejectedEvent{{Event: jobs.Event{ID: "e"}, Reason: "why"}}, 10, nil))
	}),
	"SettleQuarantined": written(func(ctx context.Context, tx *store.Tx, _ subject) error {
		return store.SettleQuarantined(ctx, tx, "c", nil, nil)
	}),
	"AppendLog": written(func(ctx context.Context, tx *store.Tx, s subject) error {
		return errors.Join(store.AppendLog(ctx, tx, s.held.RunID), store.AppendLog(ctx, tx, s.held.RunID, store.LogEntry{Level: store.LogWarn, Message: "?"}))
	}),
	"Fence": written(func(ctx context.Context, tx *store.Tx, s subject) error { return store.Fence(ctx, tx, &s.held) }),
	"ForgetAllSent": written(func(ctx context.Context, tx *store.Tx, s subject) error {
		return store.ForgetAllSent(ctx, tx, s.job.Key)
	}),
	"ForgetSent": written(func(ctx context.Context, tx *store.Tx, s subject) error {
		return store.ForgetSent(ctx, tx, s.job.Key, 9)
	}),
	"DropWatermarkTies": written(func(ctx context.Context, tx *store.Tx, s subject) error {
		return store.DropWatermarkTies(ctx, tx, s.job.Key)
	}),
	"PutCursorDocument": written(func(ctx context.Context, tx *store.Tx, s subject) error {
		return store.PutCursorDocument(ctx, tx, s.job.Key, []byte(`{}`))
	}),
	"Lock":       written(func(ctx context.Context, tx *store.Tx, s subject) error { return tx.Lock(ctx, s.job.Key) }),
	"LockShared": written(func(ctx context.Context, tx *store.Tx, s subject) error { return tx.LockShared(ctx, s.job.Key) }),
}

func second[T any](_ T, err error) error { return err }

func written(f func(ctx context.Context, tx *store.Tx, s subject) error) func(context.Context, *store.DB, subject) error {
	return func(ctx context.Context, db *store.DB, s subject) error {
		return db.Write(ctx, func(tx *store.Tx) error { return f(ctx, tx, s) })
	}
}

// refused reports whether the database returned an error, other than the violation of
// a foreign key.
func refused(err error) bool {
	p, ok := errors.AsType[*pgconn.PgError](err)
	if ok {
		return p.Code != "23503"
	}
	const foreignKey = 787
	s, ok := errors.AsType[*msqlite.Error](err)
	return ok && s.Code() != foreignKey
}

// Both databases accept every statement, in an empty store and in a filled one.
func TestBothDatabasesAcceptEveryStatement(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, db *store.DB) {
		for _, name := range slices.Sorted(maps.Keys(statements)) {
			if err := statements[name](t.Context(), db, absent(name)); refused(err) {
				t.Errorf("%s, in an empty store: %v", name, err)
			}
		}
	})
	onEachDatabase(t, func(t *testing.T, db *store.DB) {
		for _, name := range slices.Sorted(maps.Keys(statements)) {
			err := statements[name](t.Context(), db, present(t, db, name))
			if refused(err) || errors.Is(err, sql.ErrNoRows) || errors.Is(err, store.ErrFenced) || jobs.IsCode(err, jobs.CodeNotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// withoutSQL are the exported functions that execute no SQL of the package.
var withoutSQL = []string{"AliveHere", "Appear", "Rebind", "SetEnqueue", "Close", "Dir", "ExecContext", "ID", "Place", "Pool", "Postgres", "QueryContext", "QueryRowContext", "Read", "SQL", "Shared", "Write", "WriteCommitted", "Writer"}

func TestEveryExportedFunctionWithSQLIsAmongTheStatements(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			f, ok := d.(*ast.FuncDecl)
			if ok && f.Name.IsExported() && (hasPointerTo(f.Recv, "DB", "Tx") || f.Recv == nil && hasPointerTo(f.Type.Params, "Tx")) {
				seen[f.Name.Name] = true
				if statements[f.Name.Name] == nil && !slices.Contains(withoutSQL, f.Name.Name) {
					t.Errorf("statements has no entry for %s of %s", f.Name.Name, file)
				}
			}
		}
	}
	for name := range statements {
		if !seen[name] {
			t.Errorf("statements has an entry for %s, which does not exist", name)
		}
	}
}

// hasPointerTo reports whether a parameter is a pointer to one of the types.
func hasPointerTo(fields *ast.FieldList, types ...string) bool {
	if fields == nil {
		return false
	}
	return slices.ContainsFunc(fields.List, func(f *ast.Field) bool {
		star, ok := f.Type.(*ast.StarExpr)
		if !ok {
			return false
		}
		name, ok := star.X.(*ast.Ident)
		return ok && slices.Contains(types, name.Name)
	})
}
