package login

import (
	"context"
	"crypto/x509"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/egress"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/retry"
)

// Options configure a Source.
type Options struct {
	Login jobs.Login
	// Secret reads the stored secret of the login; nil for a kind without one.
	Secret func(context.Context) (jobs.Secret, error)
	// Check, if set, refuses a login that the operator of this process does not allow. It is
	// called for every token.
	Check func() error
	// Getenv reads the environment; nil means os.Getenv.
	Getenv func(string) string
	// AllowPrivateHosts and PrivateHosts are the hosts of their own that the operator
	// lets definitions name, as for a workspace.
	AllowPrivateHosts bool
	PrivateHosts      egress.Hosts
	// RootCAs, if set, returns the certificate authorities; nil means the system's. It is
	// called for every token.
	RootCAs func() (*x509.CertPool, error)
}

// Source obtains tokens. It keeps none: whoever uses a token asks again when it expires
// or is refused. It is safe for concurrent use.
type Source struct {
	options Options
	proxy   egress.ProxyFunc
}

// New returns a Source. It reads nothing and sends no request.
func New(o Options) *Source {
	if o.Getenv == nil {
		o.Getenv = os.Getenv
	}
	return &Source{options: o, proxy: http.ProxyFromEnvironment}
}

// Attribute is the attribute that gives the login.
func (s *Source) Attribute() string { return s.options.Login.Attribute() }

// Workspace is where a token is used.
type Workspace struct {
	// URL has the scheme, and the host with its port.
	URL *url.URL
	// Transport reaches the workspace.
	Transport http.RoundTripper
}

// Token is an access token.
type Token struct {
	Secret jobs.Secret
	// Expires is when the token ends; zero if it is not known.
	Expires time.Time
}

const (
	// patience limits the time to obtain a token, with all attempts.
	patience = 2 * time.Minute
	// attempts limits how often a token is asked for where the failure is transient.
	attempts = 3
)

// Token obtains a token. Its errors are *jobs.Error, or that of the context. It has
// CodeUnreachable where an endpoint gave no usable answer, CodeUnauthorized where one
// refused, and CodeInvalid where something is missing in the definition or in this
// process.
func (s *Source) Token(ctx context.Context, at Workspace) (Token, error) {
	if s.options.Check != nil {
		if err := s.options.Check(); err != nil {
			return Token{}, err
		}
	}
	var roots *x509.CertPool
	if s.options.RootCAs != nil {
		var err error
		if roots, err = s.options.RootCAs(); err != nil {
			return Token{}, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var after time.Duration
	policy := retry.Policy{First: 500 * time.Millisecond, Longest: 10 * time.Second, Attempts: attempts, Within: patience}
	return retry.Do(ctx, policy, func(int) (Token, error) {
		a := newAttempt(ctx, s, at, roots)
		defer a.close()
		token, err := a.obtain()
		after = a.retryAfter
		return token, err
	}, func(_ int, err error) retry.Decision {
		return retry.Decision{Retry: jobs.IsCode(err, jobs.CodeUnreachable), After: after}
	})
}
