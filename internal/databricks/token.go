package databricks

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// tokenSource caches the token, and reads it again after the host refused it.
type tokenSource struct {
	read func(context.Context) (jobs.Secret, error)

	mu    sync.Mutex
	token *jobs.Secret
	// also are other secrets that no error may contain.
	also []jobs.Secret
}

func (s *tokenSource) get(ctx context.Context) (jobs.Secret, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.token == nil {
		if err := s.load(ctx); err != nil {
			return jobs.Secret{}, err
		}
	}
	return *s.token, nil
}

// renew reads the token again and reports whether it changed.
func (s *tokenSource) renew(ctx context.Context) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var old string
	if s.token != nil {
		old = s.token.Reveal()
	}
	if err := s.load(ctx); err != nil {
		return false, err
	}
	return s.token.Reveal() != old, nil
}

func (s *tokenSource) load(ctx context.Context) error {
	token, err := s.read(ctx)
	if err != nil {
		return err
	}
	// A token that is not a valid header value must not reach net/http, because its error
	// would contain the token.
	if strings.ContainsFunc(token.Reveal(), func(r rune) bool { return r <= ' ' || r > '~' }) {
		return jobs.Invalid("token_wo", "The access token cannot be sent",
			"It contains blanks, line ends or other characters that no token has.",
			"Copy the token again, without the characters around it.")
	}
	if token.Empty() {
		return jobs.Invalid("token_wo", "The access token is empty", "Nothing was given, or an environment variable is not set.",
			"Give a personal access token of the workspace.")
	}
	s.token = &token
	return nil
}

// secrets returns the secrets that no error may contain.
func (s *tokenSource) secrets() []jobs.Secret {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := slices.Clone(s.also)
	if s.token != nil {
		all = append(all, *s.token)
	}
	return all
}

// alsoSecret adds the secret for which tokens are issued. read calls it while load holds
// the lock.
func (s *tokenSource) alsoSecret(secret jobs.Secret) {
	if !slices.Contains(s.also, secret) {
		s.also = append(s.also, secret)
	}
}
