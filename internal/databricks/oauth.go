package databricks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/egress"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/retry"
)

// ClientCredentials are the OAuth credentials of a service principal. The workspace issues
// access tokens for them that are valid for an hour (OAuth machine-to-machine).
type ClientCredentials struct {
	// ID is the service principal's application id.
	ID string
	// Secret reads the OAuth secret; it is called for every token.
	Secret func(context.Context) (jobs.Secret, error)
}

// tokenPath is the path of a workspace's token endpoint (Databricks' documentation of
// OAuth machine-to-machine, "manually generate a workspace-level access token").
const tokenPath = "/oidc/v1/token" //nolint:gosec // a path, not a credential

// IssueToken obtains an access token by OAuth. The configuration has a Client, or a Login
// that issues tokens.
func IssueToken(ctx context.Context, cfg Config) (jobs.WorkspaceToken, error) {
	w, err := newWarehouse(cfg)
	if err != nil {
		return jobs.WorkspaceToken{}, err
	}
	defer w.transport.base.CloseIdleConnections()
	if cfg.Client != nil {
		return w.issueToken(ctx, *cfg.Client)
	}
	secret, expires, err := w.token.read(ctx)
	return jobs.WorkspaceToken{Secret: secret, Expires: expires}, err
}

func (w *Warehouse) clientToken(ctx context.Context, c ClientCredentials) (jobs.Secret, error) {
	t, err := w.issueToken(ctx, c)
	return t.Secret, err
}

// issueToken requests an access token from the workspace. It uses the transport of this
// package, which sends requests to the configured host only.
func (w *Warehouse) issueToken(ctx context.Context, c ClientCredentials) (jobs.WorkspaceToken, error) {
	secret, err := c.Secret(ctx)
	if err != nil {
		return jobs.WorkspaceToken{}, err
	}
	w.token.hold(secret)
	u := url.URL{Scheme: w.transport.endpoint.Scheme, Host: w.transport.endpoint.Host, Path: tokenPath}
	config := clientcredentials.Config{
		ClientID: c.ID, ClientSecret: secret.Reveal(), TokenURL: u.String(),
		Scopes: []string{"all-apis"}, AuthStyle: oauth2.AuthStyleInHeader,
	}
	client := &http.Client{
		Transport:     tokenTransport{w.sendNamed},
		Timeout:       requestTimeout("", nil),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	var after time.Duration
	policy := pauses
	policy.Attempts, policy.Within = maxLostAttempts, w.transport.patience
	return retry.Do(ctx, policy, func(int) (jobs.WorkspaceToken, error) {
		token, err := config.Token(context.WithValue(ctx, oauth2.HTTPClient, client))
		if err != nil {
			after = 0
			if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
				after = retry.After(refused.Response.Header.Get("Retry-After"), time.Now())
			}
			return jobs.WorkspaceToken{}, w.tokenError(c.ID, err)
		}
		return jobs.WorkspaceToken{Secret: jobs.NewSecret(token.AccessToken), Expires: token.Expiry}, nil
	}, func(_ int, err error) retry.Decision {
		return retry.Decision{Retry: jobs.IsCode(err, jobs.CodeUnreachable), After: after}
	})
}

// tokenTransport reads the whole answer, because package oauth2 keeps only the text of an
// error that it meets in a body.
type tokenTransport struct {
	send func(*http.Request) (*http.Response, error)
}

// RoundTrip implements http.RoundTripper.
func (t tokenTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := tokenLimits.Do(request, t.send)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(response.Body)
	if err = errors.Join(err, response.Body.Close()); err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(content))
	return response, nil
}

// tokenError describes the failure to get an access token.
func (w *Warehouse) tokenError(id string, err error) error {
	text := sanitize(err.Error())
	refused, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok {
		if beyond := w.beyondLimit(err); beyond != nil {
			return beyond
		}
		if refused, ok := errors.AsType[*egress.RefusedAddressError](err); ok {
			text = refused.Error()
		}
		summary, next := fmt.Sprintf("%s issued no access token", w.name), "Check host and port, and that a firewall lets this machine connect."
		if egress.IsTLSFailure(err) {
			summary, next = w.untrusted()
		}
		return &jobs.Error{Code: jobs.CodeUnreachable, Attribute: "host", Summary: summary, Detail: text, Next: next, Err: err}
	}
	switch status := refused.Response.StatusCode; {
	case status >= http.StatusInternalServerError || status == http.StatusTooManyRequests:
		return &jobs.Error{Code: jobs.CodeUnreachable,
			Summary: fmt.Sprintf("%s issued no access token", w.name), Detail: text,
			Next: "Try again; if it stays so, look at the status of the workspace."}
	case status == http.StatusNotFound || status/100 == 3:
		return jobs.Invalid("host", fmt.Sprintf("%s does not issue OAuth tokens", w.name), text,
			"Check that host is the workspace's own host name; OAuth for service principals is at the workspace, not at the account's console.")
	}
	return &jobs.Error{Code: jobs.CodeUnauthorized, Attribute: "client_secret_wo",
		Summary: fmt.Sprintf("%s refused the OAuth secret of service principal %s", w.name, id),
		Detail:  text,
		Next: "Check client_id, which is the application id, and that the service principal is in this workspace; " +
			"make a new OAuth secret, give it in client_secret_wo and raise client_secret_wo_version."}
}
