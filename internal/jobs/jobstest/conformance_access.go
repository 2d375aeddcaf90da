package jobstest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

func tokens(t *testing.T, open Opener) {
	t.Helper()
	a := open()
	ctx := t.Context()
	refused(t, "list without a store", errorOf(a.Tokens(ctx)), jobs.CodeStore, "")
	refused(t, "read the log without a store", errorOf(a.AuditLog(ctx, jobs.AuditFilter{Limit: 3})), jobs.CodeStore, "")
	first, err := a.CreateToken(ctx, jobs.TokenSpec{Name: "ci", Role: jobs.RoleOperate})
	first = must(t, "create", first, err)
	if first.Secret.Empty() || first.ID == "" || first.Name != "ci" || first.Role != jobs.RoleOperate || first.CreatedAt.IsZero() {
		t.Fatalf("created: got %+v, want its text, id, name, role and time", first)
	}
	refused(t, "a second one of the name", errorOf(a.CreateToken(ctx, jobs.TokenSpec{Name: "ci", Role: jobs.RoleRead})), jobs.CodeConflict, "name")
	second, err := a.RotateToken(ctx, "ci", 3600)
	second = must(t, "rotate", second, err)
	if second.ID == first.ID || second.Name != "ci" || second.Role != jobs.RoleOperate || second.Secret.Reveal() == first.Secret.Reveal() {
		t.Errorf("rotated: got %+v, want another token of the same name and role", second)
	}
	list := func() (ids []string) {
		all, err := a.Tokens(ctx)
		for _, have := range must(t, "list", all, err) {
			ids = append(ids, have.ID)
		}
		return ids
	}
	if d := cmp.Diff([]string{first.ID, second.ID}, list()); d != "" {
		t.Errorf("after the rotation: want and got:\n%s", d)
	}
	if n, err := a.RevokeToken(ctx, first.ID); err != nil || n != 1 {
		t.Errorf("revoke by id: got %d, %v; want 1", n, err)
	}
	if d := cmp.Diff([]string{second.ID}, list()); d != "" {
		t.Errorf("after one was revoked: want and got:\n%s", d)
	}
	if n, err := a.RevokeToken(ctx, "ci"); err != nil || n != 1 {
		t.Errorf("revoke by name: got %d, %v; want 1", n, err)
	}
	refused(t, "revoke what is gone", errorOf(a.RevokeToken(ctx, "ci")), jobs.CodeNotFound, "")
	refused(t, "rotate what is gone", errorOf(a.RotateToken(ctx, "ci", 0)), jobs.CodeNotFound, "")
}
