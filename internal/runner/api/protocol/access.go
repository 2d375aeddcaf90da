package protocol

import (
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// NewToken is jobs.NewToken. It is the only answer that has the text of a token.
type NewToken struct {
	Token  jobs.Token `json:"token"`
	Secret string     `json:"secret" doc:"The token itself. It cannot be read again."`
}

// NewTokenOf converts a token for the wire.
func NewTokenOf(t jobs.NewToken) NewToken { return NewToken{Token: t.Token, Secret: t.Secret.Reveal()} }

// Jobs converts the token from the wire.
func (t NewToken) Jobs() jobs.NewToken {
	return jobs.NewToken{Token: t.Token, Secret: jobs.NewSecret(t.Secret)}
}

// SignInCode is jobs.SignInCode.
type SignInCode struct {
	Code      string    `json:"code" doc:"The code itself, for the page /sign-in?code=CODE. It cannot be read again."`
	ExpiresAt time.Time `json:"expires_at" doc:"When it ends, if it is not used before."`
}

// SignInCodeOf converts a code for the wire.
func SignInCodeOf(c jobs.SignInCode) SignInCode {
	return SignInCode{Code: c.Code.Reveal(), ExpiresAt: c.ExpiresAt}
}

// Jobs converts the code from the wire.
func (c SignInCode) Jobs() jobs.SignInCode {
	return jobs.SignInCode{Code: jobs.NewSecret(c.Code), ExpiresAt: c.ExpiresAt}
}
