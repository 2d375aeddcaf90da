// Package page is the runner's web page: the list of jobs with failed and late
// jobs first; a job with its history; a run with its progress and log; and
// buttons to run, pause, resume and cancel.
//
// Every URL returns a complete page, and every button is a form, so the page
// works without script. The script only fetches the URL again and updates the
// elements that changed, so that nothing flickers and the focus stays.
package page

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// API is the part of jobs.API that the page uses.
type API interface {
	Job(ctx context.Context, id string) (jobs.Job, error)
	Jobs(ctx context.Context) ([]jobs.Job, error)
	JobLog(ctx context.Context, id string) ([]jobs.LogLine, error)
	PauseJob(ctx context.Context, id string, paused bool) (jobs.Job, error)

	StartRun(ctx context.Context, jobID string, reason jobs.Reason) (jobs.Run, error)
	CancelRun(ctx context.Context, runID string) error
	Run(ctx context.Context, runID string) (jobs.Run, error)
	ListRuns(ctx context.Context, f jobs.RunFilter) ([]jobs.Run, error)
	RunLog(ctx context.Context, runID string) ([]jobs.LogLine, error)

	QuarantinedRows(ctx context.Context, f jobs.QuarantineFilter) (jobs.QuarantineList, error)
}

// Options configures New.
type Options struct {
	API API
	// Authenticate reports whether a token is the runner's token. It compares in
	// constant time.
	Authenticate func(token string) bool
	// Version is the runner's version, shown in the footer.
	Version string
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

type server struct {
	Options
	jobs     snapshot
	rates    progressTracker
	sessions sessions
}

// JobPath returns the path of a job's page, relative to the runner's URL.
func JobPath(id string) string { return "/jobs/" + escape(id) }

// RunPath returns the path of a run's page, relative to the runner's URL.
func RunPath(id string) string { return "/runs/" + escape(id) }

// New returns the page's handler, to be mounted at "/".
func New(o Options) http.Handler {
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &server{Options: o}
	s.jobs.load, s.jobs.now = o.API.Jobs, o.Now
	s.sessions.now = o.Now

	mux := http.NewServeMux()
	mux.HandleFunc("GET /assets/{name}", serveAsset)
	mux.HandleFunc("GET /sign-in", s.showSignIn)
	mux.HandleFunc("POST /sign-in", s.signIn)
	mux.HandleFunc("POST /sign-out", s.signOut)
	mux.Handle("GET /{$}", s.signedIn(s.showJobs))
	mux.Handle("GET /jobs/{id}", s.signedIn(s.showJob))
	mux.Handle("GET /runs", s.signedIn(s.showRuns))
	mux.Handle("GET /runs/{id}", s.signedIn(s.showRun))
	mux.Handle("POST /jobs/{id}/run", s.signedIn(s.runNow))
	mux.Handle("POST /jobs/{id}/pause", s.signedIn(s.pause))
	mux.Handle("POST /jobs/{id}/resume", s.signedIn(s.resume))
	mux.Handle("POST /runs/{id}/cancel", s.signedIn(s.cancel))
	mux.Handle("/", s.signedIn(s.showNothing))
	return withSecurityHeaders(http.NewCrossOriginProtection().Handler(http.MaxBytesHandler(mux, maxForm)))
}

// maxForm bounds the body of a form. A form sends a token and a path at most.
const maxForm = 64 << 10

// status returns the HTTP status for an error of the API.
func status(err error) int {
	e, ok := errors.AsType[*jobs.Error](err)
	if !ok {
		return http.StatusInternalServerError
	}
	switch e.Code {
	case jobs.CodeNotFound:
		return http.StatusNotFound
	case jobs.CodeConflict, jobs.CodeInUse, jobs.CodeCancelled:
		return http.StatusConflict
	case jobs.CodeInvalid:
		return http.StatusUnprocessableEntity
	case jobs.CodeUnauthorized, jobs.CodeForbidden, jobs.CodeUnreachable:
		return http.StatusBadGateway
	case jobs.CodeStore, jobs.CodeTimeout:
		return http.StatusServiceUnavailable
	default:
		return http.StatusInternalServerError
	}
}
