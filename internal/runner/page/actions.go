package page

import (
	"net/http"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// answerAction performs the action of a button and returns to the page of the
// button, with a notice of the result.
func (s *server) answerAction(w http.ResponseWriter, r *http.Request, jobID string, done string, do func() error) {
	if err := do(); err != nil {
		cause := explain(jobs.FailureOf(err))
		s.leaveNotice(r, notice{Failed: true, Text: cause.What, Why: cause.Why, Next: cause.Next})
	} else {
		s.leaveNotice(r, notice{Text: done})
	}
	s.refreshJob(r, jobID)
	http.Redirect(w, r, localPath(r.PostFormValue("back")), http.StatusSeeOther)
}

func (s *server) runNow(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	s.answerAction(w, r, id, "A run of "+s.name(r, id)+" was started.", func() error {
		_, err := s.API.StartRun(r.Context(), id, jobs.ReasonManual)
		return err
	})
}

func (s *server) pause(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	s.answerAction(w, r, id, s.name(r, id)+" is paused: its schedule starts no runs until you resume it.", func() error {
		_, err := s.API.PauseJob(r.Context(), id, true)
		return err
	})
}

func (s *server) resume(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	s.answerAction(w, r, id, s.name(r, id)+" was resumed.", func() error {
		_, err := s.API.PauseJob(r.Context(), id, false)
		return err
	})
}

func (s *server) cancel(w http.ResponseWriter, r *http.Request) {
	run, err := s.API.Run(r.Context(), r.PathValue("id"))
	if err != nil {
		s.fail(w, r, "runs", err)
		return
	}
	name := s.name(r, run.JobID)
	if !run.Status.Active() {
		s.answerAction(w, r, run.JobID, "The run of "+name+" had ended already: "+statusText(run.Status)+".", func() error { return nil })
		return
	}
	if s.asks(w, r, cancelling(name)) {
		return
	}
	s.answerAction(w, r, run.JobID, "The run of "+name+" is being cancelled.", func() error {
		return s.API.CancelRun(r.Context(), run.ID)
	})
}

// name returns the name of a job in a notice.
func (s *server) name(r *http.Request, id string) string {
	if j, err := s.API.Job(r.Context(), id); err == nil && j.Label != "" {
		return j.Label
	}
	return id
}
