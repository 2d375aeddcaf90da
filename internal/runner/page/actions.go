package page

import (
	"net/http"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// answerAction answers a button: it says what became of it, on the page it was on.
func (s *server) answerAction(w http.ResponseWriter, r *http.Request, jobID string, done string, do func() error) {
	if err := do(); err != nil {
		cause := explain(jobs.FailureOf(err))
		s.leaveNotice(r, notice{Failed: true, Text: cause.What, Why: cause.Why, Next: cause.Next})
	} else {
		s.leaveNotice(r, notice{Text: done})
	}
	if job, err := s.API.Job(r.Context(), jobID); err == nil {
		s.jobs.put(job)
	}
	http.Redirect(w, r, localPath(r.PostFormValue("back")), http.StatusSeeOther)
}

func (s *server) runNow(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	s.answerAction(w, r, id, s.name(r, id)+" was asked to run.", func() error {
		_, err := s.API.StartRun(r.Context(), id, jobs.ReasonManual)
		return err
	})
}

func (s *server) pause(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	s.answerAction(w, r, id, s.name(r, id)+" is paused: its schedule starts nothing until it is resumed.", func() error {
		_, err := s.API.PauseJob(r.Context(), id, true)
		return err
	})
}

func (s *server) resume(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	s.answerAction(w, r, id, s.name(r, id)+" is resumed.", func() error {
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
	s.answerAction(w, r, run.JobID, "The run of "+s.name(r, run.JobID)+" was asked to stop.", func() error {
		return s.API.CancelRun(r.Context(), run.ID)
	})
}

// name is what a notice calls a job.
func (s *server) name(r *http.Request, id string) string {
	if j, err := s.API.Job(r.Context(), id); err == nil && j.Label != "" {
		return j.Label
	}
	return id
}
