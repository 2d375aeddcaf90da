// Package front is the HTTP server of the sandbox's warehouse: Databricks' Thrift
// protocol, CloudFetch links, tokens, Unity Catalog's API, and the faults that
// tests set. A warehouse.Engine executes the statements.
package front

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/apache/thrift/lib/go/thrift"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/fault"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/tcli"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// Results is the format in which results are sent.
type Results string

// The formats of results. A client that cannot read the chosen format gets the
// next one that it can read.
const (
	// ResultsAuto sends small results as Arrow batches and large ones as links,
	// as Databricks does.
	ResultsAuto Results = "auto"
	// ResultsArrow sends Arrow batches.
	ResultsArrow Results = "arrow"
	// ResultsCloudFetch sends links to Arrow files.
	ResultsCloudFetch Results = "cloudfetch"
	// ResultsColumn sends Thrift columns.
	ResultsColumn Results = "column"
)

// Options configure a Server.
type Options struct {
	Engine warehouse.Engine
	// Warehouse is the id in the HTTP path; other ids are not found.
	Warehouse string
	// Token is the personal access token that is accepted.
	Token string
	// ForbiddenToken is authenticated but may not use the warehouse; empty for none.
	ForbiddenToken string
	// ServicePrincipal may request access tokens; none by default.
	ServicePrincipal ServicePrincipal
	Results          Results
	Faults           *fault.Set
	// Spool is a directory for CloudFetch files. New empties it.
	Spool string
	// LinkTTL is how long a CloudFetch link is valid: 15 minutes by default.
	LinkTTL time.Duration
	// DirectWait is how long ExecuteStatement waits for a statement to finish
	// before it returns: 5 seconds by default.
	DirectWait time.Duration
	// SessionZone is the time zone of sessions that set none: UTC by default.
	SessionZone string
	// Files serves the Files API of volumes; nil for none.
	Files http.Handler
	// Volumes are the volumes that the REST API lists, as catalog.schema.volume.
	Volumes []string
	// Admin serves the endpoints under /sandbox/.
	Admin bool
	// Log receives the sandbox's own errors; by default they are discarded.
	Log *slog.Logger
}

// Server answers the clients of one warehouse.
type Server struct {
	options   Options
	mux       *http.ServeMux
	processor *tcli.TCLIServiceProcessor
	sessions  *sessions
	links     *linkStore
	journal   *journal
	tokens    tokens
	// federation are the policies of token federation.
	federation federation
}

// New returns a server. Call Close when no more requests arrive.
func New(o Options) (*Server, error) {
	if o.Engine == nil || o.Token == "" || o.Warehouse == "" || o.Spool == "" {
		return nil, errors.New("front: Options need an engine, a token, a warehouse id and a spool directory")
	}
	switch o.Results {
	case "":
		o.Results = ResultsAuto
	case ResultsAuto, ResultsArrow, ResultsCloudFetch, ResultsColumn:
	default:
		return nil, fmt.Errorf("front: results cannot be sent as %q; choose auto, arrow, cloudfetch or column", o.Results)
	}
	if o.Faults == nil {
		o.Faults = &fault.Set{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.LinkTTL == 0 {
		o.LinkTTL = 15 * time.Minute
	}
	if o.ServicePrincipal.TTL == 0 {
		o.ServicePrincipal.TTL = time.Hour
	}
	if o.DirectWait == 0 {
		o.DirectWait = 5 * time.Second
	}
	// A killed server leaves its files behind.
	if err := errors.Join(os.RemoveAll(o.Spool), os.MkdirAll(o.Spool, 0o700)); err != nil {
		return nil, fmt.Errorf("front: create an empty spool directory: %w", err)
	}
	s := &Server{
		options: o,
		mux:     http.NewServeMux(),
		links:   newLinkStore(o.Spool, o.LinkTTL),
		journal: &journal{},
	}
	s.tokens.setCurrent(o.Token)
	s.sessions = newSessions(o.Engine, o.SessionZone)
	s.processor = tcli.NewTCLIServiceProcessor(&handler{Server: s})
	s.routes()
	return s, nil
}

func (s *Server) routes() {
	s.mux.HandleFunc("POST /sql/1.0/warehouses/{warehouse}", s.serveThrift)
	s.mux.HandleFunc("POST /sql/1.0/endpoints/{warehouse}", s.serveThrift)
	s.mux.HandleFunc("POST /sql/protocolv1/o/{org}/{warehouse}", s.serveThrift)
	s.mux.HandleFunc("GET "+linkPath+"{token}", s.serveLink)
	s.mux.HandleFunc("GET /api/2.0/connector-service/feature-flags/", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]any{"flags": []any{}})
	})
	for _, path := range []string{"/telemetry-ext", "/telemetry-unauth"} {
		s.mux.HandleFunc("POST "+path, func(w http.ResponseWriter, _ *http.Request) {
			writeJSON(w, http.StatusOK, map[string]any{"errors": []any{}, "numSuccess": 0, "numProtoSuccess": 0})
		})
	}
	s.oauthRoutes()
	s.unityRoutes()
	if s.options.Files != nil {
		for _, path := range []string{"/api/2.0/fs/files/", "/api/2.0/fs/directories/"} {
			s.mux.HandleFunc(path, s.serveFiles)
		}
	}
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		writeError(w, httpReply{
			status: http.StatusNotFound, code: "ENDPOINT_NOT_FOUND",
			message: fmt.Sprintf("No API found for '%s %s'", r.Method, r.URL.Path),
		})
	})
	if s.options.Admin {
		s.adminRoutes()
	}
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Close ends all sessions and removes the files of CloudFetch.
func (s *Server) Close() error {
	err := s.sessions.closeAll()
	return errors.Join(err, s.links.close())
}

// handler implements the calls of the Thrift service.
type handler struct{ *Server }

var _ tcli.TCLIService = (*handler)(nil)

// maxRequestBytes bounds a request's body. A statement may hold many literals.
const maxRequestBytes = 256 << 20

// exchange holds what a call decides about its HTTP answer.
type exchange struct {
	// base is the address the client used, for links.
	base string
	// reject replaces the Thrift reply.
	reject *httpReply
	// startDelay delays a new statement, as a starting warehouse does.
	startDelay time.Duration
	// mutate changes the reply's bytes; nil leaves them.
	mutate func([]byte) []byte
	// cut sends half of the reply and closes the connection.
	cut bool
}

type exchangeKey struct{}

func exchangeOf(ctx context.Context) *exchange {
	x, _ := ctx.Value(exchangeKey{}).(*exchange)
	if x == nil {
		x = &exchange{}
	}
	return x
}

var bufferPool = sync.Pool{New: func() any { return thrift.NewTMemoryBufferLen(64 << 10) }}

// serveThrift runs one call. thrift.NewThriftHandlerFunc would compress every
// answer with gzip, which is several times slower.
func (s *Server) serveThrift(w http.ResponseWriter, r *http.Request) {
	if reply := s.authorize(r); reply != nil {
		writeError(w, *reply)
		return
	}
	if id := r.PathValue("warehouse"); id != s.options.Warehouse {
		writeError(w, httpReply{
			status: http.StatusNotFound, code: "RESOURCE_DOES_NOT_EXIST",
			message: fmt.Sprintf("SQL warehouse %s does not exist.", id),
		})
		return
	}
	in := thrift.NewTMemoryBuffer()
	if _, err := in.ReadFrom(http.MaxBytesReader(w, r.Body, maxRequestBytes)); err != nil {
		writeError(
			w,
			httpReply{status: http.StatusBadRequest, code: "BAD_REQUEST", message: "The request's body could not be read: " + err.Error()},
		)
		return
	}
	out, ok := bufferPool.Get().(*thrift.TMemoryBuffer)
	if !ok {
		out = thrift.NewTMemoryBuffer()
	}
	defer func() {
		// A buffer that held a very large answer is not pooled, to free its memory.
		if out.Cap() <= 32<<20 {
			out.Reset()
			bufferPool.Put(out)
		}
	}()

	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	x := &exchange{base: scheme + "://" + r.Host}
	ctx := context.WithValue(r.Context(), exchangeKey{}, x)
	conf := &thrift.TConfiguration{MaxMessageSize: maxRequestBytes, MaxFrameSize: maxRequestBytes}
	_, err := s.processor.Process(ctx, thrift.NewTBinaryProtocolConf(in, conf), thrift.NewTBinaryProtocolConf(out, conf))

	switch {
	case x.reject != nil:
		writeError(w, *x.reject)
	case out.Len() == 0:
		// The processor itself replies to every failure that has a Thrift exception.
		writeError(
			w,
			httpReply{
				status:  http.StatusBadRequest,
				code:    "BAD_REQUEST",
				message: fmt.Sprintf("The request is not a Thrift call in binary protocol: %v", err),
			},
		)
	default:
		body := out.Bytes()
		if x.mutate != nil {
			body = x.mutate(body)
		}
		writeThrift(w, body, x.cut)
	}
}

func writeThrift(w http.ResponseWriter, body []byte, cut bool) {
	w.Header().Set("Content-Type", "application/x-thrift")
	w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	if !cut {
		// A write fails when the client has disconnected, which is no error here.
		_, _ = w.Write(body)
		return
	}
	_, _ = w.Write(body[:len(body)/2])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
