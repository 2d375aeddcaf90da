package engine

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

var _ jobs.Sessions = (*Engine)(nil)

// tokenName is the form of names. The ids of tokens do not have it, so that a name
// is never taken for an id.
var tokenName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`)

// longestLifetime bounds the life of a token and of a rotation.
const longestLifetime = 10 * 365 * 24 * time.Hour

// Tokens implements jobs.Access.
func (e *Engine) Tokens(ctx context.Context) ([]jobs.Token, error) {
	db, err := e.open(ctx, readStore)
	if err != nil {
		return nil, err
	}
	return db.Tokens(ctx)
}

// CreateToken implements jobs.Access.
func (e *Engine) CreateToken(ctx context.Context, s jobs.TokenSpec) (jobs.NewToken, error) {
	lifetime, err := lifetimeOf("expires_in_seconds", s.ExpiresInSeconds)
	switch {
	case err != nil:
		return jobs.NewToken{}, err
	case !slices.Contains(jobs.Roles, s.Role):
		return jobs.NewToken{}, jobs.Invalid("role", "The token has no such role", fmt.Sprintf("Its role is %q.", s.Role),
			"Use read, operate or admin")
	case !tokenName.MatchString(s.Name) || strings.HasPrefix(s.Name, "tok_"):
		return jobs.NewToken{}, jobs.Invalid("name", "The token's name cannot be used", "Names are 1 to 63 lower-case letters, digits, "+
			"dots, hyphens or underscores, and do not begin with tok_.", "Choose another name")
	case s.Name == jobs.DefaultTokenName || s.Name == jobs.ActorSchedule:
		return jobs.NewToken{}, jobs.Invalid("name", fmt.Sprintf("The name %q is taken", s.Name),
			"The audit log uses it for the runner's own token, or for runs by schedule.", "Choose another name")
	}
	db, err := e.open(ctx, createStore)
	if err != nil {
		return jobs.NewToken{}, err
	}
	return keepToken(func(hash jobs.TokenHash) (jobs.Token, error) {
		return db.CreateToken(ctx, store.NewTokenRow{
			Name: s.Name, Role: s.Role, Hash: hash, CreatedBy: caller(ctx, e.options.Name).Name, Lifetime: lifetime,
		})
	})
}

// RotateToken implements jobs.Access.
func (e *Engine) RotateToken(ctx context.Context, name string, keepSeconds int64) (jobs.NewToken, error) {
	keep, err := lifetimeOf("keep_seconds", keepSeconds)
	if err != nil {
		return jobs.NewToken{}, err
	}
	db, err := e.open(ctx, writeStore)
	if err != nil {
		return jobs.NewToken{}, err
	}
	return keepToken(func(hash jobs.TokenHash) (jobs.Token, error) {
		return db.RotateToken(ctx, store.NewTokenRow{Name: name, Hash: hash, CreatedBy: caller(ctx, e.options.Name).Name}, keep)
	})
}

func keepToken(keep func(jobs.TokenHash) (jobs.Token, error)) (jobs.NewToken, error) {
	secret := jobs.NewAccessToken()
	token, err := keep(jobs.HashToken(secret.Reveal()))
	if err != nil {
		return jobs.NewToken{}, err
	}
	return jobs.NewToken{Token: token, Secret: secret}, nil
}

func lifetimeOf(attribute string, seconds int64) (time.Duration, error) {
	if seconds < 0 || seconds > int64(longestLifetime/time.Second) {
		return 0, jobs.Invalid(attribute, "The time is not possible", fmt.Sprintf("It is %d seconds.", seconds), "Use a time of 0 to 10 years")
	}
	return time.Duration(seconds) * time.Second, nil
}

// RevokeToken implements jobs.Access.
func (e *Engine) RevokeToken(ctx context.Context, nameOrID string) (int64, error) {
	db, err := e.open(ctx, writeStore)
	if err != nil {
		return 0, err
	}
	return db.RevokeToken(ctx, nameOrID)
}

// CreateSignInCode implements jobs.Access.
func (e *Engine) CreateSignInCode(ctx context.Context) (jobs.SignInCode, error) {
	who, _ := jobs.ActorOf(ctx)
	if who.Token == (jobs.TokenHash{}) {
		return jobs.SignInCode{}, jobs.Invalid("", "There is no page to sign in to", "The page is a runner's, and this store is used without one.",
			"Start a runner, or name one with --url (LYTICS_RUNNER_URL)")
	}
	db, err := e.open(ctx, writeStore)
	if err != nil {
		return jobs.SignInCode{}, err
	}
	code := jobs.NewSignInCode()
	expires, err := db.CreateSignInCode(ctx, jobs.HashToken(code.Reveal()), who.Token, jobs.SignInCodeLifetime)
	if err != nil {
		return jobs.SignInCode{}, err
	}
	return jobs.SignInCode{Code: code, ExpiresAt: expires}, nil
}

// AuditLog implements jobs.Access.
func (e *Engine) AuditLog(ctx context.Context, f jobs.AuditFilter) (jobs.AuditPage, error) {
	db, err := e.open(ctx, readStore)
	if err != nil {
		return jobs.AuditPage{}, err
	}
	return db.AuditLog(ctx, f)
}

// TokenByHash reads a valid token of the store; CodeNotFound if there is none.
func (e *Engine) TokenByHash(ctx context.Context, hash jobs.TokenHash) (jobs.Token, error) {
	db, err := e.open(ctx, readStore)
	if err != nil {
		return jobs.Token{}, err
	}
	return db.TokenByHash(ctx, hash)
}

// BeginSession implements jobs.Sessions.
func (e *Engine) BeginSession(ctx context.Context, key jobs.TokenHash, s jobs.Session, idle time.Time) error {
	db, err := e.open(ctx, writeStore)
	if err != nil {
		return err
	}
	return db.BeginSession(ctx, key, s, idle)
}

// Session implements jobs.Sessions.
func (e *Engine) Session(ctx context.Context, key jobs.TokenHash) (jobs.Session, error) {
	db, err := e.open(ctx, readStore)
	if err != nil {
		return jobs.Session{}, err
	}
	return db.Session(ctx, key)
}

// UpdateSession implements jobs.Sessions.
func (e *Engine) UpdateSession(ctx context.Context, key jobs.TokenHash, s jobs.Session) error {
	db, err := e.open(ctx, writeStore)
	if err != nil {
		return err
	}
	return db.UpdateSession(ctx, key, s)
}

// EndSession implements jobs.Sessions.
func (e *Engine) EndSession(ctx context.Context, key jobs.TokenHash) error {
	db, err := e.open(ctx, writeStore)
	if err != nil {
		return err
	}
	return db.EndSession(ctx, key)
}

// SignInCode implements jobs.Sessions.
func (e *Engine) SignInCode(ctx context.Context, code jobs.TokenHash) (jobs.TokenHash, error) {
	db, err := e.open(ctx, readStore)
	if err != nil {
		return jobs.TokenHash{}, err
	}
	return db.SignInCode(ctx, code)
}

// UseSignInCode implements jobs.Sessions.
func (e *Engine) UseSignInCode(ctx context.Context, code jobs.TokenHash) (jobs.TokenHash, error) {
	db, err := e.open(ctx, writeStore)
	if err != nil {
		return jobs.TokenHash{}, err
	}
	return db.UseSignInCode(ctx, code)
}
