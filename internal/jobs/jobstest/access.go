package jobstest

import (
	"context"
	"fmt"
	"slices"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// Tokens implements jobs.Access.
func (f *Fake) Tokens(ctx context.Context) ([]jobs.Token, error) {
	return read(ctx, f, "Tokens", nil, func(s *Store) ([]jobs.Token, error) { return slices.Clone(s.AccessTokens), nil })
}

// CreateToken implements jobs.Access.
func (f *Fake) CreateToken(ctx context.Context, spec jobs.TokenSpec) (jobs.NewToken, error) {
	return register(ctx, f, "CreateToken", []any{spec}, func(s *Store) (jobs.NewToken, error) {
		if spec.Role.Allows(jobs.RoleRead) && !slices.ContainsFunc(s.AccessTokens, func(t jobs.Token) bool { return t.Name == spec.Name }) {
			return s.addToken(f, spec.Name, spec.Role), nil
		}
		code, attribute := jobs.CodeConflict, "name"
		if !spec.Role.Allows(jobs.RoleRead) {
			code, attribute = jobs.CodeInvalid, "role"
		}
		return jobs.NewToken{}, &jobs.Error{
			Code: code, Attribute: attribute, Summary: "The token cannot be created", Detail: fmt.Sprintf("%+v", spec), Next: "Change it",
		}
	})
}

// RotateToken implements jobs.Access. The fake's tokens do not expire.
func (f *Fake) RotateToken(ctx context.Context, name string, keepSeconds int64) (jobs.NewToken, error) {
	return read(ctx, f, "RotateToken", []any{name, keepSeconds}, func(s *Store) (jobs.NewToken, error) {
		i := slices.IndexFunc(s.AccessTokens, func(t jobs.Token) bool { return t.Name == name })
		if i < 0 {
			return jobs.NewToken{}, missing("token", name)
		}
		role := s.AccessTokens[i].Role
		if keepSeconds == 0 {
			s.AccessTokens = slices.DeleteFunc(slices.Clone(s.AccessTokens), func(t jobs.Token) bool { return t.Name == name })
		}
		return s.addToken(f, name, role), nil
	})
}

func (s *Store) addToken(f *Fake, name string, role jobs.Role) jobs.NewToken {
	t := jobs.Token{ID: s.newID("tok"), Name: name, Role: role, CreatedAt: f.env.now()}
	s.AccessTokens = append(s.AccessTokens, t)
	return jobs.NewToken{Token: t, Secret: jobs.NewSecret("lyr_" + t.ID)}
}

// RevokeToken implements jobs.Access.
func (f *Fake) RevokeToken(ctx context.Context, nameOrID string) (int64, error) {
	return read(ctx, f, "RevokeToken", []any{nameOrID}, func(s *Store) (int64, error) {
		before := len(s.AccessTokens)
		s.AccessTokens = slices.DeleteFunc(slices.Clone(s.AccessTokens), func(t jobs.Token) bool { return t.Name == nameOrID || t.ID == nameOrID })
		if n := int64(before - len(s.AccessTokens)); n > 0 {
			return n, nil
		}
		return 0, missing("token", nameOrID)
	})
}

// CreateSignInCode implements jobs.Access. The fake's codes sign in to nothing.
func (f *Fake) CreateSignInCode(ctx context.Context) (jobs.SignInCode, error) {
	return read(ctx, f, "CreateSignInCode", nil, func(*Store) (jobs.SignInCode, error) {
		return jobs.SignInCode{Code: jobs.NewSignInCode(), ExpiresAt: f.env.now().Add(jobs.SignInCodeLifetime)}, nil
	})
}

// AuditLog implements jobs.Access. It gives the entries of Store.Audit, and ignores
// all of the filter but Limit.
func (f *Fake) AuditLog(ctx context.Context, filter jobs.AuditFilter) (jobs.AuditPage, error) {
	return read(ctx, f, "AuditLog", []any{filter}, func(s *Store) (jobs.AuditPage, error) {
		page := jobs.AuditPage{Entries: append([]jobs.AuditEntry{}, s.Audit...)}
		if filter.Limit > 0 && len(page.Entries) > filter.Limit {
			page.Entries = page.Entries[:filter.Limit]
		}
		return page, nil
	})
}
