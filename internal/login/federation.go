package login

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/databricks/databricks-sdk-go/config"
	"github.com/databricks/databricks-sdk-go/config/experimental/auth/oidc"
	"github.com/databricks/databricks-sdk-go/credentials/u2m"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// discoveryPath is where a workspace describes its OAuth server (Databricks'
// documentation of OAuth, "oauth-authorization-server").
const discoveryPath = "/oidc/.well-known/oauth-authorization-server"

// endpoints reads the description of the workspace's OAuth server.
func (a *attempt) endpoints(context.Context) (*u2m.OAuthAuthorizationServer, error) {
	var server u2m.OAuthAuthorizationServer
	who := "The workspace " + a.at.URL.Host
	if err := a.getJSON(a.workspace()+discoveryPath, nil, &server); err != nil {
		return nil, a.failed(err, who, "Check that host is the workspace's own host name, which issues OAuth tokens")
	}
	// The secret goes to the workspace alone, whatever its answer says.
	if u, err := url.Parse(server.TokenEndpoint); err != nil || u.Scheme != a.at.URL.Scheme || !sameHost(u, a.at.URL) {
		return nil, a.invalid(who+" names another host for its tokens", fmt.Sprintf("%s has the token endpoint %q.", discoveryPath,
			server.TokenEndpoint),
			"Check that host is the workspace's own host name, and which proxies are on the way")
	}
	return &server, nil
}

// supplier gives Databricks' SDK the workspace's OAuth server. There are no accounts here.
type supplier struct{ *attempt }

func (s supplier) GetWorkspaceOAuthEndpoints(ctx context.Context, _ string) (*u2m.OAuthAuthorizationServer, error) {
	return s.endpoints(ctx)
}

func (s supplier) GetAccountOAuthEndpoints(ctx context.Context, _, _ string) (*u2m.OAuthAuthorizationServer, error) {
	return s.endpoints(ctx)
}

func (s supplier) GetUnifiedOAuthEndpoints(ctx context.Context, _, _ string) (*u2m.OAuthAuthorizationServer, error) {
	return s.endpoints(ctx)
}

// workspace is the URL of the workspace without a path.
func (a *attempt) workspace() string {
	return (&url.URL{Scheme: a.at.URL.Scheme, Host: a.at.URL.Host}).String()
}

// sameHost compares hosts with their ports.
func sameHost(a, b *url.URL) bool { return withPort(a) == withPort(b) }

func withPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return u.Hostname() + ":" + port
}

// clientSecret obtains a token for an OAuth secret of a service principal, which a
// profile or the environment has.
func (a *attempt) clientSecret(c *config.Config) (Token, error) {
	if c.ClientID == "" || c.ClientSecret == "" {
		return Token{}, a.invalid("The login has no OAuth secret",
			"It is of the kind oauth-m2m, which needs client_id and client_secret.",
			"Set both in the profile, or DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET in the environment")
	}
	server, err := a.endpoints(a.ctx)
	if err != nil {
		return Token{}, err
	}
	token, err := (&clientcredentials.Config{
		ClientID: c.ClientID, ClientSecret: c.ClientSecret, TokenURL: server.TokenEndpoint, Scopes: []string{"all-apis"},
		AuthStyle: oauth2.AuthStyleInHeader,
	}).Token(a.ctx)
	if err != nil {
		return Token{}, a.failed(err, "The workspace "+a.at.URL.Host,
			"Check the client id, and make a new OAuth secret of the service principal")
	}
	return issued(token), nil
}

// exchange exchanges an identity token for an access token of the workspace (RFC 8693,
// Databricks' documentation of OAuth token federation).
func (a *attempt) exchange(c *config.Config, identityToken func(audience string) (string, error)) (Token, error) {
	token, err := oidc.NewDatabricksOIDCTokenSource(oidc.DatabricksOIDCTokenSourceConfig{
		ClientID: c.ClientID, Host: a.workspace(), Audience: c.TokenAudience, TokenEndpointProvider: a.endpoints,
		IDTokenSource: oidc.IDTokenSourceFn(func(_ context.Context, audience string) (*oidc.IDToken, error) {
			text, err := identityToken(audience)
			return &oidc.IDToken{Value: text}, err
		}),
	}).Token(a.ctx)
	if err != nil {
		client := "account-wide federation policy"
		if c.ClientID != "" {
			client = "federation policy of the service principal " + c.ClientID
		}
		return Token{}, a.failed(err, "The workspace "+a.at.URL.Host,
			fmt.Sprintf("Compare the %s with the identity token: its issuer, its "+
				"subject and one of its audiences have to be the same, and the token must not have expired", client))
	}
	return issued(token), nil
}

// The variables that GitHub Actions gives a job with the permission id-token: write
// (GitHub's documentation of OpenID Connect).
const (
	gitHubURLVariable   = "ACTIONS_ID_TOKEN_REQUEST_URL"
	gitHubTokenVariable = "ACTIONS_ID_TOKEN_REQUEST_TOKEN"
)

// gitHubToken asks GitHub Actions for an identity token of the job.
func (a *attempt) gitHubToken(audience string) (string, error) {
	address, token := a.options.Getenv(gitHubURLVariable), a.options.Getenv(gitHubTokenVariable)
	const next = "In the workflow, give the job \"permissions: id-token: write\" and run Terraform in that job. A runner or a machine outside " +
		"GitHub Actions has no such token: use another login there"
	for name, value := range map[string]string{gitHubURLVariable: address, gitHubTokenVariable: token} {
		if value == "" {
			return "", a.invalid("GitHub Actions offers no identity token to this process",
				fmt.Sprintf("The environment variable %s is empty in the process that executes the run.", name), next)
		}
	}
	a.transport.learn(token)
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "", a.invalid("GitHub Actions offers no identity token to this process", gitHubURLVariable+" is not a URL.", next)
	}
	query := u.Query()
	query.Set("audience", audience)
	u.RawQuery = query.Encode()
	a.transport.trust(address)
	var answer struct {
		Value string `json:"value"`
	}
	header := http.Header{"Authorization": {"Bearer " + token}}
	if err := a.getJSON(u.String(), header, &answer); err != nil {
		return "", a.failed(err, "GitHub's issuer "+u.Host, next)
	}
	if answer.Value == "" {
		return "", a.invalid("GitHub's issuer "+u.Host+" answered without an identity token", "Its answer has no value.", next)
	}
	return answer.Value, nil
}
