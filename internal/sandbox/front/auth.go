package front

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// httpReply is an HTTP error in the form of Databricks' gateway. It replaces the
// Thrift reply.
type httpReply struct {
	status     int
	code       string
	message    string
	retryAfter int
}

func writeError(w http.ResponseWriter, r httpReply) {
	h := w.Header()
	// Clients show the reason phrase to their users; older ones read the Thrift
	// message.
	h.Set("X-Databricks-Reason-Phrase", r.message)
	h.Set("X-Thriftserver-Error-Message", r.message)
	if r.status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="Databricks"`)
	}
	if r.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(r.retryAfter))
	}
	writeJSON(w, r.status, map[string]string{"error_code": r.code, "message": r.message})
}

// tokens holds the access tokens that are accepted, and those that were revoked.
type tokens struct {
	mu      sync.RWMutex
	current string
	// revoked maps a revoked token to the HTTP status that refuses it.
	revoked map[string]int
	// issued maps a service principal's token to its expiry.
	issued map[string]time.Time
	// ever are all tokens that were issued.
	ever []string
}

func (t *tokens) setCurrent(token string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.current = token
	delete(t.revoked, token)
}

func (t *tokens) revoke(status int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.revoked == nil {
		t.revoked = map[string]int{}
	}
	t.revoked[t.current] = status
}

// refusalStatus returns the HTTP status that refuses the token, or 0 if the
// token is accepted.
func (t *tokens) refusalStatus(token string) int {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if until, ok := t.issued[token]; ok && time.Now().Before(until) {
		return 0
	}
	if !equalSecrets(token, t.current) {
		return http.StatusUnauthorized
	}
	return t.revoked[t.current]
}

func equalSecrets(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

func invalidToken(status int) *httpReply {
	reply := &httpReply{status: status, code: "UNAUTHENTICATED", message: "Invalid access token."}
	if status == http.StatusForbidden {
		reply.code = "PERMISSION_DENIED"
	}
	return reply
}

// authorize returns the refusal of a request to the warehouse, or nil if its
// token may use the warehouse.
func (s *Server) authorize(r *http.Request) *httpReply {
	if reply := s.authorizeAPI(r); reply != nil {
		return reply
	}
	if s.options.ForbiddenToken != "" && equalSecrets(bearer(r), s.options.ForbiddenToken) {
		return &httpReply{
			status: http.StatusForbidden, code: "PERMISSION_DENIED",
			message: "You do not have permission to use the SQL Warehouse.",
		}
	}
	return nil
}

func bearer(r *http.Request) string {
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return token
}

// authorizeAPI returns the refusal of a request to the workspace's API, or nil
// if its token is known. ForbiddenToken is known.
func (s *Server) authorizeAPI(r *http.Request) *httpReply {
	token := bearer(r)
	if token == "" {
		return &httpReply{
			status: http.StatusUnauthorized, code: "UNAUTHENTICATED",
			message: "Credential was not sent or was of an unsupported type for this API.",
		}
	}
	if s.options.ForbiddenToken != "" && equalSecrets(token, s.options.ForbiddenToken) {
		return nil
	}
	if status := s.tokens.refusalStatus(token); status != 0 {
		return invalidToken(status)
	}
	return nil
}
