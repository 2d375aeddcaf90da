package front

import (
	"crypto/rand"
	"net/http"
	"strings"
	"time"
)

// ServicePrincipal is the service principal that may request access tokens.
type ServicePrincipal struct {
	ID, Secret string
	// TTL is how long an access token is valid: an hour by default, as at Databricks.
	TTL time.Duration
}

// serveToken issues access tokens to the service principal (OAuth
// machine-to-machine).
func (s *Server) serveToken(w http.ResponseWriter, r *http.Request) {
	refuse := func(status int, code, text string) {
		writeJSON(w, status, map[string]string{"error": code, "error_description": text})
	}
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	id, secret, ok := r.BasicAuth()
	client := s.options.ServicePrincipal
	switch {
	case !ok || client.ID == "" || !equalSecrets(id, client.ID) || !equalSecrets(secret, client.Secret):
		refuse(http.StatusUnauthorized, "invalid_client", "Client authentication failed")
	case r.FormValue("grant_type") != "client_credentials":
		refuse(http.StatusBadRequest, "unsupported_grant_type", "Only client_credentials is for service principals")
	case r.FormValue("scope") != "all-apis":
		refuse(http.StatusBadRequest, "invalid_scope", "The scope is all-apis")
	default:
		token := "eyJ" + strings.ToLower(rand.Text()+rand.Text())
		s.tokens.issue(token, time.Now().Add(client.TTL))
		writeJSON(w, http.StatusOK, map[string]any{
			"access_token": token, "token_type": "Bearer", "scope": "all-apis", "expires_in": int(client.TTL.Seconds()),
		})
	}
}

// issue makes token valid until the given time.
func (t *tokens) issue(token string, until time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.issued == nil {
		t.issued = map[string]time.Time{}
	}
	t.issued[token] = until
}

// expireIssued makes all tokens of the service principal invalid, as if they had
// expired.
func (t *tokens) expireIssued() {
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.issued)
}
