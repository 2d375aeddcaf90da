package page

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// mostActed is how many runs or jobs one form may act on.
const mostActed = 1000

// cancellingSeveral asks before several runs are cancelled.
func cancellingSeveral() question {
	q := cancelling("")
	q.Question, q.Yes = "Cancel the selected runs that are active?", "Cancel the runs"
	return q
}

// tally counts what became of an action on several objects.
type tally struct {
	done, skipped, failed int
	cause                 explanation
}

func (t *tally) add(err error) {
	if err == nil {
		t.done++
		return
	}
	if t.failed == 0 {
		t.cause = explain(jobs.FailureOf(err))
	}
	t.failed++
}

// notice tells what became of the action; done and skipped are what happened to the
// objects, which noun names.
func (t *tally) notice(noun, done, skipped string) notice {
	var parts []string
	for _, p := range []struct {
		n    int
		text string
	}{{t.done, done}, {t.skipped, skipped}, {t.failed, "refused"}} {
		if p.n > 0 {
			parts = append(parts, plural(p.n, noun)+" "+p.text)
		}
	}
	n := notice{Text: strings.Join(parts, ", ") + "."}
	if t.failed > 0 {
		n.Failed, n.Why, n.Next = true, strings.TrimSpace(t.cause.What+" "+t.cause.Why), t.cause.Next
	}
	return n
}

// actOnRuns cancels the selected runs, or runs their jobs again.
func (s *server) actOnRuns(w http.ResponseWriter, r *http.Request) {
	action := r.PostFormValue("do") // parses the form
	runs, again := r.PostForm["run"], slices.Clone(r.PostForm["job"])
	var t tally
	var n notice
	switch {
	case len(runs)+len(again) == 0:
		n = notice{Failed: true, Text: "No run is selected.", Next: "Select runs with the boxes before them"}
	case len(runs)+len(again) > mostActed:
		n = notice{Failed: true, Text: "That is more than one action takes: " + plural(mostActed, "run") + ".", Next: "Select fewer"}
	case action == "cancel":
		if s.asks(w, r, cancellingSeveral()) {
			return
		}
		for _, id := range runs {
			s.cancelOne(r, id, &t)
		}
		n = t.notice("run", "cancelled", "over already")
	case action == "again":
		for _, id := range runs {
			run, err := s.API.Run(r.Context(), id)
			if err != nil {
				t.add(err)
			} else if !slices.Contains(again, run.JobID) {
				again = append(again, run.JobID)
			}
		}
		for _, id := range again {
			s.startOne(r, id, &t)
		}
		n = t.notice("job", "started", "running already")
	default:
		n = notice{Failed: true, Text: "The page has no such action.", Next: "Load the page again"}
	}
	s.leaveNotice(r, n)
	http.Redirect(w, r, localPath(r.PostFormValue("back")), http.StatusSeeOther)
}

func (s *server) cancelOne(r *http.Request, id string, t *tally) {
	run, err := s.API.Run(r.Context(), id)
	switch {
	case err == nil && !run.Status.Active():
		t.skipped++
	case err == nil:
		t.add(s.API.CancelRun(r.Context(), id))
		s.refreshJob(r, run.JobID)
	default:
		t.add(err)
	}
}

// startOne starts a run of a job that has no active run.
func (s *server) startOne(r *http.Request, jobID string, t *tally) {
	last, err := s.API.ListRuns(r.Context(), jobs.RunFilter{
		JobID: jobID, Statuses: []jobs.Status{jobs.StatusQueued, jobs.StatusWaiting, jobs.StatusRunning}, Limit: 1,
	})
	if err == nil && len(last) > 0 {
		t.skipped++
		return
	}
	if err == nil {
		_, err = s.API.StartRun(r.Context(), jobID, jobs.ReasonManual)
		s.refreshJob(r, jobID)
	}
	if e, ok := errors.AsType[*jobs.Error](err); ok && e.Code == jobs.CodeNotFound {
		err = &jobs.Error{Code: e.Code, Summary: "A job was destroyed since", Next: "Nothing is to be done for it"}
	}
	t.add(err)
}

// refreshJob updates a job in the list that the open pages share.
func (s *server) refreshJob(r *http.Request, id string) {
	if job, err := s.API.Job(r.Context(), id); err == nil {
		s.jobs.put(job)
	}
}
