package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/api/protocol"
)

// Tokens implements jobs.Access.
func (c *Client) Tokens(ctx context.Context) ([]jobs.Token, error) {
	return call[[]jobs.Token](ctx, c, request{method: http.MethodGet, path: "/tokens"})
}

// CreateToken implements jobs.Access.
func (c *Client) CreateToken(ctx context.Context, s jobs.TokenSpec) (jobs.NewToken, error) {
	t, err := call[protocol.NewToken](ctx, c, request{method: http.MethodPost, path: "/tokens", body: s})
	return t.Jobs(), err
}

// RotateToken implements jobs.Access.
func (c *Client) RotateToken(ctx context.Context, name string, keepSeconds int64) (jobs.NewToken, error) {
	t, err := call[protocol.NewToken](ctx, c, request{
		method: http.MethodPost, path: at("/tokens/%s/rotations", name), body: map[string]int64{"keep_seconds": keepSeconds},
	})
	return t.Jobs(), err
}

// RevokeToken implements jobs.Access.
func (c *Client) RevokeToken(ctx context.Context, nameOrID string) (int64, error) {
	n, err := call[revokedTokens](ctx, c, request{method: http.MethodDelete, path: at("/tokens/%s", nameOrID)})
	return n.Revoked, err
}

// CreateSignInCode implements jobs.Access.
func (c *Client) CreateSignInCode(ctx context.Context) (jobs.SignInCode, error) {
	code, err := call[protocol.SignInCode](ctx, c, request{method: http.MethodPost, path: "/sign-in-codes"})
	return code.Jobs(), err
}

// AuditLog implements jobs.Access.
func (c *Client) AuditLog(ctx context.Context, f jobs.AuditFilter) (jobs.AuditPage, error) {
	query := url.Values{}
	set(query, "actor", f.Actor)
	set(query, "object", f.Object)
	set(query, "action", f.Action)
	if !f.Since.IsZero() {
		query.Set("since", f.Since.UTC().Format(time.RFC3339Nano))
	}
	if f.Before != 0 {
		query.Set("before", strconv.FormatInt(f.Before, 10))
	}
	if f.Limit != 0 {
		query.Set("limit", strconv.Itoa(f.Limit))
	}
	return call[jobs.AuditPage](ctx, c, request{method: http.MethodGet, path: "/audit", query: query})
}
