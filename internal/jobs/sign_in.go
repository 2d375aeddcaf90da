package jobs

import (
	"context"
	"crypto/rand"
	"net/url"
	"time"
)

// Session is a sign-in to the page.
type Session struct {
	// Token is the hash of the token that opened it: it ends with the token.
	Token       TokenHash
	Begun, Used time.Time
	// Notice is the text that the page shows next.
	Notice string
}

// Sessions keeps sign-ins to the page, for all runners of a store. Keys are
// hashes of cookies.
type Sessions interface {
	// BeginSession keeps a session. It removes those that were not used since idle.
	BeginSession(ctx context.Context, key TokenHash, s Session, idle time.Time) error
	// Session reads a session; CodeNotFound if there is none.
	Session(ctx context.Context, key TokenHash) (Session, error)
	// UpdateSession changes Used and Notice.
	UpdateSession(ctx context.Context, key TokenHash, s Session) error
	EndSession(ctx context.Context, key TokenHash) error
	// SignInCode returns the token of a sign-in code, by the code's hash. CodeNotFound
	// means that it was used, has expired or never was.
	SignInCode(ctx context.Context, code TokenHash) (TokenHash, error)
	// UseSignInCode is SignInCode, and ends the code: of several callers, one gets the
	// token.
	UseSignInCode(ctx context.Context, code TokenHash) (TokenHash, error)
}

// SignInCodeLifetime is how long a sign-in code is valid.
const SignInCodeLifetime = 15 * time.Minute

// SignInCode signs in to the page once, in place of the token that made it. The store
// has its hash only.
type SignInCode struct {
	Code      Secret
	ExpiresAt time.Time
}

// NewSignInCode makes a code of 130 bits from crypto/rand.
func NewSignInCode() Secret { return NewSecret(rand.Text()) }

// SignInPath returns the path and query of the page that a code signs in to.
func SignInPath(code Secret) string {
	return "/sign-in?" + url.Values{"code": {code.Reveal()}}.Encode()
}
