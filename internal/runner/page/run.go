package page

import (
	"net/http"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// logLines is the number of log lines that a run's page shows, the latest ones.
const logLines = 1000

type logView struct {
	RunID string
	Lines []jobs.LogLine
	// Left is the number of earlier lines that are not shown.
	Left int
}

func newLog(runID string, lines []jobs.LogLine, most int) logView {
	left := max(len(lines)-most, 0)
	return logView{RunID: runID, Lines: lines[left:], Left: left}
}

type counter struct {
	Name, Meaning string
	N             int64
	Bytes, Warn   bool
}

type runView struct {
	Run      runRow
	Job      jobRow
	JobGone  bool
	Progress *progress
	Failure  *failure
	Counters []counter
	Log      logView
	Back     string
}

func (s *server) showRun(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	run, err := s.API.Run(ctx, r.PathValue("id"))
	if err != nil {
		s.fail(w, r, "runs", err)
		return
	}
	now := s.Now()
	v := runView{Run: newRunRow(run, now), Progress: s.rates.of(&run, now), Counters: counters(&run), Back: r.URL.RequestURI()}
	job, err := s.API.Job(ctx, run.JobID)
	switch {
	case jobs.IsCode(err, jobs.CodeNotFound):
		v.JobGone = true
	case err != nil:
		s.fail(w, r, "runs", err)
		return
	}
	v.Job = jobRow{Job: job}
	v.Job.State, v.Job.Word = stateOf(&v.Job.Job, now)
	v.Run.Label = job.Label
	if v.JobGone {
		v.Run.Label = run.JobID
	}
	if run.Status == jobs.StatusFailed {
		v.Failure = newFailure(&run, nil)
		v.Failure.RunID = "" // the link would lead to this page
	}
	lines, err := s.API.RunLog(ctx, run.ID)
	if err != nil {
		s.fail(w, r, "runs", err)
		return
	}
	v.Log = newLog(run.ID, lines, logLines)
	f := frame{Title: v.Run.Label + ": run " + statusText(run.Status), Section: "jobs"}
	if run.Status.Active() {
		f.Refresh = refreshActive
	}
	if run.Status == jobs.StatusFailed {
		f.Mood = "failed"
	}
	s.render(w, r, http.StatusOK, "run", f, v)
}

// counters returns the counts of a run that are not zero.
func counters(r *jobs.Run) []counter {
	out := []counter{
		{Name: "Rows read", Meaning: "returned by the warehouse, or profiles scanned", N: r.RowsRead},
		{Name: "Rows written", Meaning: "events sent, or rows of the new table", N: r.RowsWritten},
		{Name: "Size", Meaning: "of events or staged files", N: r.Bytes, Bytes: true},
	}
	for _, c := range []counter{
		{Name: "Rows sent before", Meaning: "read again at the watermark, not sent again", N: r.RowsKnown},
		{Name: "Rows without timestamp", Meaning: "skipped", N: r.RowsNull, Warn: true},
		{Name: "Future rows", Meaning: "later than the warehouse's clock; sent by a later run", N: r.RowsFuture, Warn: true},
		{Name: "Rejected rows", Meaning: "refused by the platform, and in quarantine", N: r.RowsRejected, Warn: true},
		{Name: "Rows of erased users", Meaning: "left out", N: r.RowsErased},
		{Name: "Possibly duplicated events", Meaning: "sent again with the same ids, because an answer was lost", N: r.PossiblyDuplicated, Warn: true},
		{Name: "Profiles", Meaning: "after the run", N: r.Profiles},
		{Name: "Unidentified events", Meaning: "have no identifier and belong to no profile", N: r.Unidentified, Warn: true},
		{Name: "Values that do not fit", Meaning: "left out, because they do not fit the type of their field", N: r.Unfit, Warn: true},
		{Name: "Conflicts", Meaning: "users with more identities than one user may have", N: r.Conflicts, Warn: true},
		{Name: "Events not in profiles yet", Meaning: "sent to Lytics before this export; Lytics had not counted them when the wait ended", N: r.EventsBehind, Warn: true},
	} {
		if c.N > 0 {
			out = append(out, c)
		}
	}
	return out
}

type runsView struct {
	Status string
	Tabs   []tab
	Runs   runTable
	Most   int
}

// showRuns lists the latest runs of all jobs.
func (s *server) showRuns(w http.ResponseWriter, r *http.Request) {
	const most = 100
	v := runsView{Status: r.URL.Query().Get("status"), Most: most, Runs: runTable{Jobs: true}}
	filter := jobs.RunFilter{Limit: most}
	for _, t := range []struct {
		name, key string
		statuses  []jobs.Status
	}{
		{"All", "", nil},
		{"Failed", "failed", []jobs.Status{jobs.StatusFailed}},
		{"Active", "active", []jobs.Status{jobs.StatusRunning, jobs.StatusWaiting, jobs.StatusQueued}},
		{"Succeeded", "succeeded", []jobs.Status{jobs.StatusSucceeded}},
		{"Cancelled", "cancelled", []jobs.Status{jobs.StatusCancelled}},
		{"Missed", "missed", []jobs.Status{jobs.StatusMissed}},
	} {
		href := "/runs"
		if t.key != "" {
			href += "?status=" + t.key
		}
		v.Tabs = append(v.Tabs, tab{Name: t.name, State: t.key, Href: href, Current: t.key == v.Status})
		if t.key == v.Status {
			filter.Statuses = t.statuses
		}
	}
	runs, err := s.API.ListRuns(r.Context(), filter)
	if err != nil {
		s.fail(w, r, "runs", err)
		return
	}
	all, err := s.jobs.get(r.Context())
	if err != nil {
		s.fail(w, r, "runs", err)
		return
	}
	now, active := s.Now(), false
	for i := range runs {
		row := newRunRow(runs[i], now)
		row.Label = label(all, row.JobID)
		v.Runs.Rows = append(v.Runs.Rows, row)
		active = active || row.Status.Active()
	}
	s.render(w, r, http.StatusOK, "runs", frame{Title: "Runs", Section: "runs", Refresh: refresh(active)}, v)
}
