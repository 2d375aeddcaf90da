package front

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v3"
	"github.com/go-jose/go-jose/v3/jwt"
)

const (
	exchangeGrant = "urn:ietf:params:oauth:grant-type:token-exchange"
	jwtTokenType  = "urn:ietf:params:oauth:token-type:jwt" // #nosec G101 -- the name of a type
)

// FederationPolicy says which tokens of another issuer are exchanged for an access
// token of a service principal. Its fields are those of oidc_policy in Databricks' API
// of service principal federation policies.
type FederationPolicy struct {
	// ClientID is the application id of the service principal that has the policy. A
	// policy without one is account-wide, and requests that use it name no client.
	ClientID string `json:"client_id"`
	// Issuer and Subject equal the claims iss and sub. Databricks knows no patterns.
	Issuer  string `json:"issuer"`
	Subject string `json:"subject"`
	// SubjectClaim is the claim that Subject is compared with; empty means sub.
	SubjectClaim string `json:"subject_claim,omitempty"`
	// Audiences has one of the claim aud. Empty means the account's id.
	Audiences []string `json:"audiences"`
	// JWKSJSON has the issuer's keys. Empty means that they are fetched by the issuer's
	// discovery document, as Databricks does.
	JWKSJSON string `json:"jwks_json,omitempty"`
}

// AccountID is the id of the account that the workspace belongs to.
const AccountID = "5a9d0b0e-77f1-4d3c-9b0c-3d1f6f0a1c2e"

// federation holds the policies.
type federation struct {
	mu       sync.RWMutex
	policies []FederationPolicy
}

func (f *federation) set(policies []FederationPolicy) error {
	for _, p := range policies {
		if p.Issuer == "" || p.Subject == "" {
			return errors.New("a federation policy needs an issuer and a subject")
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.policies = policies
	return nil
}

func (f *federation) of(clientID string) []FederationPolicy {
	f.mu.RLock()
	defer f.mu.RUnlock()
	var out []FederationPolicy
	for _, p := range f.policies {
		if p.ClientID == clientID {
			out = append(out, p)
		}
	}
	return out
}

// exchangeToken exchanges a token of another issuer for an access token (RFC 8693, with
// the parameters of Databricks' documentation of OAuth token federation). A token that
// no policy accepts is refused with invalid_request, as RFC 8693 section 2.2.2 says.
func (s *Server) exchangeToken(w http.ResponseWriter, r *http.Request) {
	refuse := func(code, text string) { refuseToken(w, http.StatusBadRequest, code, text) }
	switch {
	case r.FormValue("subject_token_type") != jwtTokenType:
		refuse("invalid_request", "subject_token_type must be "+jwtTokenType)
		return
	case r.FormValue("scope") != "all-apis":
		refuse("invalid_scope", "The scope is all-apis")
		return
	case r.FormValue("subject_token") == "":
		refuse("invalid_request", "subject_token is missing")
		return
	}
	clientID := r.FormValue("client_id")
	policies := s.federation.of(clientID)
	if len(policies) == 0 {
		refuse("invalid_request", "No federation policy was found for the client")
		return
	}
	var last error
	for _, p := range policies {
		if last = p.verify(r.Context(), r.FormValue("subject_token"), time.Now()); last == nil {
			s.issueToken(w, map[string]any{"issued_token_type": "urn:ietf:params:oauth:token-type:access_token"}) // #nosec G101 -- the name of a type
			return
		}
	}
	refuse("invalid_request", last.Error())
}

// verify checks the signature and the claims of a token. Databricks accepts RS256 and
// ES256.
func (p FederationPolicy) verify(ctx context.Context, text string, now time.Time) error {
	token, err := jwt.ParseSigned(text)
	if err != nil || len(token.Headers) != 1 {
		return errors.New("subject_token is not a signed JWT")
	}
	header := token.Headers[0]
	if !slices.Contains([]string{string(jose.RS256), string(jose.ES256)}, header.Algorithm) {
		return fmt.Errorf("tokens signed with %q are not accepted", header.Algorithm)
	}
	keys, err := p.keys(ctx)
	if err != nil {
		return err
	}
	known := keys.Key(header.KeyID)
	if len(known) == 0 {
		return errors.New("the issuer has no key with the kid of the token")
	}
	var claims jwt.Claims
	var all map[string]any
	if err := token.Claims(known[0].Key, &claims, &all); err != nil {
		return errors.New("the signature of the token is invalid")
	}
	audiences := p.Audiences
	if len(audiences) == 0 {
		audiences = []string{AccountID}
	}
	if claims.Expiry == nil {
		return errors.New("the token has no expiry")
	}
	if err := claims.ValidateWithLeeway(jwt.Expected{Issuer: p.Issuer, Time: now}, 0); err != nil {
		return fmt.Errorf("the token is not accepted: %s", strings.TrimPrefix(err.Error(), "go-jose/go-jose/jwt: "))
	}
	if !slices.ContainsFunc(audiences, claims.Audience.Contains) {
		return fmt.Errorf("the audience %q of the token is not one of the policy", strings.Join(claims.Audience, ", "))
	}
	name := p.SubjectClaim
	if name == "" {
		name = "sub"
	}
	if subject, _ := all[name].(string); subject != p.Subject {
		return fmt.Errorf("the %s %q of the token is not that of the policy", name, subject)
	}
	return nil
}

// keys returns the keys of the issuer.
func (p FederationPolicy) keys(ctx context.Context) (jose.JSONWebKeySet, error) {
	var keys jose.JSONWebKeySet
	if p.JWKSJSON != "" {
		return keys, json.Unmarshal([]byte(p.JWKSJSON), &keys)
	}
	var discovery struct {
		Issuer  string `json:"issuer"`
		JWKSURI string `json:"jwks_uri"`
	}
	if err := fetchJSON(ctx, strings.TrimSuffix(p.Issuer, "/")+"/.well-known/openid-configuration", &discovery); err != nil {
		return keys, err
	}
	if discovery.Issuer != p.Issuer {
		return keys, errors.New("the discovery document of the issuer names another issuer")
	}
	return keys, fetchJSON(ctx, discovery.JWKSURI, &keys)
}

func fetchJSON(ctx context.Context, address string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return errors.New("the issuer is not a URL")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return errors.New("the issuer cannot be reached")
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil || response.StatusCode != http.StatusOK {
		return fmt.Errorf("the issuer answered HTTP %d", response.StatusCode)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return errors.New("the issuer's answer is not the JSON that is expected")
	}
	return nil
}
