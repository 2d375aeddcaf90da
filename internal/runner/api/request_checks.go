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
	"regexp"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/api/protocol"
)

// withToken requires the token and a client of the same API version.
func (s *Server) withToken(token jobs.Secret, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(protocol.VersionHeader, strconv.Itoa(protocol.Version))
		w.Header().Set(protocol.ReleaseHeader, s.config.Release)
		w.Header().Set("Cache-Control", "no-store")
		got, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !ok || !same(token, got) {
			w.Header().Set("WWW-Authenticate", "Bearer")
			refuse(w, http.StatusUnauthorized, &jobs.Error{Code: jobs.CodeUnauthorized, Attribute: "runner.token",
				Summary: "The runner refuses the token", Detail: "The request has no token, or not the runner's token.",
				Next: "Use the token in the runner's token file, or in its LYTICS_RUNNER_TOKEN"})
			return
		}
		if asked := r.Header.Get(protocol.VersionHeader); asked != "" && asked != strconv.Itoa(protocol.Version) {
			client, _ := strconv.Atoi(asked)
			summary, detail, next := protocol.Mismatch(client, r.Header.Get(protocol.ReleaseHeader), protocol.Version, s.config.Release)
			refuse(w, http.StatusBadRequest, &jobs.Error{Code: jobs.CodeFailed, Summary: summary, Detail: detail, Next: next})
			return
		}
		ctx := r.Context()
		if client := r.Header.Get(protocol.ClientHeader); client != "" {
			if !clientName.MatchString(client) {
				refuse(w, http.StatusBadRequest, jobs.Invalid("", "The name of the request's client is invalid",
					"The header "+protocol.ClientHeader+" is not 1 to 64 letters, digits, hyphens or underscores.", "Leave the header out"))
				return
			}
			ctx = jobs.WithCreator(ctx, client)
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

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
	return strings.ToLower(strings.TrimSuffix(strings.Trim(name, "[]"), "."))
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
		begun, noted := time.Now(), &statusWriter{ResponseWriter: w}
		route := new(string)
		defer func() {
			p := recover()
			if p != nil {
				s.answerPanic(noted, r, *route, p)
			}
			s.config.Log.Log(r.Context(), levelOf(r.Method, *route, noted.status), "request",
				"method", r.Method, "route", *route, "status", noted.status,
				"took", time.Since(begun).Round(time.Microsecond).String(), "from", r.RemoteAddr)
			if p != nil && noted.begun {
				// The rest of the answer cannot be sent: the client must see that it is cut.
				panic(http.ErrAbortHandler)
			}
		}()
		next.ServeHTTP(noted, r.WithContext(context.WithValue(r.Context(), routeKey{}, route)))
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
		status == http.StatusMisdirectedRequest:
		return slog.LevelWarn
	case method == http.MethodGet, method == http.MethodHead, strings.HasPrefix(route, "/clients/"), route == "/store":
		return slog.LevelDebug
	}
	return slog.LevelInfo
}

type routeKey struct{}

// noteRoute records the operation of a request for the log.
func noteRoute(ctx context.Context, route string) {
	if r, ok := ctx.Value(routeKey{}).(*string); ok {
		*r = route
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
