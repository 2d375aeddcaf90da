// Package oidctest is a stand-in for GitHub's issuer of identity tokens for tests, written
// from GitHub's documentation of OpenID Connect in Actions: its discovery document and
// keys, and the endpoint at which a job with the permission id-token: write asks for a
// token.
package oidctest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// Organization is the default audience of a token: the URL of the repository's owner.
const Organization = "https://github.com/octo-org"

// Subject is the subject of the job's tokens.
const Subject = "repo:octo-org/octo-repo:environment:production"

// GitHub is a running issuer, and one job.
type GitHub struct {
	// URL is the issuer.
	URL string
	// RequestToken is what the job may ask for identity tokens with.
	RequestToken string

	key *rsa.PrivateKey

	mu       sync.Mutex
	lifetime time.Duration
	issued   []string
}

// Start runs an issuer until the test ends.
func Start(tb testing.TB) *GitHub {
	tb.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		tb.Fatal(err)
	}
	g := &GitHub{RequestToken: "request-" + rand.Text(), key: key, lifetime: 5 * time.Minute}
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	tb.Cleanup(server.Close)
	g.URL = server.URL
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{
			"issuer": g.URL, "jwks_uri": g.URL + "/.well-known/jwks", "subject_types_supported": []string{"public", "pairwise"},
			"response_types_supported": []string{"id_token"}, "id_token_signing_alg_values_supported": []string{"RS256"},
		})
	})
	mux.HandleFunc("GET /.well-known/jwks", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{"keys": []any{map[string]string{
			"kty": "RSA", "alg": "RS256", "use": "sig", "kid": keyID,
			"n": encode(key.N.Bytes()), "e": encode(big.NewInt(int64(key.E)).Bytes()),
		}}})
	})
	mux.HandleFunc("GET /job/idtoken", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+g.RequestToken || r.URL.Query().Get("api-version") == "" {
			http.Error(w, `{"message":"unauthorized"}`, http.StatusUnauthorized)
			return
		}
		audience := r.URL.Query().Get("audience")
		if audience == "" {
			audience = Organization
		}
		token := g.Token(tb, audience)
		answer(w, map[string]any{"count": len(token), "value": token})
	})
	return g
}

const keyID = "stand-in-1"

func answer(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(body)
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// Environment are the variables that GitHub Actions gives the job.
func (g *GitHub) Environment() map[string]string {
	return map[string]string{
		"ACTIONS_ID_TOKEN_REQUEST_URL": g.URL + "/job/idtoken?api-version=2.0", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": g.RequestToken,
	}
}

// SetLifetime sets how long the next tokens are valid; a negative time makes tokens that
// have expired.
func (g *GitHub) SetLifetime(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.lifetime = d
}

// Issued returns the tokens so far.
func (g *GitHub) Issued() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]string{}, g.issued...)
}

// Token issues a token of the job for an audience.
func (g *GitHub) Token(tb testing.TB, audience string) string {
	tb.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	header := map[string]string{"typ": "JWT", "alg": "RS256", "kid": keyID}
	claims := map[string]any{
		"iss": g.URL, "sub": Subject, "aud": audience, "jti": rand.Text(),
		"iat": now.Add(-10 * time.Minute).Unix(), "nbf": now.Add(-10 * time.Minute).Unix(), "exp": now.Add(g.lifetime).Unix(),
		"repository": "octo-org/octo-repo", "repository_owner": "octo-org", "environment": "production", "event_name": "push",
		"ref": "refs/heads/main", "ref_type": "branch", "actor": "octocat", "runner_environment": "github-hosted",
	}
	var parts [2][]byte
	for i, part := range []any{header, claims} {
		var err error
		if parts[i], err = json.Marshal(part); err != nil {
			tb.Fatal(err)
		}
	}
	text := encode(parts[0]) + "." + encode(parts[1])
	digest := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, g.key, crypto.SHA256, digest[:])
	if err != nil {
		tb.Fatal(err)
	}
	token := text + "." + encode(signature)
	g.issued = append(g.issued, token)
	return token
}
