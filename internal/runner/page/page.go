// Package page is the runner's web page: the list of jobs with failed and late
// jobs first; a job with its history; a run with its progress and log; the
// audit log; and buttons to run, pause, resume and cancel, for those who may.
//
// Every URL returns a complete page, and every button is a form, so the page
// works without script. The script only fetches the URL again and updates the
// elements that changed, so that nothing flickers and the focus stays.
package page

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// API is what the page uses of the engine.
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
	SearchRuns(ctx context.Context, s jobs.RunSearch) (jobs.RunPage, error)
	RunGroups(ctx context.Context, s jobs.RunSearch) ([]jobs.RunGroup, error)

	RunPhases(ctx context.Context, runID string) ([]jobs.PhaseStart, error)
	JobVersions(ctx context.Context, jobID string) ([]jobs.JobVersion, error)

	ListAuthorizations(ctx context.Context) ([]jobs.Authorization, error)
	Audiences(ctx context.Context) ([]jobs.Audience, error)
	AudienceSize(ctx context.Context, idOrSlug string) (int64, error)
	Scan(ctx context.Context, idOrSlug string, fields []string) ([]jobs.Field, iter.Seq2[[]jobs.Value, error], error)
	Fields(ctx context.Context) ([]jobs.Field, error)
	Mappings(ctx context.Context) ([]jobs.Mapping, error)
	Streams(ctx context.Context) ([]jobs.StreamInfo, error)
	LatestEvents(ctx context.Context, stream string, n int) ([]jobs.Event, error)
	Profile(ctx context.Context, id jobs.Identity) (jobs.Profile, error)
	ProfileEvents(ctx context.Context, id jobs.Identity, of jobs.Profile, n int) (map[string][]jobs.Event, error)

	QuarantinedRows(ctx context.Context, f jobs.QuarantineFilter) (jobs.QuarantineList, error)

	AuditLog(ctx context.Context, f jobs.AuditFilter) (jobs.AuditPage, error)
}

// Options configures New.
type Options struct {
	API API
	// SignIn returns who presents a token. CodeUnauthorized means that it is not
	// valid, and wait that it was not looked at, after too many wrong ones.
	SignIn func(r *http.Request, token string) (_ jobs.Actor, wait time.Duration, _ error)
	// TokenOf returns who has the token of a hash; CodeNotFound if it is not valid.
	TokenOf func(ctx context.Context, hash jobs.TokenHash) (jobs.Actor, error)
	// Sessions keeps the sign-ins.
	Sessions jobs.Sessions
	// Version is the runner's version, shown in the footer.
	Version string
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

type server struct {
	Options
	jobs  snapshot
	known cached[names]
	lists cached[platformLists]
	rates progressTracker
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
	templates() // a template that cannot be parsed ends the runner at its start
	s := &server{Options: o}
	s.jobs.load, s.jobs.now = o.API.Jobs, o.Now

	mux := http.NewServeMux()
	mux.HandleFunc("GET /assets/{name}", serveAsset)
	mux.HandleFunc("GET /sign-in", s.showSignIn)
	mux.HandleFunc("POST /sign-in", s.signIn)
	mux.HandleFunc("POST /sign-out", s.signOut)
	mux.Handle("GET /{$}", s.signedIn(s.showJobs))
	mux.Handle("GET /jobs/{id}", s.signedIn(s.showJob))
	mux.Handle("GET /runs", s.signedIn(s.showRuns))
	mux.Handle("POST /runs/act", s.operating(s.actOnRuns))
	mux.Handle("GET /runs/{id}", s.signedIn(s.showRun))
	mux.Handle("GET /runs/{id}/log.txt", s.signedIn(s.downloadLog))
	mux.Handle("GET /flow", s.signedIn(s.showFlow))
	mux.Handle("GET /authorizations/{id}", s.signedIn(s.showAuthorization))
	mux.Handle("GET /streams/{name}", s.signedIn(s.showStream))
	mux.Handle("GET /audiences/{id}", s.signedIn(s.showAudience))
	mux.Handle("GET /profiles", s.signedIn(s.showProfile))
	mux.Handle("POST /profiles", s.signedIn(s.showProfile))
	mux.Handle("GET /audit", s.signedIn(s.showAudit))
	mux.Handle("POST /jobs/{id}/run", s.operating(s.runNow))
	mux.Handle("POST /jobs/{id}/pause", s.operating(s.pause))
	mux.Handle("POST /jobs/{id}/resume", s.operating(s.resume))
	mux.Handle("POST /runs/{id}/cancel", s.operating(s.cancel))
	mux.Handle("/", s.signedIn(s.showNothing))
	return withSecurityHeaders(http.NewCrossOriginProtection().Handler(http.MaxBytesHandler(mux, maxForm)))
}

// maxForm bounds the body of a form. The largest one has the ids of the runs or the jobs
// that it acts on; actOnRuns refuses more than mostActed, and says so.
const maxForm = 256 << 10

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
