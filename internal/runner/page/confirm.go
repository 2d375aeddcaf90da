package page

import (
	"maps"
	"net/http"
	"net/url"
)

// question is what the page asks before an action that cannot be undone. With
// script, a dialog asks it; without, a page does.
type question struct{ Question, Effect, Yes, No string }

// cancelling asks before a run is cancelled.
func cancelling(label string) question {
	return question{
		Question: "Cancel the run of " + label + "?",
		Effect: "A cancelled run cannot be resumed. An import keeps its cursor, and its next run goes on from there; an export leaves " +
			"its table as it was.",
		Yes: "Cancel the run", No: "Keep running",
	}
}

// confirmed is the field of a form that was answered with yes.
const confirmed = "confirmed"

type confirmView struct {
	question
	// Action is the path of the form that was sent, Fields are its fields and the
	// answer yes.
	Action string
	Fields url.Values
	Back   string
}

// asks reports whether a form still has to be confirmed. It then shows the page that
// asks, which sends the form again with the answer.
func (s *server) asks(w http.ResponseWriter, r *http.Request, q question) bool {
	if r.PostFormValue(confirmed) == "yes" {
		return false
	}
	v := confirmView{question: q, Action: r.URL.Path, Fields: maps.Clone(r.PostForm), Back: localPath(r.PostFormValue("back"))}
	v.Fields.Set(confirmed, "yes")
	s.render(w, r, http.StatusOK, "confirm", frame{Title: q.Question}, v)
	return true
}
