package front

import (
	"crypto/rand"
	"net/http"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/fault"
)

// ServicePrincipal is the service principal that may request access tokens.
type ServicePrincipal struct {
	ID, Secret string
	// TTL is how long an access token is valid: an hour by default, as at Databricks.
	TTL time.Duration
}

const (
	discoveryPath = "/oidc/.well-known/oauth-authorization-server"
	tokenPath     = "/oidc/v1/token" //nolint:gosec // a path, not a credential
)

func (s *Server) oauthRoutes() {
	s.mux.HandleFunc("GET "+discoveryPath, s.serveDiscovery)
	s.mux.HandleFunc("POST "+tokenPath, s.serveToken)
}

// serveDiscovery describes the workspace's OAuth server (RFC 8414), as workspaces do at
// this path.
func (s *Server) serveDiscovery(w http.ResponseWriter, r *http.Request) {
	if s.failOAuth(w, r, fault.Discovery) {
		return
	}
	base := "http://" + r.Host
	if r.TLS != nil {
		base = "https://" + r.Host
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"issuer":                                base + "/oidc",
		"authorization_endpoint":                base + "/oidc/v1/authorize",
		"token_endpoint":                        base + tokenPath,
		"jwks_uri":                              base + "/oidc/jwks.json",
		"scopes_supported":                      []string{"all-apis", "sql", "offline_access", "openid", "profile", "email"},
		"response_types_supported":              []string{"code"},
		"grant_types_supported":                 []string{"client_credentials", "authorization_code", "refresh_token", exchangeGrant},
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post", "none"},
		"code_challenge_methods_supported":      []string{"S256"},
	})
}

// serveToken issues access tokens to the service principal: for its secret (OAuth
// machine-to-machine), or for a token of another issuer (token federation).
func (s *Server) serveToken(w http.ResponseWriter, r *http.Request) {
	if s.failOAuth(w, r, fault.TokenRequest) {
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if r.FormValue("grant_type") == exchangeGrant {
		s.exchangeToken(w, r)
		return
	}
	id, secret, ok := r.BasicAuth()
	client := s.options.ServicePrincipal
	switch {
	case !ok || client.ID == "" || !equalSecrets(id, client.ID) || !equalSecrets(secret, client.Secret):
		refuseToken(w, http.StatusUnauthorized, "invalid_client", "Client authentication failed")
	case r.FormValue("grant_type") != "client_credentials":
		refuseToken(w, http.StatusBadRequest, "unsupported_grant_type", "Only client_credentials is for service principals")
	case r.FormValue("scope") != "all-apis":
		refuseToken(w, http.StatusBadRequest, "invalid_scope", "The scope is all-apis")
	default:
		s.issueToken(w, nil)
	}
}

// issueToken answers with a new access token. more are further fields of the answer.
func (s *Server) issueToken(w http.ResponseWriter, more map[string]any) {
	ttl := s.options.ServicePrincipal.TTL
	token := "eyJ" + strings.ToLower(rand.Text()+rand.Text())
	s.tokens.issue(token, time.Now().Add(ttl))
	answer := map[string]any{"access_token": token, "token_type": "Bearer", "scope": "all-apis", "expires_in": int(ttl.Seconds())}
	for name, value := range more {
		answer[name] = value
	}
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, http.StatusOK, answer)
}

// refuseToken answers with an error of OAuth (RFC 6749, section 5.2).
func refuseToken(w http.ResponseWriter, status int, code, text string) {
	writeJSON(w, status, map[string]string{"error": code, "error_description": text})
}

// failOAuth applies the faults of a request for a token, and reports whether it
// answered the request.
func (s *Server) failOAuth(w http.ResponseWriter, r *http.Request, name string) bool {
	at := fault.Call{Name: name}
	if hit, ok := s.options.Faults.Trigger(at, fault.Slow); ok {
		if hit.Wait(r.Context()) != nil {
			return true
		}
	}
	hit, ok := s.options.Faults.Trigger(at, fault.TokenRefused, fault.TooManyRequests, fault.Unavailable)
	if !ok {
		return false
	}
	switch hit.Kind {
	case fault.TokenRefused:
		refuseToken(w, hit.Status, "access_denied", hit.Message)
	case fault.TooManyRequests:
		writeError(w, httpReply{status: http.StatusTooManyRequests,
			code: "RESOURCE_EXHAUSTED", message: "Too many requests.", retryAfter: hit.RetryAfter})
	default:
		writeError(w, httpReply{status: http.StatusServiceUnavailable, code: "TEMPORARILY_UNAVAILABLE",
			message: "The service is temporarily unavailable.", retryAfter: hit.RetryAfter})
	}
	return true
}

// issue makes token valid until the given time.
func (t *tokens) issue(token string, until time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.issued == nil {
		t.issued = map[string]time.Time{}
	}
	t.issued[token] = until
	t.ever = append(t.ever, token)
}

// allIssued returns all tokens that were issued, also those that have expired.
func (t *tokens) allIssued() []string {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return append([]string{}, t.ever...)
}

// expireIssued makes all tokens of the service principal invalid, as if they had
// expired.
func (t *tokens) expireIssued() {
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.issued)
}
