package sandboxtest

import (
	"net/http"
	"testing"
)

// FederationPolicy says which identity tokens of another issuer the sandbox exchanges for
// access tokens. Its fields are those of Databricks' policies.
type FederationPolicy struct {
	// ClientID is the service principal that has the policy; empty for an account-wide
	// policy.
	ClientID string `json:"client_id"`
	Issuer   string `json:"issuer"`
	Subject  string `json:"subject"`
	// Audiences has one of the token's.
	Audiences []string `json:"audiences"`
}

// SetFederationPolicies replaces the policies of the sandbox.
func (s *Sandbox) SetFederationPolicies(tb testing.TB, policies ...FederationPolicy) {
	tb.Helper()
	if err := s.admin(http.MethodPut, "/federation", map[string]any{"policies": policies}, nil); err != nil {
		tb.Fatal(err)
	}
}

// IssuedTokens returns the access tokens that the sandbox issued.
func (s *Sandbox) IssuedTokens(tb testing.TB) []string {
	tb.Helper()
	var out struct {
		Issued []string `json:"issued"`
	}
	if err := s.admin(http.MethodGet, "/tokens", nil, &out); err != nil {
		tb.Fatal(err)
	}
	return out.Issued
}
