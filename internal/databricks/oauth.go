package databricks

import (
	"context"
	"errors"
	"fmt"
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

// clientToken requests an access token from the workspace. It uses the transport of this
// package, which sends requests to the configured host only.
func (w *Warehouse) clientToken(ctx context.Context, c ClientCredentials) (jobs.Secret, error) {
	secret, err := c.Secret(ctx)
	if err != nil {
		return jobs.Secret{}, err
	}
	w.token.alsoSecret(secret)
	u := url.URL{Scheme: w.transport.endpoint.Scheme, Host: w.transport.endpoint.Host, Path: tokenPath}
	config := clientcredentials.Config{
		ClientID: c.ID, ClientSecret: secret.Reveal(), TokenURL: u.String(),
		Scopes: []string{"all-apis"}, AuthStyle: oauth2.AuthStyleInHeader,
	}
	client := &http.Client{
		Transport:     w.transport.base,
		Timeout:       requestTimeout("", nil),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	var after time.Duration
	policy := pauses
	policy.Attempts, policy.Within = maxLostAttempts, w.transport.patience
	return retry.Do(ctx, policy, func(int) (jobs.Secret, error) {
		token, err := config.Token(context.WithValue(ctx, oauth2.HTTPClient, client))
		if err != nil {
			after = 0
			if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
				after = retry.After(refused.Response.Header.Get("Retry-After"), time.Now())
			}
			return jobs.Secret{}, w.tokenError(c.ID, secret, err)
		}
		return jobs.NewSecret(token.AccessToken), nil
	}, func(_ int, err error) retry.Decision {
		return retry.Decision{Retry: jobs.IsCode(err, jobs.CodeUnreachable), After: after}
	})
}

// tokenError describes the failure to get an access token.
func (w *Warehouse) tokenError(id string, secret jobs.Secret, err error) error {
	text := redactSecrets(err.Error(), []jobs.Secret{secret})
	refused, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok {
		if refused, ok := errors.AsType[*egress.RefusedAddressError](err); ok {
			text = refused.Error()
		}
		return &jobs.Error{Code: jobs.CodeUnreachable, Attribute: "host",
			Summary: fmt.Sprintf("%s issued no access token", w.name), Detail: text,
			Next: "Check host and port, and that a firewall lets this machine connect.", Err: err}
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
