package login

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/databricks/databricks-sdk-go/config"
	"golang.org/x/oauth2"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/egress"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/redact"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/retry"
)

// attempt is one attempt to obtain a token.
type attempt struct {
	ctx       context.Context //nolint:containedctx // that of the attempt, which libraries do not pass on
	login     jobs.Login
	options   Options
	at        Workspace
	transport *transport
	client    *http.Client
	// retryAfter is the pause that an endpoint asked for.
	retryAfter time.Duration
}

func newAttempt(ctx context.Context, s *Source, at Workspace, roots *x509.CertPool) *attempt {
	g := newTransport(ctx, s, at, roots)
	client := &http.Client{Transport: g, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	a := &attempt{login: s.options.Login, options: s.options, at: at, transport: g, client: client}
	a.ctx = context.WithValue(ctx, oauth2.HTTPClient, client)
	return a
}

func (a *attempt) close() { a.transport.close() }

func (a *attempt) obtain() (Token, error) {
	switch a.login.Kind {
	case jobs.LoginTokenFile:
		return a.tokenFile(a.login.File)
	case jobs.LoginTokenCommand:
		return a.tokenCommand(a.login.Command)
	}
	c, err := a.config()
	if err != nil {
		return Token{}, err
	}
	switch c.AuthType {
	case "pat":
		return a.given(c.Token)
	case "oauth-m2m":
		return a.clientSecret(c)
	case string(jobs.LoginGitHubOIDC):
		return a.exchange(c, a.gitHubToken)
	case string(jobs.LoginFileOIDC):
		return a.exchange(c, func(string) (string, error) { return a.readToken(c.OIDCTokenFilepath) })
	case string(jobs.LoginEnvOIDC):
		return a.exchange(c, func(string) (string, error) { return a.readVariable(c.OIDCTokenEnv) })
	case string(jobs.LoginAzureCLI):
		return a.azureCLI(c)
	case string(jobs.LoginAzureMSI):
		return a.azureIdentity(c)
	case string(jobs.LoginAzureClientSecret):
		return a.azureClientSecret(c)
	case string(jobs.LoginGoogleCredentials):
		return a.googleCredentials(c)
	case string(jobs.LoginGoogleID):
		return a.googleID(c)
	case string(jobs.LoginDatabricksCLI):
		return a.databricksCLI(c)
	}
	return Token{}, a.invalid(fmt.Sprintf("The login %q is not supported", c.AuthType),
		"It is what the profile or the environment chooses.",
		"Choose one of pat, oauth-m2m and the kinds that the documentation of auth_type lists")
}

// config returns the settings of the login in the form of Databricks' SDK: those of the
// definition, or of the profile or environment that it names.
func (a *attempt) config() (*config.Config, error) {
	l := a.login
	c := &config.Config{AuthType: string(l.Kind)}
	switch l.Kind {
	case jobs.LoginProfile:
		return a.profile()
	case jobs.LoginEnvironment:
		return a.environment()
	case jobs.LoginGitHubOIDC:
		c.ClientID, c.TokenAudience = l.Identity, l.Audience
	case jobs.LoginFileOIDC:
		c.ClientID, c.OIDCTokenFilepath = l.Identity, l.File
	case jobs.LoginEnvOIDC:
		c.ClientID, c.OIDCTokenEnv = l.Identity, l.Variable
	case jobs.LoginGoogleID:
		c.GoogleServiceAccount = l.Identity
	default:
		c.AzureClientID, c.AzureTenantID = l.Identity, l.Tenant
	}
	if !l.KeepsSecret() {
		return c, nil
	}
	secret, err := a.options.Secret(a.ctx)
	if err != nil {
		return nil, err
	}
	if l.Kind == jobs.LoginGoogleCredentials {
		c.GoogleCredentials = secret.Reveal()
	} else {
		c.AzureClientSecret = secret.Reveal()
	}
	return c, nil
}

// given returns a token that was not issued for this attempt.
func (a *attempt) given(text string) (Token, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return Token{}, a.invalid("The login has no token", "The place that it names is empty.",
			"Put an access token of the workspace there")
	}
	return newToken(text, time.Time{}), nil
}

func newToken(text string, expires time.Time) Token {
	if expires.IsZero() {
		expires = expiry(text)
	}
	return Token{Secret: jobs.NewSecret(text), Expires: expires}
}

// issued returns the token of an OAuth server.
func issued(t *oauth2.Token) Token { return newToken(t.AccessToken, t.Expiry) }

// invalid is an error of the definition, or of the process that executes the run.
func (a *attempt) invalid(summary, detail, next string) *jobs.Error {
	return jobs.Invalid(a.login.Attribute(), summary, detail, next)
}

// statusError is an answer with an error status.
type statusError struct {
	status int
	text   string
	after  time.Duration
}

func (e *statusError) Error() string {
	return strings.TrimSuffix(fmt.Sprintf("HTTP %d %s: %s", e.status, http.StatusText(e.status), e.text), ": ")
}

// getJSON reads a JSON object.
func (a *attempt) getJSON(address string, header http.Header, into any) error {
	request, err := http.NewRequestWithContext(a.ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	for name, values := range header {
		request.Header.Set(name, values[0])
	}
	request.Header.Set("Accept", "application/json")
	response, err := a.client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return &statusError{status: response.StatusCode, text: excerpt(string(body)),
			after: retry.After(response.Header.Get("Retry-After"), time.Now())}
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("the answer is not the JSON that is expected: %w", err)
	}
	return nil
}

// failed describes the failure of a request. who is the endpoint, such as "GitHub's
// issuer"; next is what to do where it refuses.
func (a *attempt) failed(err error, who, next string) error {
	if a.ctx.Err() != nil {
		return context.Cause(a.ctx)
	}
	if known, ok := errors.AsType[*jobs.Error](err); ok {
		return known
	}
	// Libraries keep only the text of an error of their transport.
	if cause := a.transport.lastFailure(); cause != nil {
		err = cause
	}
	e := &jobs.Error{Code: jobs.CodeUnreachable, Attribute: a.login.Attribute(), Summary: who + " gave no token",
		Detail: excerpt(err.Error()),
		Next:   "Check that this machine can reach it, and which proxies are on the way; then try again", Err: err}
	status := 0
	if refused, ok := errors.AsType[*statusError](err); ok {
		status, a.retryAfter = refused.status, refused.after
	}
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok && refused.Response != nil {
		status, a.retryAfter = refused.Response.StatusCode, retry.After(refused.Response.Header.Get("Retry-After"), time.Now())
		e.Detail = (&statusError{status: status, text: excerpt(string(refused.Body))}).Error()
	}
	answer, exceeded := errors.AsType[*egress.AnswerError](err)
	address, forbidden := errors.AsType[*egress.RefusedAddressError](err)
	refused, refusedHere := errors.AsType[*refusedRequestError](err)
	switch {
	case exceeded:
		e.Code, e.Detail = jobs.CodeFailed, answer.Error()
		if answer.Late {
			e.Code = jobs.CodeTimeout
		}
	case forbidden:
		e.Code, e.Detail = jobs.CodeInvalid, address.Error()
		e.Next = "Give an endpoint with a public address, or list its host where the run executes: private_hosts of the provider block or of the " +
			"runner's configuration"
	case egress.IsTLSFailure(err):
		e.Next = "Check the endpoint's host and port. Behind a proxy that opens TLS, give its certificate authority as ca_file: of the " +
			"authorization, or, for all of them, in the provider block or in the runner's configuration"
	case refusedHere:
		e.Code, e.Detail, e.Next = jobs.CodeInvalid, refused.Error(), next
	case status == http.StatusTooManyRequests, status >= http.StatusInternalServerError:
	case status >= http.StatusBadRequest:
		e.Code, e.Summary, e.Next = jobs.CodeUnauthorized, who+" refused the login", next
	case status != 0:
		e.Code = jobs.CodeFailed
	case isMalformed(err):
		e.Code = jobs.CodeFailed
	}
	return e
}

// isMalformed reports whether an answer with the status of success cannot be used.
func isMalformed(err error) bool {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	return errors.As(err, &syntax) || errors.As(err, &kind) || strings.Contains(err.Error(), "cannot parse json") ||
		strings.Contains(err.Error(), "missing access_token")
}

// excerpt is a text of another side in a message: the description of an OAuth error, or
// the beginning of the text, without secrets and control characters.
func excerpt(text string) string {
	var oauth struct {
		Description string `json:"error_description"`
		Message     string `json:"message"`
	}
	if json.Unmarshal([]byte(text), &oauth) == nil && oauth.Description+oauth.Message != "" {
		if text = oauth.Description; text == "" {
			text = oauth.Message
		}
	}
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, redact.Text(strings.TrimSpace(text)))
	const most = 400
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "..."
	}
	return text
}
