package front

import (
	"bytes"
	"fmt"
	"io"
	"net/http"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/fault"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/volumes"
)

// serveFiles passes a request with a valid token to the Files API, and applies the faults
// of the workspace to it. The faults s3_error and s3_slow are those of the files' store.
func (s *Server) serveFiles(w http.ResponseWriter, r *http.Request) {
	at, faults := volumes.CallOf(r), s.options.Faults
	if hit, ok := faults.Trigger(at, fault.TokenRevoked); ok {
		s.tokens.revoke(hit.Status)
	}
	if reply := s.authorize(r); reply != nil {
		writeError(w, *reply)
		return
	}
	if hit, ok := faults.Trigger(at, fault.Slow); ok {
		if hit.Wait(r.Context()) != nil {
			return
		}
	}
	hit, ok := faults.Trigger(at, fault.TooManyRequests, fault.Unavailable, fault.Cut)
	switch {
	case !ok:
		s.options.Files.ServeHTTP(w, r)
	case hit.Kind == fault.TooManyRequests:
		writeError(w, httpReply{
			status: http.StatusTooManyRequests, code: "REQUEST_LIMIT_EXCEEDED", retryAfter: hit.RetryAfter,
			message: "Your request was rejected since your organization has exceeded the rate limit. Please retry your request later.",
		})
	case hit.Kind == fault.Unavailable:
		if hit.Form == "after" {
			s.options.Files.ServeHTTP(&heldAnswer{header: http.Header{}}, r)
		}
		writeError(w, httpReply{
			status: http.StatusServiceUnavailable, code: "TEMPORARILY_UNAVAILABLE", retryAfter: hit.RetryAfter,
			message: "The service is temporarily unavailable. Please try again later.",
		})
	case r.Method == http.MethodPut && r.ContentLength != 0:
		// The connection breaks in the middle of the upload, of which nothing is stored.
		_, _ = io.CopyN(io.Discard, r.Body, r.ContentLength/2)
		panic(http.ErrAbortHandler)
	default:
		s.cutAnswer(w, r)
	}
}

// cutAnswer sends half of an answer and closes the connection.
func (s *Server) cutAnswer(w http.ResponseWriter, r *http.Request) {
	held := &heldAnswer{header: w.Header(), status: http.StatusOK}
	s.options.Files.ServeHTTP(held, r)
	body := held.body.Bytes()
	w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	w.WriteHeader(held.status)
	_, _ = w.Write(body[:len(body)/2])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// heldAnswer is an answer that is kept instead of being sent.
type heldAnswer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (h *heldAnswer) Header() http.Header         { return h.header }
func (h *heldAnswer) WriteHeader(status int)      { h.status = status }
func (h *heldAnswer) Write(p []byte) (int, error) { return h.body.Write(p) }
