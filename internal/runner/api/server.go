package api

import (
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/api/protocol"
)

// Config configures a Server.
type Config struct {
	API jobs.API
	// Token is the runner's own token, with the name default and the role admin.
	// LocalToken is the token of the socket; each process creates a new one. Who has
	// it is LocalUser.
	Token, LocalToken jobs.Secret
	LocalUser         string
	// Configured are further tokens, and Tokens finds those of the store; nil means
	// that there are none.
	Configured []ConfiguredToken
	Tokens     TokenStore
	// Now is the clock for wrong tokens; nil means time.Now.
	Now func() time.Time
	// Release is the product's version.
	Release string
	// Hosts are the host names that requests may use, besides the loopback names.
	Hosts []string
	// Page is served at the root and has its own sign-in; nil means no page.
	Page http.Handler
	// Metrics is served at /metrics and requires a token; nil means no metrics.
	Metrics http.Handler
	// Ready returns an error if the server cannot accept work; a nil func means
	// that it always can.
	Ready func(*http.Request) error
	// Log logs each request; nil means no log.
	Log *slog.Logger
	// FollowEvery is how often a followed run is read; 0 means half a second.
	FollowEvery time.Duration
	// ReadTimeout bounds the reading of a request's body, WriteTimeout each write
	// of an answer; 0 means 30 seconds.
	ReadTimeout, WriteTimeout time.Duration
}

// The defaults of a Config.
const (
	defaultFollowEvery = 500 * time.Millisecond
	defaultTimeout     = 30 * time.Second
)

// maxBody bounds a request's body. The largest definition is far smaller.
const maxBody = 1 << 20

// maxForm bounds the body of the page's forms, which are read before the
// session is checked.
const maxForm = 64 << 10

// Server is the HTTP API of a runner.
type Server struct {
	config Config
	// configured are the tokens that are not in the store.
	configured []ConfiguredToken
	throttle   *throttle
	mux        *http.ServeMux
	stopping   chan struct{}
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
	if c.Now == nil {
		c.Now = time.Now
	}
	s := &Server{config: c, configured: slices.Clone(c.Configured), throttle: newThrottle(c.Now), mux: http.NewServeMux(),
		stopping: make(chan struct{})}
	if !c.Token.Empty() {
		s.configured = append(s.configured,
			ConfiguredToken{Name: jobs.DefaultTokenName, Role: jobs.RoleAdmin, Hash: jobs.HashToken(c.Token.Reveal())})
	}
	s.describe(s.mux)
	s.mux.HandleFunc("GET /openapi.json", serveDescription)
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, http.StatusNotFound, &jobs.Error{Code: jobs.CodeFailed, Summary: "The runner has no such operation",
			Detail: r.Method + " " + r.URL.Path + " is not an operation of the API.", Next: "See /openapi.json for the operations"})
	})
	return s
}

// Handler serves a network listener.
func (s *Server) Handler() http.Handler {
	root := http.NewServeMux()
	root.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	root.HandleFunc("GET /readyz", s.ready)
	guarded := http.NewServeMux()
	api := s.withToken(s.SignIn, s.withBody(maxBody, s.mux))
	guarded.Handle("/api/", api)
	guarded.Handle("/openapi.json", api)
	if s.config.Metrics != nil {
		guarded.Handle("GET /metrics", s.withToken(s.SignIn, s.config.Metrics))
	}
	if s.config.Page != nil {
		guarded.Handle("/", s.withBody(maxForm, s.config.Page))
	} else {
		guarded.Handle("/", api)
	}
	// Health checks are answered for every host name, because a probe addresses a
	// container by its IP address.
	root.Handle("/", s.withHost(http.NewCrossOriginProtection().Handler(guarded)))
	return s.withLimits(s.withLog(root))
}

// Local serves the socket in the data directory. Only the owner of the
// directory can open it.
func (s *Server) Local() http.Handler {
	return s.withLimits(s.withLog(s.withToken(s.signInLocal, s.withBody(maxBody, s.mux))))
}

// Stop ends the streams of followed runs. Clients reconnect to another runner,
// or to this one after a restart.
func (s *Server) Stop() { close(s.stopping) }

func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	if s.config.Ready != nil {
		if err := s.config.Ready(r); err != nil {
			s.config.Log.WarnContext(r.Context(), "the runner is not ready", "error", err.Error())
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

// refuse answers a request that reached no operation.
func refuse(w http.ResponseWriter, status int, e *jobs.Error) {
	p := protocol.ProblemOf(e, "")
	p.Status = status
	writeProblem(w, p)
}
