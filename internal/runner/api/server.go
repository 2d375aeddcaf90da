package api

import (
	"crypto/subtle"
	"log/slog"
	"net/http"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/api/protocol"
)

// Config is what a Server is made of.
type Config struct {
	API jobs.API
	// Token is what callers of the network listener show; LocalToken is that of
	// the socket, made for one process.
	Token, LocalToken jobs.Secret
	// Release is the product's version.
	Release string
	// Hosts are the names under which the server may be addressed, besides
	// loopback's.
	Hosts []string
	// Page is served at the root, and does its own signing in; nil for none.
	Page http.Handler
	// Metrics is served at /metrics, with the token; nil for none.
	Metrics http.Handler
	// Ready tells whether the server should be sent work; nil means always.
	Ready func(*http.Request) error
	// Log takes a line for each request; nil for none.
	Log *slog.Logger
	// FollowEvery is how often a followed run is looked at: half a second when
	// zero.
	FollowEvery time.Duration
	// ReadTimeout bounds the reading of a request's body, and WriteTimeout each
	// write of an answer: 30 seconds when zero.
	ReadTimeout, WriteTimeout time.Duration
}

// The defaults of a Config.
const (
	defaultFollowEvery = 500 * time.Millisecond
	defaultTimeout     = 30 * time.Second
)

// maxBody bounds a request's body: the largest definition is far below.
const maxBody = 1 << 20

// maxForm bounds what the page's forms send, before there is a session.
const maxForm = 64 << 10

// Server is the HTTP API of a runner.
type Server struct {
	config   Config
	mux      *http.ServeMux
	stopping chan struct{}
}

// New makes a Server.
func New(c Config) *Server {
	if c.FollowEvery == 0 {
		c.FollowEvery = defaultFollowEvery
	}
	if c.ReadTimeout == 0 {
		c.ReadTimeout = defaultTimeout
	}
	if c.WriteTimeout == 0 {
		c.WriteTimeout = defaultTimeout
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{config: c, mux: http.NewServeMux(), stopping: make(chan struct{})}
	s.describe(s.mux)
	s.mux.HandleFunc("GET /openapi.json", serveDescription)
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, http.StatusNotFound, &jobs.Error{Code: jobs.CodeFailed, Summary: "The runner has no such operation",
			Detail: r.Method + " " + r.URL.Path + " is none of them.", Next: "See /openapi.json for those it has"})
	})
	return s
}

// Authenticate reports whether a token is the server's, in constant time.
func (s *Server) Authenticate(token string) bool { return same(s.config.Token, token) }

func same(want jobs.Secret, got string) bool {
	return !want.Empty() && subtle.ConstantTimeCompare([]byte(want.Reveal()), []byte(got)) == 1
}

// Handler serves a network listener.
func (s *Server) Handler() http.Handler {
	root := http.NewServeMux()
	root.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	root.HandleFunc("GET /readyz", s.ready)
	guarded := http.NewServeMux()
	api := s.withToken(s.config.Token, s.withBody(maxBody, s.mux))
	guarded.Handle("/api/", api)
	guarded.Handle("/openapi.json", api)
	if s.config.Metrics != nil {
		guarded.Handle("GET /metrics", s.withToken(s.config.Token, s.config.Metrics))
	}
	if s.config.Page != nil {
		guarded.Handle("/", s.withBody(maxForm, s.config.Page))
	} else {
		guarded.Handle("/", api)
	}
	// A probe addresses a container by its number: health is no secret, and
	// answers under any name.
	root.Handle("/", s.withHost(http.NewCrossOriginProtection().Handler(guarded)))
	return s.withLimits(s.withLog(root))
}

// Local serves the socket in the data directory, which only its owner can open.
func (s *Server) Local() http.Handler {
	return s.withLimits(s.withLog(s.withToken(s.config.LocalToken, s.withBody(maxBody, s.mux))))
}

// Stop ends the streams that never end by themselves; clients follow on
// elsewhere, or when the runner is back.
func (s *Server) Stop() { close(s.stopping) }

func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	if s.config.Ready != nil {
		if err := s.config.Ready(r); err != nil {
			s.config.Log.WarnContext(r.Context(), "not ready", "error", err.Error())
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

// refuse answers a request that no operation was asked for.
func refuse(w http.ResponseWriter, status int, e *jobs.Error) {
	p := protocol.ProblemOf(e, "")
	p.Status = status
	writeProblem(w, p)
}
