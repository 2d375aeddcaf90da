package page

import (
	"context"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// logLines is the number of log lines that a run's page shows, the latest ones.
const logLines = 1000

type logView struct {
	RunID string
	Lines []jobs.LogLine
	// Left is the number of earlier lines that are not shown.
	Left int
	// Searched shows the search, and Query is its text.
	Searched bool
	Query    string
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
	Phases   []phaseView
	// Statements link to the warehouse's query history.
	Statements []link
	Changes    []jobs.AuditEntry
	Back       string
}

// phaseView is a phase in the timeline of a run. From and Width are percentages of the
// run's time.
type phaseView struct {
	Name        string
	Took        time.Duration
	From, Width float64
}

// phaseViews places phases in the time between the first one and end.
func phaseViews(phases []jobs.PhaseStart, end time.Time) (out []phaseView) {
	if len(phases) == 0 {
		return nil
	}
	begin := phases[0].At
	whole := max(end.Sub(begin), time.Millisecond).Seconds()
	for i, p := range phases {
		until := end
		if i+1 < len(phases) {
			until = phases[i+1].At
		}
		took := max(until.Sub(p.At), 0)
		out = append(out, phaseView{
			Name: p.Name, Took: took, From: round(min(p.At.Sub(begin).Seconds()/whole, 1) * 99), Width: round(max(took.Seconds()/whole*99, 0.6)),
		})
	}
	return out
}

// linesWith are the lines of a log that have a text, in any case.
func linesWith(lines []jobs.LogLine, text string) []jobs.LogLine {
	text = strings.ToLower(text)
	return slices.DeleteFunc(slices.Clone(lines), func(l jobs.LogLine) bool { return !strings.Contains(strings.ToLower(l.Message), text) })
}

// downloadLog sends the whole log of a run as a text file.
func (s *server) downloadLog(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	lines, err := s.API.RunLog(r.Context(), id)
	if err != nil {
		s.fail(w, r, "runs", err)
		return
	}
	var text strings.Builder
	for _, l := range lines {
		fmt.Fprintf(&text, "%s %-5s %s\n", l.At.UTC().Format(time.RFC3339Nano), level(l.Level), l.Message)
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": id + ".log.txt"}))
	_, _ = io.WriteString(w, text.String()) // a failed write means that the browser is gone
}

// addNeighbours adds the phases, the statements and who did what to a run's page.
func (s *server) addNeighbours(ctx context.Context, v *runView, run *jobs.Run) error {
	phases, err := s.API.RunPhases(ctx, run.ID)
	if err != nil {
		return err
	}
	end := s.Now()
	if run.FinishedAt != nil {
		end = *run.FinishedAt
	}
	v.Phases = phaseViews(phases, end)
	var at *jobs.Authorization
	if len(run.Statements) > 0 && v.Job.AuthorizationID != "" {
		all, err := s.API.ListAuthorizations(ctx)
		if err != nil {
			return err
		}
		for i := range all {
			if all[i].ID == v.Job.AuthorizationID {
				at = &all[i]
			}
		}
	}
	for _, id := range run.Statements {
		l := link{Name: id}
		if at != nil {
			l.Href = statementURL(at, id)
		}
		v.Statements = append(v.Statements, l)
	}
	// Entries of the run are younger than the run, but for the clock of another machine.
	filter := jobs.AuditFilter{Object: run.JobID, Since: run.CreatedAt.Add(-time.Minute), Limit: 1000}
	for {
		changes, err := s.API.AuditLog(ctx, filter)
		if err != nil {
			return err
		}
		for _, e := range changes.Entries {
			if e.RunID == run.ID {
				v.Changes = append(v.Changes, e)
			}
		}
		if filter.Before = changes.Next; filter.Before == 0 {
			return nil
		}
	}
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
	query := r.URL.Query().Get("log")
	v.Log = newLog(run.ID, linesWith(lines, query), logLines)
	v.Log.Searched, v.Log.Query = true, query
	if err := s.addNeighbours(ctx, &v, &run); err != nil {
		s.fail(w, r, "runs", err)
		return
	}
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
		{Name: "Possibly duplicated events", Meaning: "sent again with the same ids, because an " +
			"answer was lost", N: r.PossiblyDuplicated, Warn: true},
		{Name: "Profiles", Meaning: "after the run", N: r.Profiles},
		{Name: "Unidentified events", Meaning: "have no identifier and belong to no profile", N: r.Unidentified, Warn: true},
		{Name: "Values that do not fit", Meaning: "left out, because they do not fit the type of their field", N: r.Unfit, Warn: true},
		{Name: "Conflicts", Meaning: "users with more identities than one user may have", N: r.Conflicts, Warn: true},
		{Name: "Events not in profiles yet", Meaning: "sent to Lytics before this export; Lytics had not counted them when " +
			"the wait ended", N: r.EventsBehind, Warn: true},
	} {
		if c.N > 0 {
			out = append(out, c)
		}
	}
	return out
}
