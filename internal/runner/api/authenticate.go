package api

import (
	"context"
	"crypto/subtle"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/api/protocol"
)

// ConfiguredToken is a named token of the runner's configuration, which has its
// hash only.
type ConfiguredToken struct {
	Name string
	Role jobs.Role
	Hash jobs.TokenHash
}

// TokenStore finds the tokens of the store; CodeNotFound means that there is none.
type TokenStore interface {
	TokenByHash(ctx context.Context, hash jobs.TokenHash) (jobs.Token, error)
}

// TokenOf returns the name and the role of the token that has a hash. CodeNotFound
// means that no valid token has it.
func (s *Server) TokenOf(ctx context.Context, hash jobs.TokenHash) (jobs.Actor, error) {
	// All of them are compared, in constant time.
	var found *ConfiguredToken
	for i := range s.configured {
		if subtle.ConstantTimeCompare(s.configured[i].Hash[:], hash[:]) == 1 {
			found = &s.configured[i]
		}
	}
	if found != nil {
		return jobs.Actor{Name: found.Name, Role: found.Role, Token: hash}, nil
	}
	if s.config.Tokens == nil {
		return jobs.Actor{}, &jobs.Error{Code: jobs.CodeNotFound, Summary: "No such token"}
	}
	t, err := s.config.Tokens.TokenByHash(ctx, hash)
	return jobs.Actor{Name: t.Name, Role: t.Role, Token: hash}, err
}

// SignIn returns who presents a token. Wrong tokens are slowed: a further one is
// then not even looked at, and the error is CodeLimited, with the time to wait.
func (s *Server) SignIn(r *http.Request, token string) (_ jobs.Actor, wait time.Duration, _ error) {
	if token == "" {
		return jobs.Actor{}, 0, errToken()
	}
	address, hash := remoteAddress(r), jobs.HashToken(token)
	if wait := s.throttle.wait(address, hash); wait > 0 {
		return jobs.Actor{}, wait, &jobs.Error{
			Code: jobs.CodeLimited, Attribute: "runner.token", Summary: "Too many wrong tokens were tried",
			Detail: "The runner looks at no new token for " + strconv.Itoa(seconds(wait)) + " s.", Next: "Wait, then use a valid token",
		}
	}
	who, err := s.TokenOf(r.Context(), hash)
	switch {
	case jobs.IsCode(err, jobs.CodeNotFound):
		s.throttle.failed(address, hash)
		s.config.Log.WarnContext(r.Context(), "a wrong token was presented", "from", address)
		return jobs.Actor{}, 0, errToken()
	case err != nil:
		return jobs.Actor{}, 0, err
	}
	s.throttle.succeeded(hash)
	who.Via, who.Address = jobs.ViaAPI, address
	return who, 0, nil
}

func errToken() *jobs.Error {
	return &jobs.Error{Code: jobs.CodeUnauthorized, Attribute: "runner.token",
		Summary: "The runner refuses the token", Detail: "The request has no token, or not a valid token of the runner.",
		Next: "Use a token of token create, the token in the runner's token file, or its LYTICS_RUNNER_TOKEN"}
}

// signInLocal returns who presents the token of the socket: only this process's user
// can read it.
func (s *Server) signInLocal(_ *http.Request, token string) (jobs.Actor, time.Duration, error) {
	if !same(s.config.LocalToken, token) {
		return jobs.Actor{}, 0, errToken()
	}
	who := jobs.Actor{Name: s.config.LocalUser, Role: jobs.RoleAdmin, Via: jobs.ViaSocket}
	if !s.config.Token.Empty() {
		who.Token = jobs.HashToken(s.config.Token.Reveal())
	}
	return who, 0, nil
}

func same(want jobs.Secret, got string) bool {
	return !want.Empty() && subtle.ConstantTimeCompare([]byte(want.Reveal()), []byte(got)) == 1
}

// withToken requires a valid token and a client of the same API version.
func (s *Server) withToken(signIn func(*http.Request, string) (jobs.Actor, time.Duration, error), next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(protocol.VersionHeader, strconv.Itoa(protocol.Version))
		w.Header().Set(protocol.ReleaseHeader, s.config.Release)
		w.Header().Set("Cache-Control", "no-store")
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if token == r.Header.Get("Authorization") {
			token = "" // of another scheme
		}
		who, wait, err := signIn(r, token)
		if err != nil {
			refuseToken(w, wait, err)
			return
		}
		noteActor(r.Context(), who.Name)
		if asked := r.Header.Get(protocol.VersionHeader); asked != "" && asked != strconv.Itoa(protocol.Version) {
			client, _ := strconv.Atoi(asked)
			summary, detail, next := protocol.Mismatch(client, r.Header.Get(protocol.ReleaseHeader), protocol.Version, s.config.Release)
			refuse(w, http.StatusBadRequest, &jobs.Error{Code: jobs.CodeFailed, Summary: summary, Detail: detail, Next: next})
			return
		}
		ctx := jobs.WithActor(r.Context(), who)
		if client := r.Header.Get(protocol.ClientHeader); client != "" {
			if !clientName.MatchString(client) {
				refuse(w, http.StatusBadRequest, jobs.Invalid("", "The name of the request's client is invalid",
					"The header "+protocol.ClientHeader+" is not 1 to 64 letters, digits, hyphens or underscores.", "Leave the header out"))
				return
			}
			ctx = jobs.WithCreator(ctx, client)
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

func refuseToken(w http.ResponseWriter, wait time.Duration, err error) {
	switch {
	case wait > 0:
		w.Header().Set("Retry-After", strconv.Itoa(seconds(wait)))
	case jobs.IsCode(err, jobs.CodeUnauthorized):
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	p := protocol.ProblemOf(err, "look for the token")
	if p.Code == jobs.CodeUnauthorized {
		p.Status = http.StatusUnauthorized
	}
	writeProblem(w, p)
}

// seconds rounds a time up.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

// remoteAddress is the IP address of a request's sender, or of the proxy before it:
// a header that names another one could be made up.
func remoteAddress(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
