package lyticstest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// reply is an answer of the API: a JSON body, or html when it is set.
type reply struct {
	status int
	body   any
	html   string
}

// encoded is the reply with its body as JSON text. The body may hold parts of the account, so
// it is encoded while the account is locked.
func (a reply) encoded() reply {
	if text, err := json.Marshal(a.body); err == nil && a.body != nil {
		a.body = json.RawMessage(text)
	}
	return a
}

func (a reply) write(w http.ResponseWriter) {
	if a.html != "" {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(a.status)
		_, _ = io.WriteString(w, a.html)
		return
	}
	if a.status == http.StatusNoContent {
		w.WriteHeader(a.status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(a.status)
	if text, ok := a.body.(json.RawMessage); ok {
		_, _ = w.Write(text)
		return
	}
	_ = json.NewEncoder(w).Encode(a.body)
}

// success answers with data in the envelope of the request's version.
func (s *Server) success(r *request, status int, data any) reply {
	body := map[string]any{"status": status, "data": data}
	if r.v2() {
		body["request_id"] = "req-1"
		return reply{status: status, body: body}
	}
	body["message"] = "success"
	if s.options.StatusText {
		body["status"] = "success"
	}
	return reply{status: status, body: body}
}

// deleted answers a deletion: v2 has no body.
func (s *Server) deleted(r *request) reply {
	if r.v2() {
		return reply{status: http.StatusNoContent}
	}
	return s.success(r, http.StatusOK, nil)
}

// refuse answers an error: errors[].message in v2, message in v1.
func (s *Server) refuse(r *request, status int, code, message string) reply {
	if !r.v2() {
		return reply{status: status, body: map[string]any{"status": status, "message": message, "data": nil}}
	}
	e := map[string]any{"code": code, "level": "error", "message": message, "timestamp": s.timestamp()}
	return reply{status: status, body: map[string]any{
		"status": status, "request_id": fmt.Sprintf("req-%d", s.options.Now().UnixNano()), "errors": []any{e},
	}}
}

// reject answers 400 and records that the request broke a documented rule.
func (s *Server) reject(r *request, format string, args ...any) reply {
	message := fmt.Sprintf(format, args...)
	s.violation("%s %s: %s", r.Method, r.URL.Path, message)
	return s.refuse(r, http.StatusBadRequest, "BADREQ-001", message)
}

// unrouted answers a path or method that the API does not have.
func (s *Server) unrouted(r *request) reply {
	s.violation("%s %s: there is no such endpoint", r.Method, r.URL.Path)
	return reply{status: http.StatusNotFound, html: "404 page not found"}
}

// failed answers a failure of the stand-in itself.
func (s *Server) failed(r *request, err error) reply {
	s.violation("%s %s: the stand-in failed: %v", r.Method, r.URL.Path, err)
	return s.refuse(r, http.StatusInternalServerError, "INTERNAL-019", "internal error")
}
