package jobstest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// CreateAuthorization implements jobs.Authorizations.
func (f *Fake) CreateAuthorization(ctx context.Context, c jobs.AuthorizationChange) (jobs.Authorization, error) {
	return register(ctx, f, "CreateAuthorization", []any{c}, func(s *Store) (jobs.Authorization, error) {
		creator := jobs.Creator(ctx, f.instance)
		id := f.abandonedAuthorization(s, creator, c.AuthorizationSpec)
		if id == "" {
			id = s.newID("auth")
		}
		a, err := f.saveAuthorization(s, id, c)
		if err == nil {
			s.Creators[id] = creator
			f.creates.Made(ctx, id)
		}
		return a, err
	})
}

// abandonedAuthorization returns the id of an equal authorization that no state
// file holds and whose creator is dead, or "".
func (f *Fake) abandonedAuthorization(s *Store, creator string, spec jobs.AuthorizationSpec) string {
	for id, a := range s.Authorizations {
		abandoned := !s.Confirmed[id] && s.Creators[id] != creator && !f.env.alive[s.Creators[id]]
		if abandoned && a.Label == spec.Label && strings.EqualFold(a.Host, spec.Host) && a.HTTPPath == spec.HTTPPath {
			return id
		}
	}
	return ""
}

// IssueToken implements jobs.TokenIssuer. The token of an authorization is "issued for"
// and its id, and ends after an hour.
func (f *Fake) IssueToken(ctx context.Context, id string) (jobs.WorkspaceToken, error) {
	return read(ctx, f, "IssueToken", []any{id}, func(s *Store) (jobs.WorkspaceToken, error) {
		a, err := get(s.Authorizations, "authorization", id)
		if err == nil {
			err = a.CheckIssuesTokens()
		}
		if err != nil {
			return jobs.WorkspaceToken{}, err
		}
		return jobs.WorkspaceToken{Secret: jobs.NewSecret("issued for " + id), Expires: f.env.now().Add(time.Hour)}, nil
	})
}

// ListAuthorizations implements jobs.Authorizations.
func (f *Fake) ListAuthorizations(ctx context.Context) ([]jobs.Authorization, error) {
	return read(ctx, f, "ListAuthorizations", nil, func(s *Store) ([]jobs.Authorization, error) {
		return slices.SortedFunc(maps.Values(s.Authorizations), func(a, b jobs.Authorization) int {
			return strings.Compare(a.Label+"\x00"+a.ID, b.Label+"\x00"+b.ID)
		}), nil
	})
}

// UpdateAuthorization implements jobs.Authorizations.
func (f *Fake) UpdateAuthorization(ctx context.Context, id string, c jobs.AuthorizationChange) (jobs.Authorization, error) {
	return read(ctx, f, "UpdateAuthorization", []any{id, c}, func(s *Store) (jobs.Authorization, error) {
		was, err := get(s.Authorizations, "authorization", id)
		if err != nil {
			return jobs.Authorization{}, err
		}
		sent := c.Token
		if secretAttribute(c.AuthorizationSpec) != "token_wo" {
			sent = c.ClientSecret
		}
		if was.Destination() != c.Destination() && sent == nil && !withoutSecret(c.AuthorizationSpec) {
			return jobs.Authorization{}, jobs.Invalid(secretAttribute(c.AuthorizationSpec), "A changed destination needs the secret again",
				"The stored secret was given for "+was.Destination().String()+".", "Set the secret again")
		}
		return f.saveAuthorization(s, id, c)
	})
}

func secretAttribute(s jobs.AuthorizationSpec) string {
	switch {
	case s.Login.KeepsSecret():
		return s.Login.Kind.SecretAttribute()
	case s.ClientID != "":
		return "client_secret_wo"
	}
	return "token_wo"
}

// withoutSecret reports whether the store keeps no secret for the definition.
func withoutSecret(s jobs.AuthorizationSpec) bool {
	return s.TokenEnv != "" || s.Login != nil && !s.Login.KeepsSecret()
}

func (f *Fake) saveAuthorization(s *Store, id string, c jobs.AuthorizationChange) (jobs.Authorization, error) {
	if err := c.CheckLogin(); err != nil {
		return jobs.Authorization{}, err
	}
	was, exists := s.Authorizations[id]
	secret, given := s.Tokens[id], c.Token
	if was.Destination().ClientID != c.Destination().ClientID {
		secret = ""
	}
	if secretAttribute(c.AuthorizationSpec) != "token_wo" {
		given = c.ClientSecret
	}
	if given != nil {
		secret = given.Reveal()
	}
	switch {
	case withoutSecret(c.AuthorizationSpec):
		secret = ""
	case secret == "":
		return jobs.Authorization{}, jobs.Invalid(secretAttribute(c.AuthorizationSpec), "The authorization has no secret",
			"Neither token_wo, nor token_env, nor client_id was given.", "Set one of the three")
	case c.CheckConnection && f.env.Token != "" && secret != f.env.Token:
		return jobs.Authorization{}, &jobs.Error{
			Code: jobs.CodeUnauthorized, Attribute: "token_wo", Summary: "The warehouse refuses the token",
			Detail: c.Host + " answered 401.", Next: "Create a new token.",
		}
	}
	if given != nil {
		f.env.SentTokens = append(f.env.SentTokens, given.Reveal())
	}
	a := jobs.Authorization{ID: id, AuthorizationSpec: c.AuthorizationSpec, CreatedAt: was.CreatedAt, UpdatedAt: f.env.now()}
	if !exists {
		a.CreatedAt = a.UpdatedAt
	}
	s.Authorizations[id], s.Tokens[id] = a, secret
	return f.withSecretState(s, a), nil
}

func (f *Fake) withSecretState(s *Store, a jobs.Authorization) jobs.Authorization {
	a.Warnings = f.env.Warnings
	a.SecretReadable = withoutSecret(a.AuthorizationSpec) || !f.env.SecretsUnreadable && s.Tokens[a.ID] != ""
	return a
}

// Authorization implements jobs.Authorizations.
func (f *Fake) Authorization(ctx context.Context, id string) (jobs.Authorization, error) {
	return read(ctx, f, "Authorization", []any{id}, func(s *Store) (jobs.Authorization, error) {
		a, err := get(s.Authorizations, "authorization", id)
		return f.withSecretState(s, a), err
	})
}

// DeleteAuthorization implements jobs.Authorizations.
func (f *Fake) DeleteAuthorization(ctx context.Context, id string) error {
	return change(ctx, f, "DeleteAuthorization", []any{id}, func(s *Store) error {
		var users []string
		for _, j := range s.Jobs {
			if j.AuthorizationID == id {
				users = append(users, fmt.Sprintf("%s (%s)", j.Label, j.ID))
			}
		}
		if len(users) > 0 {
			slices.Sort(users)
			return &jobs.Error{
				Code: jobs.CodeInUse, Summary: "The authorization " + id + " is in use",
				Detail: "These jobs use it: " + strings.Join(users, ", ") + ".", Next: "Destroy the jobs first",
			}
		}
		delete(s.Authorizations, id)
		delete(s.Tokens, id)
		return nil
	})
}
