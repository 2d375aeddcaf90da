package lytics

import (
	"context"
	"errors"
	"strings"
	"sync"
	"unicode"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// tokenAttribute is the path of the token's attribute.
const tokenAttribute = "platform.lytics.token" // #nosec G101 -- a name

const tokenNext = "Create an API token in Lytics (Account Settings, API Tokens), and set " + tokenAttribute + " or the environment " +
	"variable LYTICS_API_TOKEN"

// tokenSource caches the token, and reads it again after Lytics refused it.
type tokenSource struct {
	read func(ctx context.Context) (jobs.Secret, error)

	mu   sync.Mutex
	last jobs.Secret
}

// get returns the cached token, or reads it.
func (t *tokenSource) get(ctx context.Context) (jobs.Secret, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.last.Empty() {
		return t.last, nil
	}
	return t.load(ctx)
}

// renew reads the token again after Lytics refused one. changed reports whether the token is
// a different one.
func (t *tokenSource) renew(ctx context.Context, refused jobs.Secret) (changed bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.last != refused {
		return true, nil
	}
	_, err = t.load(ctx)
	return t.last != refused, err
}

func (t *tokenSource) load(ctx context.Context) (jobs.Secret, error) {
	fail := func(detail string, err error) (jobs.Secret, error) {
		return jobs.Secret{}, &jobs.Error{
			Code:      jobs.CodeUnauthorized,
			Attribute: tokenAttribute,
			Summary:   "There is no usable API token for Lytics",
			Detail:    detail,
			Next:      tokenNext,
			Err:       err,
		}
	}
	if t.read == nil {
		return fail("none is configured", nil)
	}
	s, err := t.read(ctx)
	if _, ok := errors.AsType[*jobs.Error](err); ok {
		return jobs.Secret{}, err
	}
	if err != nil {
		return fail(err.Error(), err)
	}
	text := strings.TrimSpace(s.Reveal())
	switch {
	case text == "":
		return fail("it is empty", nil)
	case strings.HasPrefix(strings.ToLower(text), "bearer "):
		return fail("it begins with the word Bearer; Lytics expects the token alone", nil)
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > unicode.MaxASCII || r == 0x7f }):
		return fail("it holds characters that no HTTP header can", nil)
	}
	t.last = jobs.NewSecret(text)
	return t.last, nil
}
