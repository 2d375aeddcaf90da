package page

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"html/template"
	"net/http"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

//go:embed templates
var templateFiles embed.FS

// templates has one set a page: the layout, the parts, and its own content.
var templates = func() map[string]*template.Template {
	shared := template.Must(template.New("layout.html").Funcs(template.FuncMap{
		"asset": assetPath, "job": JobPath, "run": RunPath,
		"count": count, "exact": exact, "bytes": byteSize, "exactBytes": exactBytes,
		"duration": duration, "exactDuration": exactDuration,
		"utc": utc, "rfc3339": rfc3339, "moment": newMoment, "when": when,
		"word": word, "reason": reason, "level": level,
		"plural": plural, "action": func(back string, j jobRow) actionView { return actionView{back, j} },
	}).ParseFS(templateFiles, "templates/layout.html", "templates/parts.html"))
	sets := map[string]*template.Template{}
	for _, name := range []string{"sign-in", "jobs", "job", "runs", "run", "error"} {
		sets[name] = template.Must(template.Must(shared.Clone()).ParseFS(templateFiles, "templates/"+name+".html"))
	}
	return sets
}()

// momentView and actionView are what parts are called with.
type momentView struct {
	At   *time.Time
	Show string
}

func newMoment(at any, show string) momentView {
	switch t := at.(type) {
	case time.Time:
		return momentView{&t, show}
	case *time.Time:
		return momentView{t, show}
	default:
		return momentView{}
	}
}

type actionView struct {
	Back string
	Job  jobRow
}

// frame is what surrounds a page's content.
type frame struct {
	Title string
	// Section is the entry of the navigation that is current.
	Section string
	// Mood is "failed" where something needs a person, and colours the icon.
	Mood string
	// Refresh is after how many milliseconds the script looks again; 0 never.
	Refresh int

	Version  string
	SignedIn bool
	Notice   notice
	Here     string
	View     any
}

// How often an open page looks again: while something runs, and otherwise.
const (
	refreshActive = 1000
	refreshIdle   = 5000
)

func refresh(active bool) int {
	if active {
		return refreshActive
	}
	return refreshIdle
}

// render writes a page, or 304 when the browser has the same one.
func (s *server) render(w http.ResponseWriter, r *http.Request, code int, name string, f frame, view any) {
	f.Version, f.View, f.Here = s.Version, view, r.URL.RequestURI()
	_, f.SignedIn = r.Context().Value(secretKey{}).(string)
	if f.SignedIn {
		f.Notice = s.noticeOf(r)
	}
	var page bytes.Buffer
	if err := templates[name].ExecuteTemplate(&page, "layout.html", f); err != nil {
		http.Error(w, "the page could not be made: "+err.Error(), http.StatusInternalServerError)
		return
	}
	sum := sha256.Sum256(page.Bytes())
	tag := `"` + hex.EncodeToString(sum[:8]) + `"`
	w.Header().Set("ETag", tag)
	if code == http.StatusOK && r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write(page.Bytes()) // a browser that went away needs no answer
}

type errorView struct {
	Heading   string
	Cause     explanation
	Attribute string
}

// fail shows an error of the API in place of the page. It looks again: a store
// that comes back brings the page back.
func (s *server) fail(w http.ResponseWriter, r *http.Request, section string, err error) {
	view := errorView{Heading: "The runner could not answer", Cause: explain(jobs.FailureOf(err))}
	if e, ok := errors.AsType[*jobs.Error](err); ok {
		view.Heading, view.Attribute = e.Summary, e.Attribute
		view.Cause = explanation{Why: e.Detail, Next: e.Next}
	}
	s.render(w, r, status(err), "error", frame{Title: view.Heading, Section: section, Mood: "failed", Refresh: refreshIdle}, view)
}

func (s *server) showNothing(w http.ResponseWriter, r *http.Request) {
	s.render(
		w,
		r,
		http.StatusNotFound,
		"error",
		frame{Title: "No such page"},
		errorView{
			Heading: "There is no such page",
			Cause:   explanation{Why: "The address names neither a job nor a run.", Next: "Go to the list of jobs"},
		},
	)
}
