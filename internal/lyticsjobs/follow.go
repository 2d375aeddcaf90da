package lyticsjobs

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/lytics"
)

// Paused reports whether a status says that a job is paused.
func Paused(status string) bool { return status == "paused" || status == "pausing" }

// ended reports whether a status says that the job does not work now. Lytics may
// have more words than are known: those are taken for work.
func ended(status string) bool {
	return Paused(status) || slices.Contains([]string{"sleeping", "completed", "failed"}, status)
}

// faulty reports whether Lytics tries again after an error: "fault-3", or "fault" in
// older descriptions.
func faulty(status string) bool { return strings.HasPrefix(status, "fault") }

// Started reports whether a job that was created elsewhere has run.
func Started(j lytics.AccountJob) bool {
	return !slices.Contains([]string{"", "initializing", "unknown"}, j.Status)
}

// Start runs a job now. started tells whether it ever ran. How a job that never ran
// is started is not documented: where Lytics refuses to resume it, it is bounced.
func Start(ctx context.Context, a Account, j lytics.AccountJob, started bool) error {
	switch {
	case !started:
		err := a.SteerAccountJob(ctx, j.ID, lytics.ActionResume)
		if lytics.Refused(err) {
			err = a.SteerAccountJob(ctx, j.ID, lytics.ActionBounce)
		}
		return err
	case Paused(j.Status):
		return a.SteerAccountJob(ctx, j.ID, lytics.ActionResume)
	case ended(j.Status) || faulty(j.Status):
		return a.SteerAccountJob(ctx, j.ID, lytics.ActionBounce)
	default:
		return nil // it works
	}
}

// How a job is followed. Lytics has no runs, only the status of the job and its log.
const (
	// followEvery is the pause between two looks, and longerFollow the one after
	// followSoon.
	followEvery  = 2 * time.Second
	longerFollow = 15 * time.Second
	followSoon   = 2 * time.Minute
	// settle is how long a status that says "done" may still be that of the work
	// before: a job that was just started shows it until Lytics gets to it.
	settle = 30 * time.Second
	// faultPatience is how long Lytics may try again after errors before the run
	// counts as failed.
	faultPatience = 10 * time.Minute
)

// Report receives what a job that is followed does.
type Report interface {
	// Doing says what the job does now: its status and the newest log entry.
	Doing(status, message string)
	// Logged passes on a new entry of Lytics' log.
	Logged(line jobs.LogLine)
}

// follower follows one run of a job.
type follower struct {
	account Account
	id      string
	since   time.Time
	report  Report

	begun      bool // the job was seen at work, or logged something
	passed     map[jobs.LogLine]bool
	last       jobs.LogLine
	lastError  string
	faultSince time.Time
}

// Follow waits until a job that was started at a time has done its work: until it
// sleeps or is completed. When ctx ends, only the waiting does.
func Follow(ctx context.Context, a Account, id string, since time.Time, r Report) error {
	f := follower{account: a, id: id, since: since, report: r, passed: map[jobs.LogLine]bool{}}
	begun := time.Now()
	for {
		waited := time.Since(begun)
		done, err := f.look(ctx, waited)
		if done || err != nil {
			return err
		}
		pause := followEvery
		if waited > followSoon {
			pause = longerFollow
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause):
		}
	}
}

// look reads status and log once, and tells whether the work is done.
func (f *follower) look(ctx context.Context, waited time.Duration) (bool, error) {
	j, err := f.account.AccountJob(ctx, f.id)
	if jobs.IsCode(err, jobs.CodeNotFound) {
		return false, &jobs.Error{
			Code: jobs.CodeFailed, Summary: "The job was deleted in Lytics while it ran", Detail: "Lytics job " + f.id + " does not exist any more.",
			Next: "Apply again to create it",
		}
	}
	if err != nil {
		return false, err
	}
	if err := f.readLog(ctx); err != nil {
		return false, err
	}
	f.report.Doing(j.Status, f.last.Message)
	if faulty(j.Status) {
		return false, f.fault(j.Status)
	}
	f.faultSince = time.Time{}
	if !ended(j.Status) {
		f.begun = true
		return false, nil
	}
	if !f.begun && waited < settle {
		return false, nil
	}
	switch {
	case j.Status == "failed":
		return false, f.failed("The job failed in Lytics", "Its status is failed.")
	case Paused(j.Status):
		return false, &jobs.Error{
			Code: jobs.CodeFailed, Summary: "The job was paused in Lytics before its work was done", Detail: "Its status is " + j.Status + ".",
			Next: "Resume it, or set schedule.paused in the definition",
		}
	}
	return true, nil
}

func (f *follower) fault(status string) error {
	f.begun = true
	if f.faultSince.IsZero() {
		f.faultSince = time.Now()
	}
	if time.Since(f.faultSince) < faultPatience {
		return nil
	}
	return f.failed("The job fails in Lytics again and again",
		fmt.Sprintf("It has had errors for %s (its status is %s), and Lytics continues to try it.", faultPatience, status))
}

func (f *follower) failed(summary, detail string) error {
	if f.lastError != "" {
		detail += " The newest error in its log: " + strings.TrimSuffix(f.lastError, ".") + "."
	}
	return &jobs.Error{
		Code: jobs.CodeFailed, Summary: summary, Detail: detail,
		Next: "Read the job's log (terraform-provider-lytics logs JOB), and correct the cause",
	}
}

// logSkew is how much the clocks of this machine and of Lytics may differ.
const logSkew = 5 * time.Second

// readLog passes on the entries since the last look. Entries from before the run are
// left out.
func (f *follower) readLog(ctx context.Context) error {
	lines, err := f.account.AccountJobLog(ctx, f.id)
	if err != nil {
		return err
	}
	for _, l := range lines {
		if l.At.Before(f.since.Add(-logSkew)) || f.passed[l] {
			continue
		}
		f.begun, f.last, f.passed[l] = true, l, true
		if l.Level == "error" {
			f.lastError = l.Message
		}
		f.report.Logged(l)
	}
	return nil
}
