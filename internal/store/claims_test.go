//nolint:thelper // the functions given to onEachDatabase are the bodies of subtests
package store_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

func queue(t *testing.T, db *store.DB, j store.JobRow, owner string) jobs.Run {
	t.Helper()
	run, err := db.QueueRun(t.Context(), store.NewRun{Job: j.Job, Reason: jobs.ReasonApply, Owner: owner})
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func claim(t *testing.T, db *store.DB, run jobs.Run, owner string) (*store.Claim, string) {
	t.Helper()
	c, wait, err := db.ClaimRun(t.Context(), run.ID, owner, "host", 2)
	if err != nil {
		t.Fatal(err)
	}
	return c, wait
}

// checklist 48 59
func TestOneRunOfAJobAndTwoOfAnAuthorizationAtATime(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, db *store.DB) {
		auth := authorization(t, db).ID
		a, b, c := job(t, db, auth, "a"), job(t, db, auth, "b"), job(t, db, auth, "c")
		runA := queue(t, db, a, "in_1")
		claimA, wait := claim(t, db, runA, "in_1")
		if claimA == nil {
			t.Fatal(wait)
		}
		if got, wait := claim(t, db, queue(t, db, a, "in_2"), "in_2"); got != nil || !strings.Contains(wait, "this job") {
			t.Fatalf("a second run of the job was claimed (%q)", wait)
		}
		if got, wait := claim(t, db, queue(t, db, b, "in_2"), "in_2"); got == nil {
			t.Fatal(wait)
		}
		runC := queue(t, db, c, "in_2")
		if got, wait := claim(t, db, runC, "in_2"); got != nil || !strings.Contains(wait, "authorization") {
			t.Fatalf("a third run of the authorization was claimed (%q)", wait)
		}
		runA.Status = jobs.StatusSucceeded
		if err := db.FinishRun(t.Context(), claimA, runA); err != nil {
			t.Fatal(err)
		}
		if got, wait := claim(t, db, runC, "in_2"); got == nil {
			t.Fatal(wait)
		}
	})
}

// expire ends a run's lease, as missing heartbeats do.
func expire(t *testing.T, db *store.DB, run jobs.Run) {
	t.Helper()
	err := db.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.ExecContext(t.Context(), `UPDATE runs SET lease_until = 1 WHERE id = ?`, run.ID)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// checklist 38 39
func TestADeadOwnersRunIsTakenOverAndItsOwnerCanNeverWriteAgain(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, db *store.DB) {
		j := job(t, db, authorization(t, db).ID, "a")
		dead := queue(t, db, j, "in_dead")
		held, _ := claim(t, db, dead, "in_dead")
		next := queue(t, db, j, "in_next")
		if got, _ := claim(t, db, next, "in_next"); got != nil {
			t.Fatal("a live owner's run was taken over")
		}
		expire(t, db, dead)
		got, wait := claim(t, db, next, "in_next")
		if got == nil {
			t.Fatal(wait)
		}
		if _, err := db.BeatRun(t.Context(), held, dead); !errors.Is(err, store.ErrFenced) {
			t.Errorf("heartbeat of the old owner: got %v, want ErrFenced", err)
		}
		err := db.Write(t.Context(), func(tx *store.Tx) error { return store.Fence(t.Context(), tx, held) })
		if !errors.Is(err, store.ErrFenced) {
			t.Errorf("fence of the old owner: got %v, want ErrFenced", err)
		}
		if err := db.FinishRun(t.Context(), held, dead); !errors.Is(err, store.ErrFenced) {
			t.Errorf("finish by the old owner: got %v, want ErrFenced", err)
		}
		was, err := db.Run(t.Context(), dead.ID)
		if err != nil || was.Status != jobs.StatusFailed || was.Failure.IsZero() {
			t.Errorf("the dead run is %+v, %v", was, err)
		}
		if err := db.Write(t.Context(), func(tx *store.Tx) error { return store.Fence(t.Context(), tx, got) }); err != nil {
			t.Errorf("the new owner is fenced: %v", err)
		}
	})
}

func TestACancelReachesTheOwnerAtItsHeartbeat(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, db *store.DB) {
		run := queue(t, db, job(t, db, authorization(t, db).ID, "a"), "in_1")
		c, _ := claim(t, db, run, "in_1")
		run.Status = jobs.StatusRunning
		if asked, err := db.BeatRun(t.Context(), c, run); err != nil || asked {
			t.Fatalf("asked %v, %v", asked, err)
		}
		if err := db.RequestCancel(t.Context(), run.ID); err != nil {
			t.Fatal(err)
		}
		if asked, err := db.BeatRun(t.Context(), c, run); err != nil || !asked {
			t.Fatalf("asked %v, %v", asked, err)
		}
	})
}

func TestTheLastRunOfEachJob(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, db *store.DB) {
		auth := authorization(t, db).ID
		a, b, c := job(t, db, auth, "a"), job(t, db, auth, "b"), job(t, db, auth, "c")
		queue(t, db, a, "in_1")
		newer, only := queue(t, db, a, "in_1"), queue(t, db, b, "in_1")
		last, err := db.LastRuns(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if last[a.ID].ID != newer.ID || last[b.ID].ID != only.ID || last[c.ID] != nil || len(last) != 2 {
			t.Fatalf("got %v, want %s and %s", last, newer.ID, only.ID)
		}
	})
}

// A server's message may contain bytes that PostgreSQL does not accept as text. The run
// is recorded nevertheless.
func TestInvalidTextIsStoredWithReplacementCharacters(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, db *store.DB) {
		run := queue(t, db, job(t, db, authorization(t, db).ID, "a"), "in_1")
		c, _ := claim(t, db, run, "in_1")
		run.Status, run.Phase = jobs.StatusRunning, "reading \x00 and \xff"
		if _, err := db.BeatRun(t.Context(), c, run, store.LogEntry{Level: store.LogWarn, Message: "a\x00b\xc3"}); err != nil {
			t.Fatal(err)
		}
		if now, err := db.Run(t.Context(), run.ID); err != nil || now.Phase != "reading \uFFFD and \uFFFD" {
			t.Errorf("the phase is %q, %v", now.Phase, err)
		}
		run.Status, run.Failure = jobs.StatusFailed, jobs.Failure{Code: jobs.CodeFailed, Summary: "the answer was \x00\xfe"}
		long := strings.Repeat("x", 3999) + "\U0001F389 and more"
		if err := db.FinishRun(t.Context(), c, run, store.LogEntry{Level: store.LogError, Message: long}); err != nil {
			t.Fatal(err)
		}
		if now, err := db.Run(t.Context(), run.ID); err != nil || now.Failure.Summary != "the answer was \uFFFD\uFFFD" {
			t.Errorf("the error is %q, %v", now.Failure.Summary, err)
		}
		lines, err := db.RunLog(t.Context(), run.ID)
		if err != nil || len(lines) < 2 {
			t.Fatalf("the log is %v, %v", lines, err)
		}
		var got []string
		for _, l := range lines[len(lines)-2:] {
			got = append(got, l.Message)
		}
		if want := []string{"a\uFFFDb\uFFFD", long[:3999] + "... (13 more bytes)"}; !slices.Equal(got, want) {
			t.Errorf("the log has %q, want %q", got, want)
		}
	})
}

// checklist 48: a process that lost a run and claimed it again may write for the second
// claim, but no longer for the first.
func TestAnEarlierClaimOfTheSameProcessIsFenced(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, db *store.DB) {
		run, err := db.QueueRun(t.Context(), store.NewRun{Job: job(t, db, authorization(t, db).ID, "a").Job, Reason: jobs.ReasonManual})
		if err != nil {
			t.Fatal(err)
		}
		first, _ := claim(t, db, run, "in_1")
		if err := db.RequeueRun(t.Context(), first, run, store.Requeue{Phase: "queued"}); err != nil {
			t.Fatal(err)
		}
		second, _ := claim(t, db, run, "in_1")
		for name, write := range map[string]func(c *store.Claim) error{
			"Fence": func(c *store.Claim) error {
				return db.Write(t.Context(), func(tx *store.Tx) error { return store.Fence(t.Context(), tx, c) })
			},
			"BeatRun": func(c *store.Claim) error {
				_, err := db.BeatRun(t.Context(), c, jobs.Run{Status: jobs.StatusRunning})
				return err
			},
		} {
			if err := write(first); !errors.Is(err, store.ErrFenced) {
				t.Errorf("%s by the first claim, epoch %d: got %v, want %v", name, first.Epoch, err, store.ErrFenced)
			}
			if err := write(second); err != nil {
				t.Errorf("%s by the second claim, epoch %d: got %v, want no error", name, second.Epoch, err)
			}
		}
		if err := db.FinishRun(t.Context(), first, jobs.Run{Status: jobs.StatusFailed}); !errors.Is(err, store.ErrFenced) {
			t.Errorf("FinishRun by the first claim: got %v, want %v", err, store.ErrFenced)
		}
	})
}
