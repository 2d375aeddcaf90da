package lyticstest

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// host is one of the two hosts of Lytics.
type host int

const (
	apiHost host = iota
	bulkHost
)

// Limits of a request's body in bytes, before decompression.
const (
	apiBodyLimit  = 10 << 20
	bulkBodyLimit = 1 << 30
)

// recordedBody is the largest body in bytes that Requests shows.
const recordedBody = 64 << 10

// request is a request with its path, query and body decoded.
type request struct {
	*http.Request
	host host
	// path holds the unescaped segments of the path.
	path  []string
	query url.Values
	body  []byte
	fault Fault
}

// v2 reports whether the request has a path of version 2 of the API.
func (r *request) v2() bool { return strings.HasPrefix(r.URL.Path, "/v2/") }

// serve answers one request, or misbehaves as a fault says.
func (s *Server) serve(w http.ResponseWriter, hr *http.Request, h host) {
	query := hr.URL.Query()
	r := &request{Request: hr, host: h, query: query, fault: s.fault(hr.Method, hr.URL.EscapedPath(), query)}
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
		answer = reply{status: http.StatusOK, html: "<html>welcome</html>"}
	case f.Foreign:
		answer = reply{status: f.Status, html: "<html>error</html>"}
	}
	s.record(r, sent, answer.status)
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
	answer.write(w)
}

func (s *Server) record(r *request, sent, status int) {
	q := Request{
		Method: r.Method, Path: r.URL.EscapedPath(), Query: r.URL.RawQuery, ContentType: r.Header.Get("Content-Type"),
		Status: status, Bytes: sent, Unpacked: len(r.body),
	}
	if len(r.body) <= recordedBody {
		q.Body = r.body
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, q)
}

// answer reads and answers a request. sent is the length of the body as sent.
func (s *Server) answer(r *request) (sent int, a reply) {
	for part := range strings.SplitSeq(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/") {
		text, err := url.PathUnescape(part)
		if err != nil {
			return 0, s.refuse(r, http.StatusBadRequest, "BADREQ-001", "invalid escape in path")
		}
		r.path = append(r.path, text)
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, bulkBodyLimit))
	if err != nil {
		return len(body), s.refuse(r, http.StatusBadRequest, "BADREQ-001", "unexpected EOF")
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
	if r.Method != http.MethodGet {
		clear(s.scanned)
	}
	a = s.route(r)
	if r.fault.Status != 0 {
		a = s.refuse(r, r.fault.Status, "INTERNAL-019", "as asked for")
	}
	return len(body), a.encoded()
}

// authorize checks the token and the account. Lytics answers a rejected token in
// the form of v1, on v2 too.
func (s *Server) authorize(r *request) (reply, bool) {
	s.mu.Lock()
	token := s.token
	s.mu.Unlock()
	for _, key := range []string{"access_token", "key"} {
		if r.query.Has(key) {
			s.violation("%s %s: the token is in the query, where proxies log it", r.Method, r.URL.Path)
		}
	}
	if given := r.Header.Get("Authorization"); given != token {
		if strings.HasPrefix(given, "Bearer ") {
			s.violation("%s %s: Authorization has the scheme Bearer; Lytics takes the token alone", r.Method, r.URL.Path)
		}
		return reply{status: http.StatusUnauthorized, body: map[string]any{
			"status": http.StatusUnauthorized, "message": "Not authorized", "data": nil,
		}}, false
	}
	if id := r.query.Get("account_id"); id != "" && id != s.options.AccountID && !slices.Contains(s.options.Children, id) {
		return s.refuse(r, http.StatusNotFound, "ACCOUNT-NOTFOUND-021", "account not found"), false
	}
	return reply{}, true
}

// unpack checks the size of the body and decompresses it.
func (s *Server) unpack(r *request, body []byte) (reply, bool) {
	r.body = body
	switch encoding := r.Header.Get("Content-Encoding"); {
	case encoding == "":
	case encoding == "gzip" && s.options.AcceptGzip:
		unpacked, err := gunzip(body)
		if err != nil {
			return s.reject(r, "the body is not gzip"), false
		}
		r.body = unpacked
	default:
		return s.reject(r, "Content-Encoding %s is not documented", encoding), false
	}
	if r.host == apiHost && len(r.body) > apiBodyLimit {
		s.violation("%s %s: %d bytes on the API host", r.Method, r.URL.Path, len(r.body))
		return s.refuse(r, http.StatusRequestEntityTooLarge, "BADREQ-001", "request body too large"), false
	}
	return reply{}, true
}

func gunzip(body []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(z, bulkBodyLimit))
}

// expects checks the names of the query's parameters and the type of the body.
func (r *request) expects(contentType string, parameters ...string) error {
	for _, k := range slices.Sorted(maps.Keys(r.query)) {
		if k != "account_id" && !slices.Contains(parameters, k) {
			return fmt.Errorf("parameter %s is not documented", k)
		}
		if len(r.query[k]) != 1 {
			return fmt.Errorf("parameter %s is given %d times", k, len(r.query[k]))
		}
	}
	switch {
	case contentType == "" && len(r.body) > 0:
		return errors.New("a body is not documented")
	case contentType != "" && r.Header.Get("Content-Type") != contentType:
		return fmt.Errorf("Content-Type is %q, documented is %s", r.Header.Get("Content-Type"), contentType)
	}
	return nil
}

// object decodes the body as one JSON object whose keys are among those given.
func (r *request) object(keys ...string) (object, error) {
	var o object
	d := json.NewDecoder(bytes.NewReader(r.body))
	d.UseNumber()
	if err := d.Decode(&o); err != nil || o == nil {
		return nil, errors.New("the body is not a JSON object")
	}
	for _, k := range slices.Sorted(maps.Keys(o)) {
		if !slices.Contains(keys, k) {
			return nil, fmt.Errorf("attribute %q is not documented", k)
		}
	}
	return o, nil
}

// object is a JSON object of the API.
type object map[string]any

func (o object) text(key string) string {
	t, _ := o[key].(string)
	return t
}

func (o object) boolean(key string) bool {
	b, _ := o[key].(bool)
	return b
}

// integer reads a number; what is not there is 0.
func (o object) integer(key string) (int64, error) {
	switch v := o[key].(type) {
	case nil:
		return 0, nil
	case json.Number:
		return v.Int64()
	case int64:
		return v, nil
	}
	return 0, fmt.Errorf("attribute %s is not an integer", key)
}

// timestamp is the clock in the API's form.
func (s *Server) timestamp() string { return s.options.Now().UTC().Format(time.RFC3339Nano) }
