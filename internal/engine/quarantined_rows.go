package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// defaultQuarantineList is how many entries a list has that sets no limit, and
// mostQuarantineIDs how many entries one call may name.
const (
	defaultQuarantineList = 100
	mostQuarantineIDs     = 1000
)

// QuarantinedRows implements jobs.Quarantine.
func (e *Engine) QuarantinedRows(ctx context.Context, f jobs.QuarantineFilter) (jobs.QuarantineList, error) {
	none := jobs.QuarantineList{Entries: []jobs.QuarantineEntry{}}
	db, err := e.open(ctx, readStore)
	if err != nil {
		return none, err
	}
	key, err := e.quarantineKey(ctx)
	if jobs.IsCode(err, jobs.CodeSecretUnreadable) && !f.WithData {
		key, err = nil, nil // entries are listed without what only the key shows
	}
	if err != nil {
		return none, err
	}
	q := store.QuarantineQuery{RunID: f.RunID}
	if f.JobID != "" {
		if q, err = quarantineOf(ctx, db, f.JobID); err != nil && !jobs.IsCode(err, jobs.CodeNotFound) {
			return none, err
		}
		q.RunID = f.RunID
	}
	q.After = f.After
	if f.Limit <= 0 {
		f.Limit = defaultQuarantineList
	}
	return db.Quarantined(ctx, q, f.WithData, f.Limit, key)
}

// quarantineOf selects the entries of a job. The query of a job that does not
// exist, beside the error, selects what a deleted job left.
func quarantineOf(ctx context.Context, db *store.DB, jobID string) (store.QuarantineQuery, error) {
	job, err := db.Job(ctx, jobID)
	if err != nil {
		return store.QuarantineQuery{JobID: jobID}, err
	}
	return store.QuarantineQuery{JobID: jobID, JobKey: job.Key}, nil
}

// DropQuarantined implements jobs.Quarantine.
func (e *Engine) DropQuarantined(ctx context.Context, jobID string, ids []int64) (int64, error) {
	if err := checkQuarantineIDs(ids); err != nil {
		return 0, err
	}
	db, err := e.open(ctx, writeStore)
	if err != nil {
		return 0, err
	}
	q, notFound := quarantineOf(ctx, db, jobID)
	if notFound != nil && !jobs.IsCode(notFound, jobs.CodeNotFound) {
		return 0, notFound
	}
	q.IDs = ids
	n, err := db.DropQuarantined(ctx, q)
	if err == nil && n == 0 {
		err = notFound
	}
	return n, err
}

func checkQuarantineIDs(ids []int64) error {
	if len(ids) > mostQuarantineIDs {
		return jobs.Invalid("", "Too many rows are named", fmt.Sprintf("%d ids are given, and one call takes %d.", len(ids), mostQuarantineIDs),
			"Give fewer ids, or none for all rows of the job")
	}
	return nil
}

// resendClaims is how many rows a process claims at a time to send them again.
const resendClaims = 100

// ResendQuarantined implements jobs.Quarantine. It sends one row at a time: the
// answer then tells whether this row was rejected.
func (e *Engine) ResendQuarantined(ctx context.Context, jobID string, ids []int64) (out jobs.Resent, err error) {
	if err := checkQuarantineIDs(ids); err != nil {
		return out, err
	}
	db, err := e.open(ctx, writeStore)
	if err != nil {
		return out, err
	}
	job, err := db.Job(ctx, jobID)
	if err != nil {
		return out, err
	}
	if job.Import == nil {
		return out, jobs.Invalid("job", "Job "+jobID+" has no quarantine", "It is an audience export.", "Name a table import")
	}
	key, err := e.quarantineKey(ctx)
	if err != nil {
		return out, err
	}
	if account, ok := e.platform.(AccountPlatform); ok {
		if _, err := account.CheckAccount(ctx); err != nil {
			return out, err
		}
	}
	importKey, err := e.cursorKey(ctx, db, job)
	if err != nil {
		return out, err
	}
	if err := refuseOtherPlatform(ctx, db, job, importKey); err != nil {
		return out, err
	}
	if out.NotSendable, out.Sending, err = db.UnsentQuarantined(ctx, importKey, ids); err != nil {
		return out, err
	}
	r := resend{platform: e.platform, claim: store.NewID("resend"), out: &out}
	for last, done := int64(0), false; !done && err == nil; {
		var claimed []store.QuarantinedRow
		claimed, err = db.ClaimQuarantined(ctx, r.claim, importKey, ids, last, resendClaims, key)
		if done = len(claimed) == 0; !done {
			last = claimed[len(claimed)-1].ID
		}
		for i := 0; i < len(claimed) && err == nil; i++ {
			err = r.send(ctx, claimed[i])
		}
	}
	if err != nil {
		return out, errors.Join(err, db.ReleaseQuarantined(context.WithoutCancel(ctx), r.claim))
	}
	if out.Accepted > 0 {
		_, err = e.platform.BuildProfiles(ctx, func(int64, int64) {})
	}
	return out, err
}

// refuseOtherPlatform fails if the job's rows are in quarantine, and all of them were
// rejected by another platform than the configured one.
func refuseOtherPlatform(ctx context.Context, db *store.DB, job store.JobRow, importKey string) error {
	own, err := db.Quarantined(ctx, store.QuarantineQuery{ImportKey: importKey}, false, 1, nil)
	if err != nil || own.Total > 0 {
		return err
	}
	all, err := db.Quarantined(ctx, store.QuarantineQuery{JobID: job.ID, JobKey: job.Key}, false, 1, nil)
	if err != nil || all.Total == 0 {
		return err
	}
	return jobs.Invalid("platform", "The rows were rejected by another platform than the configured one",
		fmt.Sprintf("The quarantine of job %s has %d entries, and none of this platform.", job.ID, all.Total),
		"Give the platform that rejected them: with --lytics and LYTICS_API_TOKEN, or the runner's configuration file")
}

// resend sends rows again that it has claimed.
type resend struct {
	platform Platform
	claim    string
	out      *jobs.Resent
}

// send sends one row, and removes it in the transaction that makes it part of the
// stream.
func (r resend) send(ctx context.Context, row store.QuarantinedRow) error {
	result, err := r.platform.Append(ctx, row.Stream, []jobs.Event{row.Event}, func(tx *store.Tx, rejected []jobs.RejectedEvent) error {
		if len(rejected) == 0 {
			return store.SettleQuarantined(ctx, tx, r.claim, []int64{row.ID}, nil)
		}
		return store.SettleQuarantined(ctx, tx, r.claim, nil, map[int64]string{row.ID: rejected[0].Reason})
	})
	r.out.PossiblyDuplicated += result.PossiblyDuplicated
	if errors.Is(err, store.ErrClaimLost) {
		return &jobs.Error{
			Code: jobs.CodeConflict, Summary: fmt.Sprintf("Row %d of the quarantine was removed while it was sent", row.ID),
			Detail: "Its user was erased, or another process sends it.", Next: "List the quarantine, and send the rest again", Err: err,
		}
	}
	if err != nil {
		return err
	}
	r.out.Accepted += result.Written
	r.out.Rejected += result.Rejected
	r.out.Erased += result.Erased
	return nil
}
