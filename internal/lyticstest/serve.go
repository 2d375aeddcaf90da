package lyticstest

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// The limits of a body, before it is unpacked for the first.
const (
	apiUpload  = 10 << 20
	bulkUpload = 1 << 30
)

// request is a request taken apart.
type request struct {
	*http.Request
	// api is the host: that of the API, or that of bulk uploads.
	api bool
	// path has the unescaped parts of the path.
	path  []string
	query url.Values
	body  []byte
	fault Fault
}

// reply is an answer of the API.
type reply struct {
	status int
	// body is marshalled; text, if set, is the body as it is.
	body any
	text string
}

// serve answers a request.
func (s *Server) serve(w http.ResponseWriter, hr *http.Request, api bool) {
	r := &request{Request: hr, api: api, query: hr.URL.Query(), fault: s.fault(hr.Method, hr.URL.EscapedPath())}
	sent, answer := s.answer(r)
	f := r.fault
	switch {
	case f.Hold != nil:
		if f.Held != nil {
			close(f.Held)
		}
		select {
		case <-f.Hold:
		case <-hr.Context().Done():
		}
	case f.Cut:
		answer.status = 0
	case f.Garble:
		answer = reply{status: http.StatusOK, text: "<html>welcome</html>"}
	case f.Foreign:
		answer = reply{status: f.Status, text: "<html>error</html>"}
	}
	s.mu.Lock()
	s.requests = append(s.requests, Request{Method: hr.Method, Path: hr.URL.EscapedPath(), Query: hr.URL.RawQuery, Status: answer.status, Bytes: sent, Unpacked: len(r.body)})
	s.mu.Unlock()
	if f.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(f.RetryAfter.Seconds())))
		if f.RetryAfterDate {
			w.Header().Set("Retry-After", s.options.Now().Add(f.RetryAfter).UTC().Format(http.TimeFormat))
		}
	}
	if answer.status == 0 {
		if f.Partly {
			w.Header().Set("Content-Length", "1000")
			w.WriteHeader(http.StatusOK)
			_, _ = io.WriteString(w, `{"status":200,`)
			_ = http.NewResponseController(w).Flush()
		}
		panic(http.ErrAbortHandler)
	}
	write(w, answer)
}

func write(w http.ResponseWriter, a reply) {
	if a.text != "" {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(a.status)
		_, _ = io.WriteString(w, a.text)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(a.status)
	if a.status == http.StatusNoContent {
		return
	}
	_ = json.NewEncoder(w).Encode(a.body)
}

// answer reads the request, and gives its answer and how many bytes were sent.
func (s *Server) answer(r *request) (sent int, a reply) {
	for part := range strings.SplitSeq(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/") {
		text, err := url.PathUnescape(part)
		if err != nil {
			return 0, s.refuse(r, http.StatusBadRequest, "BADREQ-001", "the path is not escaped")
		}
		r.path = append(r.path, text)
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, bulkUpload))
	if err != nil {
		return len(body), s.refuse(r, http.StatusBadRequest, "BADREQ-001", "the body ends early")
	}
	if a, ok := s.authorize(r); !ok {
		return len(body), a
	}
	if r.fault.Status != 0 && !r.fault.AfterEffect {
		return len(body), s.refuse(r, r.fault.Status, "INTERNAL-019", "as asked for")
	}
	if r.fault.Cut && !r.fault.AfterEffect {
		return len(body), reply{}
	}
	if a, ok := s.unpack(r, body); !ok {
		return len(body), a
	}
	s.account.Lock()
	defer s.account.Unlock()
	a = s.route(r)
	if r.fault.Status != 0 {
		a = s.refuse(r, r.fault.Status, "INTERNAL-019", "as asked for")
	}
	return len(body), a
}

// authorize checks the header and the account.
func (s *Server) authorize(r *request) (reply, bool) {
	s.mu.Lock()
	token := s.token
	s.mu.Unlock()
	given := r.Header.Get("Authorization")
	if strings.HasPrefix(given, "Bearer ") {
		s.complain("%s %s: the token comes after the word Bearer", r.Method, r.URL.Path)
	}
	for _, key := range []string{"access_token", "key"} {
		if r.query.Has(key) {
			s.complain("%s %s: the token is in the address", r.Method, r.URL.Path)
		}
	}
	if given != token {
		return s.refuse(r, http.StatusUnauthorized, "UNAUTHORIZED-017", "Not authorized"), false
	}
	if id := r.query.Get("account_id"); id != "" && s.options.AccountID != "" && id != s.options.AccountID {
		return s.refuse(r, http.StatusNotFound, "ACCOUNT-NOTFOUND-021", "account not found"), false
	}
	return reply{}, true
}

// unpack checks the body's size and decompresses it.
func (s *Server) unpack(r *request, body []byte) (reply, bool) {
	switch encoding := r.Header.Get("Content-Encoding"); encoding {
	case "":
		r.body = body
	case "gzip":
		z, err := gzip.NewReader(bytes.NewReader(body))
		if err == nil {
			r.body, err = io.ReadAll(io.LimitReader(z, bulkUpload))
		}
		if err != nil {
			return s.wrongly(r, "the body is not gzip"), false
		}
	default:
		return s.wrongly(r, "the encoding %s is not known", encoding), false
	}
	if r.api && len(r.body) > apiUpload {
		s.complain("%s %s: %d bytes on the API host", r.Method, r.URL.Path, len(r.body))
		return s.refuse(r, http.StatusRequestEntityTooLarge, "BADREQ-001", "too large"), false
	}
	return reply{}, true
}

// route calls what answers the path.
func (s *Server) route(r *request) reply {
	p := r.path
	switch {
	case len(p) == 3 && p[0] == "collect" && (p[1] == "bulk" && !r.api || p[1] == "json"):
		return s.collect(r, p[2])
	case !r.api:
	case len(p) >= 3 && p[0] == "v2" && p[1] == "schema":
		return s.serveSchema(r, p[2:])
	case len(p) >= 2 && p[0] == "v2" && p[1] == "segment":
		return s.serveSegments(r, p[2:])
	case len(p) >= 2 && p[0] == "v2" && p[1] == "stream":
		return s.serveStreams(r, p[2:])
	case len(p) == 5 && p[0] == "api" && p[1] == "entity" && p[2] == "user":
		return s.entity(r, jobs.Identity{Field: p[3], Value: p[4]})
	case len(p) >= 3 && p[0] == "api" && p[1] == "segment":
		return s.serveSegmentsV1(r, p[2:])
	}
	return reply{status: http.StatusNotFound, text: "404 page not found"}
}

// refuse is an error in the form of the API's version.
func (s *Server) refuse(r *request, status int, code, message string) reply {
	if strings.HasPrefix(r.URL.Path, "/v2/") {
		return reply{status: status, body: map[string]any{
			"status": status, "request_id": fmt.Sprintf("req-%d", s.options.Now().UnixNano()),
			"errors": []any{map[string]any{"code": code, "level": "error", "message": message, "timestamp": s.options.Now().UTC().Format(time.RFC3339Nano)}},
		}}
	}
	return reply{status: status, body: map[string]any{"status": status, "message": message, "data": nil}}
}

// wrongly refuses what is not as documented, and remembers it.
func (s *Server) wrongly(r *request, format string, args ...any) reply {
	message := fmt.Sprintf(format, args...)
	s.complain("%s %s: %s", r.Method, r.URL.Path, message)
	return s.refuse(r, http.StatusBadRequest, "BADREQ-001", message)
}

func (s *Server) notFound(r *request, message string) reply {
	return s.refuse(r, http.StatusNotFound, "NOTFOUND-003", message)
}

func (s *Server) internal(r *request, err error) reply {
	s.complain("%s %s: the stand-in failed: %v", r.Method, r.URL.Path, err)
	return s.refuse(r, http.StatusInternalServerError, "INTERNAL-019", "internal error")
}

// good is an answer with data.
func (s *Server) good(r *request, status int, data any) reply {
	body := map[string]any{"status": status, "data": data}
	if strings.HasPrefix(r.URL.Path, "/v2/") {
		body["request_id"] = "req-1"
	} else {
		body["message"] = "success"
	}
	return reply{status: status, body: body}
}

// expects checks the query's names, and the type of a body.
func (r *request) expects(contentType string, query ...string) error {
	for k := range r.query {
		known := k == "account_id"
		for _, q := range query {
			known = known || q == k
		}
		if !known {
			return fmt.Errorf("there is no parameter %s", k)
		}
		if len(r.query[k]) != 1 {
			return fmt.Errorf("the parameter %s is there twice", k)
		}
	}
	switch {
	case contentType == "" && len(r.body) > 0:
		return errors.New("there is a body")
	case contentType != "" && r.Header.Get("Content-Type") != contentType:
		return fmt.Errorf("the content type is %q and not %s", r.Header.Get("Content-Type"), contentType)
	}
	return nil
}

// object decodes a body of one object with known keys.
func (r *request) object(keys ...string) (map[string]json.RawMessage, error) {
	var o map[string]json.RawMessage
	if err := json.Unmarshal(r.body, &o); err != nil || o == nil {
		return nil, errors.New("the body is no JSON object")
	}
	for k := range o {
		known := false
		for _, key := range keys {
			known = known || key == k
		}
		if !known {
			return nil, fmt.Errorf("attribute %q is not known", k)
		}
	}
	return o, nil
}
