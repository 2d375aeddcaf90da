package engine

import (
	"context"
	"os/user"
	"sync"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// Audited is an Engine that records every change in the audit log of the store: in
// the transaction of the change, or by itself if the change failed or was made
// outside of the store, as in a Lytics account.
type Audited struct{ *Engine }

var _ jobs.API = Audited{}

// auditTimeout bounds the writing of an entry after its caller has gone.
const auditTimeout = 5 * time.Second

// change makes a change and records it. e has what is known of the object; the
// transaction that makes the change completes it.
func change[T any](ctx context.Context, a Audited, e jobs.AuditEntry, do func(context.Context) (T, error)) (T, error) {
	who := caller(ctx, a.options.Name)
	noted := &store.Audited{Actor: who, Action: e.Action}
	v, err := do(store.WithAudited(ctx, noted))
	if err == nil && noted.Done() {
		return v, nil
	}
	e.Actor, e.Role, e.Via, e.Address, e.Result = who.Name, who.Role, who.Via, who.Address, jobs.AuditOK
	if err != nil {
		e.Result = string(jobs.FailureOf(err).Code)
	}
	after, cancel := outlive(ctx, auditTimeout)
	defer cancel()
	db, failed := a.open(after, readStore)
	if failed == nil {
		failed = db.AppendAudit(after, e)
	}
	if failed != nil && err == nil && !noStore(failed) {
		err = &jobs.Error{
			Code: jobs.CodeStore, Summary: "The change was made, and the audit log could not record it", Detail: failed.Error(),
			Next: "Check the store", Err: failed,
		}
	}
	return v, err
}

// changeOnly is change for a call without a result.
func changeOnly(ctx context.Context, a Audited, e jobs.AuditEntry, do func(context.Context) error) error {
	_, err := change(ctx, a, e, func(ctx context.Context) (struct{}, error) { return struct{}{}, do(ctx) })
	return err
}

// caller is who makes a call: the actor of the context, or the user of this process.
func caller(ctx context.Context, host string) jobs.Actor {
	if who, ok := jobs.ActorOf(ctx); ok {
		return who
	}
	return jobs.Actor{Name: osUser(), Role: jobs.RoleAdmin, Via: jobs.ViaEmbedded, Address: host}
}

// osUser is the name of this process's user, or the number if it has no name, as in
// some containers.
var osUser = sync.OnceValue(func() string {
	u, err := user.Current()
	switch {
	case err != nil:
		return "unknown"
	case u.Username == "":
		return u.Uid
	}
	return u.Username
})

// OSUser is the actor of embedded use and of the socket.
func OSUser() string { return osUser() }

// CreateAuthorization implements jobs.Authorizations.
func (a Audited) CreateAuthorization(ctx context.Context, c jobs.AuthorizationChange) (jobs.Authorization, error) {
	return change(ctx, a, jobs.AuditEntry{Action: "create-authorization", Label: c.Label}, func(ctx context.Context) (jobs.Authorization, error) {
		return a.Engine.CreateAuthorization(ctx, c)
	})
}

// UpdateAuthorization implements jobs.Authorizations.
func (a Audited) UpdateAuthorization(ctx context.Context, id string, c jobs.AuthorizationChange) (jobs.Authorization, error) {
	return change(ctx, a, jobs.AuditEntry{Action: "update-authorization", Object: id}, func(ctx context.Context) (jobs.Authorization, error) {
		return a.Engine.UpdateAuthorization(ctx, id, c)
	})
}

// DeleteAuthorization implements jobs.Authorizations.
func (a Audited) DeleteAuthorization(ctx context.Context, id string) error {
	return changeOnly(ctx, a, jobs.AuditEntry{Action: "delete-authorization", Object: id}, func(ctx context.Context) error {
		return a.Engine.DeleteAuthorization(ctx, id)
	})
}

// CreateJob implements jobs.Definitions.
func (a Audited) CreateJob(ctx context.Context, s jobs.JobSpec) (jobs.Job, error) {
	return change(ctx, a, jobs.AuditEntry{Action: "create-job", Label: s.Label}, func(ctx context.Context) (jobs.Job, error) {
		return a.Engine.CreateJob(ctx, s)
	})
}

// UpdateJob implements jobs.Definitions.
func (a Audited) UpdateJob(ctx context.Context, id string, s jobs.JobSpec) (jobs.Job, error) {
	return change(ctx, a, jobs.AuditEntry{Action: "update-job", Object: id}, func(ctx context.Context) (jobs.Job, error) {
		return a.Engine.UpdateJob(ctx, id, s)
	})
}

// PauseJob implements jobs.Definitions.
func (a Audited) PauseJob(ctx context.Context, id string, paused bool) (jobs.Job, error) {
	action := "resume-job"
	if paused {
		action = "pause-job"
	}
	return change(ctx, a, jobs.AuditEntry{Action: action, Object: id}, func(ctx context.Context) (jobs.Job, error) {
		return a.Engine.PauseJob(ctx, id, paused)
	})
}

// DeleteJob implements jobs.Definitions.
func (a Audited) DeleteJob(ctx context.Context, id string) error {
	return changeOnly(ctx, a, jobs.AuditEntry{Action: "delete-job", Object: id}, func(ctx context.Context) error {
		return a.Engine.DeleteJob(ctx, id)
	})
}

// StartRun implements jobs.Runs.
func (a Audited) StartRun(ctx context.Context, jobID string, reason jobs.Reason) (jobs.Run, error) {
	return change(ctx, a, jobs.AuditEntry{Action: "start-run", Object: jobID}, func(ctx context.Context) (jobs.Run, error) {
		return a.Engine.StartRun(ctx, jobID, reason)
	})
}

// CancelRun implements jobs.Runs.
func (a Audited) CancelRun(ctx context.Context, runID string) error {
	e := jobs.AuditEntry{Action: "cancel-run", RunID: runID}
	if run, err := a.Run(ctx, runID); err == nil {
		e.Object = run.JobID
	}
	return changeOnly(ctx, a, e, func(ctx context.Context) error { return a.Engine.CancelRun(ctx, runID) })
}

// ResendQuarantined implements jobs.Quarantine.
func (a Audited) ResendQuarantined(ctx context.Context, jobID string, ids []int64) (jobs.Resent, error) {
	return change(ctx, a, jobs.AuditEntry{Action: "resend-quarantine", Object: jobID}, func(ctx context.Context) (jobs.Resent, error) {
		return a.Engine.ResendQuarantined(ctx, jobID, ids)
	})
}

// DropQuarantined implements jobs.Quarantine.
func (a Audited) DropQuarantined(ctx context.Context, jobID string, ids []int64) (int64, error) {
	return change(ctx, a, jobs.AuditEntry{Action: "drop-quarantine", Object: jobID}, func(ctx context.Context) (int64, error) {
		return a.Engine.DropQuarantined(ctx, jobID, ids)
	})
}

// Erase implements jobs.CustomerData. The entry names the identity's field, and not
// its value. A dry run changes nothing.
func (a Audited) Erase(ctx context.Context, r jobs.ErasureRequest) (jobs.Erasure, error) {
	if r.DryRun {
		return a.Engine.Erase(ctx, r)
	}
	return change(ctx, a, jobs.AuditEntry{Action: "erase", Object: r.Identity.Field}, func(ctx context.Context) (jobs.Erasure, error) {
		return a.Engine.Erase(ctx, r)
	})
}

// CreateToken implements jobs.Access.
func (a Audited) CreateToken(ctx context.Context, s jobs.TokenSpec) (jobs.NewToken, error) {
	return change(ctx, a, jobs.AuditEntry{Action: "create-token", Object: s.Name}, func(ctx context.Context) (jobs.NewToken, error) {
		return a.Engine.CreateToken(ctx, s)
	})
}

// RotateToken implements jobs.Access.
func (a Audited) RotateToken(ctx context.Context, name string, keepSeconds int64) (jobs.NewToken, error) {
	return change(ctx, a, jobs.AuditEntry{Action: "rotate-token", Object: name}, func(ctx context.Context) (jobs.NewToken, error) {
		return a.Engine.RotateToken(ctx, name, keepSeconds)
	})
}

// RevokeToken implements jobs.Access.
func (a Audited) RevokeToken(ctx context.Context, nameOrID string) (int64, error) {
	return change(ctx, a, jobs.AuditEntry{Action: "revoke-token", Object: nameOrID}, func(ctx context.Context) (int64, error) {
		return a.Engine.RevokeToken(ctx, nameOrID)
	})
}

// CreateSignInCode implements jobs.Access.
func (a Audited) CreateSignInCode(ctx context.Context) (jobs.SignInCode, error) {
	return change(ctx, a, jobs.AuditEntry{Action: "create-sign-in-code"}, a.Engine.CreateSignInCode)
}

// BeginSession implements jobs.Sessions.
func (a Audited) BeginSession(ctx context.Context, key jobs.TokenHash, s jobs.Session, idle time.Time) error {
	return changeOnly(ctx, a, jobs.AuditEntry{Action: "sign-in"}, func(ctx context.Context) error {
		return a.Engine.BeginSession(ctx, key, s, idle)
	})
}

// EndSession implements jobs.Sessions.
func (a Audited) EndSession(ctx context.Context, key jobs.TokenHash) error {
	return changeOnly(ctx, a, jobs.AuditEntry{Action: "sign-out"}, func(ctx context.Context) error { return a.Engine.EndSession(ctx, key) })
}
