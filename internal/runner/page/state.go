package page

import (
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// state is the state of a job in the list.
type state string

const (
	stateFailed  state = "failed"
	stateLate    state = "late"
	stateRunning state = "running"
	stateOK      state = "ok"
	stateIdle    state = "idle"
	statePaused  state = "paused"
)

// urgency is the order of the states in the list.
var urgency = map[state]int{stateFailed: 0, stateLate: 1, stateRunning: 2, stateOK: 3, stateIdle: 4, statePaused: 5}

// lateAfter is how long after its planned time a run may start before the job
// counts as late. Some delay is normal, because by default only two runs of a
// warehouse execute at the same time.
const lateAfter = 5 * time.Minute

// wordLate is the text of a job without a success for longer than its expected_every.
const wordLate = "late"

// stateOf returns a job's state and its text.
func stateOf(j *jobs.Job, now time.Time) (state, string) {
	last := j.LastRun
	switch {
	case last != nil && last.Cancelling:
		return stateRunning, "cancelling"
	case last != nil && last.Status == jobs.StatusQueued && last.NextAttemptAt != nil:
		return stateRunning, "retrying"
	case last != nil && last.Status.Active():
		return stateRunning, map[jobs.Status]string{
			jobs.StatusQueued: "queued", jobs.StatusWaiting: "waiting", jobs.StatusRunning: "running"}[last.Status]
	case j.Paused:
		return statePaused, "paused"
	case j.Lytics != nil:
		return lyticsStateOf(*j.Lytics)
	case last != nil && last.Status == jobs.StatusFailed:
		return stateFailed, "failed"
	case last != nil && last.Status == jobs.StatusMissed:
		return stateLate, "missed"
	case j.NextRunAt != nil && now.Sub(*j.NextRunAt) > lateAfter:
		return stateLate, "overdue"
	case j.LateBy(now) > 0:
		return stateLate, wordLate
	case last == nil:
		return stateIdle, "never run"
	case last.Status == jobs.StatusCancelled:
		return stateIdle, "cancelled"
	default:
		return stateOK, "ok"
	}
}

// lyticsStateOf returns the state of a job that Lytics executes, with Lytics' own word
// for it. Its work is not a run that can be cancelled here.
func lyticsStateOf(l jobs.LyticsState) (state, string) {
	switch {
	case l.Status == "":
		return stateLate, "not known"
	case l.Status == "failed" || l.Status == "deleted" || strings.HasPrefix(l.Status, "fault"):
		return stateFailed, l.Status
	default:
		return stateOK, l.Status
	}
}

// source returns the table or the audience that a job reads.
func source(j *jobs.Job, n names) string {
	switch {
	case j.Import != nil:
		return j.Import.Catalog + "." + j.Import.Database + "." + j.Import.Table
	case j.Export != nil:
		return "audience " + n.audience(j.Export.AudienceID)
	default:
		return ""
	}
}

func target(j *jobs.Job) string {
	switch {
	case j.Import != nil:
		return "stream " + j.Import.Stream
	case j.Export != nil:
		return j.Export.Catalog + "." + j.Export.Database + "." + j.Export.TableName
	default:
		return ""
	}
}

// runDuration is how long a run has executed; 0 if it has not started.
func runDuration(r *jobs.Run, now time.Time) time.Duration {
	switch {
	case r.StartedAt == nil:
		return 0
	case r.FinishedAt != nil:
		return r.FinishedAt.Sub(*r.StartedAt)
	case r.Status.Active():
		return now.Sub(*r.StartedAt)
	default:
		return 0
	}
}

// when returns the time at which a run is shown in lists and charts.
func when(r *jobs.Run) time.Time {
	if r.StartedAt != nil {
		return *r.StartedAt
	}
	if r.PlannedAt != nil {
		return *r.PlannedAt
	}
	return r.CreatedAt
}
