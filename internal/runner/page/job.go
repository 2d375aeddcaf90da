package page

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// The default and the largest number of runs that a job's page lists.
const (
	listedRuns = 25
	mostRuns   = 1000
	// listedRejections is how many rejected rows a job's page lists.
	listedRejections = 20
)

type fact struct {
	Name, Text string
	Code       bool
	At         *time.Time
	Links      []link
}

type link struct{ Name, Href string }

// runTable lists runs, newest first. Jobs adds a column with the job of each
// run.
type runTable struct {
	Rows []runRow
	Jobs bool
	// Pick shows a box before each run, of the form "act".
	Pick bool
}

type runRow struct {
	jobs.Run
	At    time.Time
	Took  time.Duration
	Label string
	// JobGone is whether the job was destroyed.
	JobGone bool
	Cause   explanation
}

func newRunRow(r jobs.Run, now time.Time) runRow {
	return runRow{Run: r, At: when(&r), Took: runDuration(&r, now), Cause: explain(r.Failure)}
}

type jobView struct {
	Job     jobRow
	Failure *failure
	Late    *explanation
	History *history
	Facts   []fact
	Runs    runTable
	More    string
	// Quarantine lists the first of the job's rejected rows, without the rows
	// themselves; nil if there are none.
	Quarantine *jobs.QuarantineList
	Log        logView
	// LyticsLog is the log that Lytics keeps of a job that it executes, or nil.
	LyticsLog *logView
	// Versions are the definitions that the job has had, Changes who did what.
	Versions []versionView
	Changes  []jobs.AuditEntry
	Back     string
}

// failure describes a failed run.
type failure struct {
	// RunID is the run to link to; "" for no link.
	RunID     string
	Cause     explanation
	Code      jobs.Code
	Attribute string
	At        time.Time
	Success   *time.Time
	Attempt   int
}

func newFailure(r *jobs.Run, success *time.Time) *failure {
	f := &failure{
		RunID:     r.ID,
		Cause:     explain(r.Failure),
		Code:      r.Failure.Code,
		Attribute: r.Failure.Attribute,
		At:        when(r),
		Success:   success,
		Attempt:   r.Attempt,
	}
	if r.FinishedAt != nil {
		f.At = *r.FinishedAt
	}
	if f.Cause.What == "" {
		f.Cause.What = "The run failed without a reason."
	}
	return f
}

func (s *server) showJob(w http.ResponseWriter, r *http.Request) {
	ctx, id := r.Context(), r.PathValue("id")
	job, err := s.API.Job(ctx, id)
	if err != nil {
		s.fail(w, r, "jobs", err)
		return
	}
	limit, _ := strconv.Atoi(r.URL.Query().Get("runs"))
	limit = min(max(limit, listedRuns), mostRuns)
	runs, err := s.API.ListRuns(ctx, jobs.RunFilter{JobID: id, Limit: max(limit+1, chartRuns)})
	if err != nil {
		s.fail(w, r, "jobs", err)
		return
	}
	now := s.Now()
	v := jobView{Job: jobRow{Job: job}, Back: r.URL.RequestURI()}
	for i := range runs[:min(len(runs), limit)] {
		v.Runs.Rows = append(v.Runs.Rows, newRunRow(runs[i], now))
	}
	if len(runs) > limit && limit < mostRuns {
		v.More = JobPath(id) + "?runs=" + strconv.Itoa(min(limit*4, mostRuns))
	}
	s.complete(&v.Job, runs, s.names(ctx))
	v.History = newHistory(v.Job.Runs, now)
	all, err := s.jobs.get(ctx)
	if err != nil {
		s.fail(w, r, "jobs", err)
		return
	}
	v.Facts = facts(&v.Job, labels(all), s.names(ctx))
	quarantine, err := s.API.QuarantinedRows(ctx, jobs.QuarantineFilter{JobID: id, Limit: listedRejections})
	if err != nil {
		s.fail(w, r, "jobs", err)
		return
	}
	if quarantine.Total > 0 {
		v.Quarantine = &quarantine
	}
	if last := v.Job.LastRun; last != nil {
		if last.Status == jobs.StatusFailed {
			v.Failure = newFailure(last, v.Job.Success)
		}
		lines, err := s.API.RunLog(ctx, last.ID)
		if err != nil {
			s.fail(w, r, "jobs", err)
			return
		}
		v.Log = newLog(last.ID, lines, 30)
	}
	versions, err := s.API.JobVersions(ctx, id)
	if err != nil {
		s.fail(w, r, "jobs", err)
		return
	}
	v.Versions = versionViews(versions)
	changes, err := s.API.AuditLog(ctx, jobs.AuditFilter{Object: id, Limit: shownChanges})
	if err != nil {
		s.fail(w, r, "jobs", err)
		return
	}
	v.Changes = changes.Entries
	v.Late = explainLateness(&v.Job, now)
	if l := job.Lytics; l != nil && l.ID != "" {
		lines, err := s.API.JobLog(ctx, id)
		if err != nil {
			s.fail(w, r, "jobs", err)
			return
		}
		log := newLog(id, lines, 30)
		v.LyticsLog = &log
	}
	f := frame{Title: v.Job.Label, Section: "jobs", Refresh: refresh(v.Job.State == stateRunning)}
	if v.Job.State == stateFailed {
		f.Title, f.Mood = v.Job.Label+" failed", "failed"
	}
	s.render(w, r, http.StatusOK, "job", f, v)
}

// explainLateness says why a job is late, and what to do about it.
func explainLateness(j *jobRow, now time.Time) *explanation {
	switch {
	case j.Lytics != nil && j.Lytics.Problem != "":
		return &explanation{
			What: "What the job does in Lytics is not known.", Why: j.Lytics.Problem,
			Next: "Check that Lytics can be reached, and the API token. If an apply was interrupted, apply again",
		}
	case j.Word == "overdue":
		return &explanation{
			What: "The planned run has not started.",
			Why: "It was due more than " + duration(
				lateAfter,
			) + " ago, and no runner has started it: no runner is connected to this store, or all runners are busy.",
			Next: "Check that a runner is connected to this store, and whether other jobs of the same authorization are running. To run the " +
				"job without its schedule, use Run now",
		}
	case j.Word == "missed":
		return &explanation{
			What: "The last planned run was missed.",
			Why:  "No runner was connected when it was due, and the schedule has catch_up = \"skip\".",
			Next: "Run the job now, or wait for its next planned run",
		}
	case j.Word == wordLate:
		since := "It has not succeeded yet, and was created " + duration(now.Sub(j.CreatedAt)) + " ago."
		if j.LastSuccessAt != nil {
			since = "Its last success was " + duration(now.Sub(*j.LastSuccessAt)) + " ago."
		}
		return &explanation{
			What: "The job is late.",
			Why:  "A run is expected to succeed every " + duration(j.ExpectedEvery()) + ". " + since,
			Next: "Check in its runs and its schedule why none succeeded in that time, or run it now. If the job may take longer, change expected_every",
		}
	default:
		return nil
	}
}

// facts are the properties of a job's definition.
func facts(j *jobRow, known map[string]string, n names) []fact {
	var out []fact
	add := func(name, text string, code bool) {
		if text != "" {
			out = append(out, fact{Name: name, Text: text, Code: code})
		}
	}
	add("From", j.Source, true)
	add("To", j.Target, true)
	if l := j.Lytics; l != nil {
		add("Executed by", "Lytics", false)
		add("Status in Lytics", l.Status, false)
		add("Job in Lytics", l.ID, true)
	}
	if j.Rhythm != "" {
		add("Schedule", j.Rhythm, false)
	} else if len(j.After) == 0 {
		add("Schedule", "none: started by terraform apply or by hand", false)
	}
	if every := j.ExpectedEvery(); every > 0 {
		add("Expected every", duration(every), false)
	}
	if len(j.After) > 0 {
		f := fact{Name: "Runs after"}
		for _, id := range j.After {
			name, _ := jobName(known, id)
			f.Links = append(f.Links, link{name, JobPath(id)})
		}
		out = append(out, f)
	}
	if i := slices.IndexFunc(j.Runs, func(r jobs.Run) bool { return r.Watermark != nil }); i >= 0 {
		for k := len(j.Runs) - 1; k >= i; k-- {
			if j.Runs[k].Watermark != nil {
				out = append(out, fact{Name: "Read up to", At: j.Runs[k].Watermark})
				break
			}
		}
	}
	if i := j.Import; i != nil {
		add("Timestamp", i.TimestampColumn, true)
		add("Where", i.Where, true)
		add("Columns", strings.Join(i.Columns, ", "), true)
		add("Without columns", strings.Join(i.ExcludeColumns, ", "), true)
	}
	if e := j.Export; e != nil {
		add("Fields", strings.Join(e.Fields, ", "), true)
	}
	if j.QueryTimeout > 0 {
		add("Query timeout", duration(j.QueryTimeout), false)
	}
	out = append(out, fact{Name: "Authorization", Links: []link{{n.authorization(j.AuthorizationID), AuthorizationPath(j.AuthorizationID)}}})
	add("Id", j.ID, true)
	return out
}
