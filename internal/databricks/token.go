package databricks

import (
	"context"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// tokenSource caches the token, and reads it again before it expires, where that is known,
// and after the host refused it.
type tokenSource struct {
	// read returns a token, and when it expires; zero means that it is not known.
	read func(context.Context) (jobs.Secret, time.Time, error)
	// attribute is what gives the token.
	attribute string

	// busy holds one value while a call uses the fields below. Reading a token can take
	// minutes, and a call that waits for it ends with its own context.
	busy    chan struct{}
	token   *jobs.Secret
	expires time.Time
	// held is the secret for which tokens are issued: no error contains a secret that
	// is held.
	held jobs.Secret
}

func newTokenSource(attribute string, read func(context.Context) (jobs.Secret, time.Time, error)) *tokenSource {
	return &tokenSource{attribute: attribute, read: read, busy: make(chan struct{}, 1)}
}

func (s *tokenSource) lock(ctx context.Context) error {
	select {
	case s.busy <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s *tokenSource) unlock() { <-s.busy }

func (s *tokenSource) get(ctx context.Context) (jobs.Secret, error) {
	if err := s.lock(ctx); err != nil {
		return jobs.Secret{}, err
	}
	defer s.unlock()
	if s.token == nil || !s.expires.IsZero() && time.Until(s.expires) < beforeExpiry {
		// A token that still is valid is used where there is no new one yet.
		if err := s.load(ctx); err != nil && (s.token == nil || !time.Now().Before(s.expires)) {
			return jobs.Secret{}, err
		}
	}
	return *s.token, nil
}

// beforeExpiry is how long before its end a token is replaced. Azure Databricks refuses a
// token that ends within 30 seconds.
const beforeExpiry = time.Minute

// renew replaces a token that the host refused, and reports whether there is another one
// now. Of several requests that were refused with one token, the first reads the next one.
func (s *tokenSource) renew(ctx context.Context, refused jobs.Secret) (bool, error) {
	if err := s.lock(ctx); err != nil {
		return false, err
	}
	defer s.unlock()
	if s.token != nil && s.token.Reveal() != refused.Reveal() {
		return true, nil
	}
	if err := s.load(ctx); err != nil {
		return false, err
	}
	return s.token.Reveal() != refused.Reveal(), nil
}

func (s *tokenSource) load(ctx context.Context) error {
	token, expires, err := s.read(ctx)
	if err != nil {
		return err
	}
	// A token that is not a valid header value must not reach net/http, because its error
	// would contain the token.
	if strings.ContainsFunc(token.Reveal(), func(r rune) bool { return r <= ' ' || r > '~' }) {
		return jobs.Invalid(s.attribute, "The access token cannot be sent",
			"It contains blanks, line ends or other characters that no token has.",
			"Copy the token again, without the characters around it.")
	}
	if token.Empty() {
		return jobs.Invalid(s.attribute, "The access token is empty", "Nothing was given, or an environment variable is not set.",
			"Give a personal access token of the workspace.")
	}
	s.token, s.expires = &token, expires
	return nil
}

// hold keeps the secret for which tokens are issued. read calls it while load holds the
// lock.
func (s *tokenSource) hold(secret jobs.Secret) { s.held = secret }
