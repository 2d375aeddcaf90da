package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/api/protocol"
)

var clientName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// withHost refuses requests for other host names. It guards against DNS
// rebinding: a foreign web page whose name was pointed at this server sends its
// own name.
func (s *Server) withHost(next http.Handler) http.Handler {
	allowed := map[string]bool{"localhost": true}
	for _, h := range s.config.Hosts {
		allowed[hostName(h)] = true
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := hostName(r.Host)
		if ip := net.ParseIP(name); !allowed[name] && (ip == nil || !ip.IsLoopback()) {
			refuse(w, http.StatusMisdirectedRequest, &jobs.Error{Code: jobs.CodeForbidden,
				Summary: "The runner does not accept this host name", Detail: "The request is for the host " + strconv.Quote(name) + ".",
				Next: "Use a name of the runner's certificate, or add this one to allowed_hosts in the runner's configuration"})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// hostName returns the host of "host:port", normalized for comparison.
func hostName(hostport string) string {
	name := hostport
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		name = host
	}
	name = strings.ToLower(strings.TrimSuffix(strings.Trim(name, "[]"), "."))
	if a, err := netip.ParseAddr(name); err == nil { // an address has several spellings
		return a.Unmap().WithZone("").String()
	}
	return name
}

// withLimits sets time limits for reading the body and for each write, but not
// for the operation: a warehouse may need minutes to start. If the request is
// refused before its body is read, the server does not wait for the body.
func (s *Server) withLimits(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		conn := http.NewResponseController(w)
		var until time.Time
		if r.Body != nil && r.Body != http.NoBody {
			until = time.Now().Add(s.config.ReadTimeout)
			w.Header().Set("Connection", "close")
		}
		_ = conn.SetReadDeadline(until)
		next.ServeHTTP(&timedWriter{ResponseWriter: w, conn: conn, limit: s.config.WriteTimeout}, r)
		if w.Header().Get("Connection") != "" {
			_ = conn.SetReadDeadline(time.Now().Add(unreadGrace))
		}
	})
}

// unreadGrace is how long the server keeps a connection open after refusing a
// request with an unread body, so that the client receives the answer.
const unreadGrace = time.Second

// withBody reads the body of an authorized request, up to a size limit.
func (s *Server) withBody(most int64, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body != nil && r.Body != http.NoBody {
			body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
			if err != nil {
				status, why := http.StatusRequestTimeout, "It did not arrive in time."
				if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
					status, why = http.StatusRequestEntityTooLarge, fmt.Sprintf("It is larger than %d KiB.", most>>10)
				}
				refuse(w, status, jobs.Invalid("", "The runner cannot accept the request's body", why, "Send a smaller one"))
				return
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			w.Header().Del("Connection")
			_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
		}
		next.ServeHTTP(w, r)
	})
}

// timedWriter sets a deadline for each write, so that a client that reads
// nothing does not block the server.
type timedWriter struct {
	http.ResponseWriter
	conn  *http.ResponseController
	limit time.Duration
}

func (w *timedWriter) Write(p []byte) (int, error) {
	_ = w.conn.SetWriteDeadline(time.Now().Add(w.limit))
	return w.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (w *timedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// withLog logs each request by its route, without parameter values. A panic of
// an operation is logged with its stack and answered with a problem: without
// that, the connection would break and the log would have no line.
func (s *Server) withLog(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun, answered := time.Now(), &statusWriter{ResponseWriter: w}
		about := &noted{}
		defer func() {
			p := recover()
			if p != nil {
				s.answerPanic(answered, r, about.route, p)
			}
			s.config.Log.Log(jobs.WithRun(r.Context(), about.of), levelOf(r.Method, about.route, answered.status), "request",
				"method", r.Method, "route", about.route, "status", answered.status, "actor", about.actor,
				"took", time.Since(begun).Round(time.Microsecond).String(), "from", r.RemoteAddr)
			if p != nil && answered.begun {
				// The rest of the answer cannot be sent: the client must see that it is cut.
				panic(http.ErrAbortHandler)
			}
		}()
		next.ServeHTTP(answered, r.WithContext(context.WithValue(r.Context(), notedKey{}, about)))
	})
}

// answerPanic logs a panic, and answers the request if no answer was begun. The
// text of the panic is in the log only: it may have values of the request.
func (s *Server) answerPanic(w *statusWriter, r *http.Request, route string, p any) {
	w.begun = w.status != 0
	if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		w.begun = true
		return
	}
	s.config.Log.ErrorContext(r.Context(), "a request caused a panic", "method", r.Method, "route", route,
		"panic", fmt.Sprint(p), "stack", string(debug.Stack()))
	if !w.begun {
		refuse(w, http.StatusInternalServerError, &jobs.Error{Code: jobs.CodeFailed, Summary: "The runner failed to execute the request",
			Detail: "The operation ended with a programming error.", Next: "Report it with the runner's log, which has the stack"})
	}
}

// levelOf logs reads and routine requests at debug level, to keep the log
// readable.
func levelOf(method, route string, status int) slog.Level {
	switch {
	case status >= http.StatusInternalServerError,
		status == http.StatusUnauthorized,
		status == http.StatusForbidden,
		status == http.StatusTooManyRequests,
		status == http.StatusMisdirectedRequest:
		return slog.LevelWarn
	case method == http.MethodGet, method == http.MethodHead, strings.HasPrefix(route, "/clients/"), route == "/store":
		return slog.LevelDebug
	}
	return slog.LevelInfo
}

type notedKey struct{}

// noted is what is learned of a request for the log.
type noted struct {
	route, actor string
	// of is the run or the job that the request is about.
	of jobs.RunRef
}

// noteRoute records the operation of a request for the log, and the object with the id
// that the path has.
func noteRoute(ctx context.Context, route, id string) {
	n, ok := ctx.Value(notedKey{}).(*noted)
	if !ok {
		return
	}
	n.route = route
	switch {
	case strings.HasPrefix(route, "/runs/{id}"):
		n.of.RunID = id
	case strings.HasPrefix(route, "/jobs/{id}"):
		n.of.JobID = id
	}
}

// noteRun records the run that a request began, for the log.
func noteRun(ctx context.Context, r jobs.Run) {
	if n, ok := ctx.Value(notedKey{}).(*noted); ok {
		n.of = jobs.RunRef{RunID: r.ID, JobID: r.JobID}
	}
}

// noteActor records who sent a request, for the log.
func noteActor(ctx context.Context, name string) {
	if n, ok := ctx.Value(notedKey{}).(*noted); ok {
		n.actor = name
	}
}

type statusWriter struct {
	http.ResponseWriter
	status int
	// begun is set by answerPanic if the panic came after the answer began.
	begun bool
}

func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func writeProblem(w http.ResponseWriter, p *protocol.Problem) {
	w.Header().Set("Content-Type", protocol.ProblemType)
	w.WriteHeader(p.Status)
	// A failed write means that the client is gone.
	_ = json.NewEncoder(w).Encode(p)
}
