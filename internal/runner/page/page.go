// Package page is the runner's web page: what failed and why, what is late,
// what runs now; a job with its history; a run with its progress and log; and
// the buttons to run, pause, resume and cancel.
//
// Every address answers with a whole page and every button is a form, so that
// the page works without script. The script only fetches the same address again
// and changes what is different, so that nothing flickers and the focus stays.
package page

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// API is what the page needs of the product; jobs.API has it.
type API interface {
	Job(ctx context.Context, id string) (jobs.Job, error)
	Jobs(ctx context.Context) ([]jobs.Job, error)
	PauseJob(ctx context.Context, id string, paused bool) (jobs.Job, error)

	StartRun(ctx context.Context, jobID string, reason jobs.Reason) (jobs.Run, error)
	CancelRun(ctx context.Context, runID string) error
	Run(ctx context.Context, runID string) (jobs.Run, error)
	ListRuns(ctx context.Context, f jobs.RunFilter) ([]jobs.Run, error)
	RunLog(ctx context.Context, runID string) ([]jobs.LogLine, error)
}

// Options are what New needs.
type Options struct {
	API API
	// Authenticate tells whether a token is the runner's; it compares in
	// constant time.
	Authenticate func(token string) bool
	// Version of the runner, shown at the foot.
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

// JobPath and RunPath are the addresses of a job and of a run, below the
// runner's URL.
func JobPath(id string) string { return "/jobs/" + escape(id) }

// RunPath is the address of a run.
func RunPath(id string) string { return "/runs/" + escape(id) }

// New makes the page's handler, to be mounted at "/".
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

// maxForm bounds what a form may send: a token and an address.
const maxForm = 64 << 10

// status is the HTTP status of an error of the API.
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
