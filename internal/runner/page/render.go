package page

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"html/template"
	"net/http"
	"sync"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

//go:embed templates
var templateFiles embed.FS

// templates has a template for each page: the layout, the shared parts and the
// page's content. New parses them, because every process of this binary that is no runner,
// such as the plugins of a plan, shows no page.
var templates = sync.OnceValue(func() map[string]*template.Template {
	shared := template.Must(template.New("layout.html").Funcs(template.FuncMap{
		"asset": assetPath, "job": JobPath, "run": RunPath, "audit": auditPath,
		"count": count, "exact": exact, "bytes": byteSize, "exactBytes": exactBytes,
		"duration": duration, "exactDuration": exactDuration,
		"utc": utc, "rfc3339": rfc3339, "moment": newMoment, "when": when,
		"word": statusText, "startedBy": startedBy, "level": level,
		"plural": plural, "plural64": func(n int64, one string) string { return plural(int(n), one) }, "cancelling": cancelling, "cancellingSeveral": cancellingSeveral, "action": func(back string, j jobRow) actionView { return actionView{back, j} },
	}).ParseFS(templateFiles, "templates/layout.html", "templates/parts.html"))
	sets := map[string]*template.Template{}
	for _, name := range []string{"sign-in", "jobs", "job", "runs", "run", "audit", "confirm", "error", "flow", "authorization",
		"stream", "audience", "profile"} {
		sets[name] = template.Must(template.Must(shared.Clone()).ParseFS(templateFiles, "templates/"+name+".html"))
	}
	return sets
})

// momentView and actionView are the data of shared parts.
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

// frame is the data of the layout around a page's content.
type frame struct {
	Title string
	// Section is the current entry of the navigation.
	Section string
	// Mood is "failed" if something needs attention; it selects the icon.
	Mood string
	// Refresh is the interval in milliseconds after which the script fetches the
	// page again; 0 means never.
	Refresh int

	Version  string
	SignedIn bool
	// Who is the name of the token, and Role its role. MayOperate shows the buttons.
	Who        string
	Role       jobs.Role
	MayOperate bool
	Notice     notice
	Here       string
	View       any
}

// The intervals at which an open page is fetched again: while something runs,
// and otherwise.
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

// render writes a page, or 304 if the browser already has it.
func (s *server) render(w http.ResponseWriter, r *http.Request, code int, name string, f frame, view any) {
	f.Version, f.View, f.Here = s.Version, view, r.URL.RequestURI()
	if v := visitOf(r); v != nil {
		f.SignedIn, f.Notice = true, s.noticeOf(v)
		f.Who, f.Role, f.MayOperate = v.who.Name, v.who.Role, v.who.Role.Allows(jobs.RoleOperate)
	}
	var page bytes.Buffer
	if err := templates()[name].ExecuteTemplate(&page, "layout.html", f); err != nil {
		http.Error(w, "the page could not be rendered: "+err.Error(), http.StatusInternalServerError)
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
	_, _ = w.Write(page.Bytes()) // a failed write means that the browser is gone
}

type errorView struct {
	Heading   string
	Cause     explanation
	Attribute string
}

// fail shows an error of the API instead of the page. The browser fetches the
// page again, so it returns when the store does.
func (s *server) fail(w http.ResponseWriter, r *http.Request, section string, err error) {
	view := errorView{Heading: "The runner cannot show this page", Cause: explain(jobs.FailureOf(err))}
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
			Cause:   explanation{Why: "The URL is not that of a job or a run.", Next: "Go to the list of jobs"},
		},
	)
}
